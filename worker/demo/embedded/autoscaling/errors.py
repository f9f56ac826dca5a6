"""How Auto Scaling says no."""

from moto.autoscaling.exceptions import AutoscalingClientError


def invalid(message: str) -> AutoscalingClientError:
    """Build a ValidationError, Auto Scaling's code for nearly everything."""
    return AutoscalingClientError("ValidationError", message)


def refused(code: str, message: str) -> AutoscalingClientError:
    """Build an error of another code (AlreadyExists, ResourceInUse …)."""
    return AutoscalingClientError(code, message)
