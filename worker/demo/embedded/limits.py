"""What an account may have: service quotas, and the limits that services tell by themselves."""

from typing import TYPE_CHECKING, Final

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.servicequotas.models import ServiceQuotasBackend

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

VCPUS: Final = {"L-1216C47A": "Running On-Demand Standard", "L-34B43A08": "All Standard Spot"}
"""https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html."""
VCPU_LIMIT: Final = 64.0
GROUP_LIMIT: Final = 500


def correct(layer: "Layer") -> None:
    """Tell the limits that moto does not know."""
    patches = layer.patches
    known = ServiceQuotasBackend.get_service_quota

    def quota(self: Moto, service_code: str, quota_code: str) -> Moto:
        if service_code == "ec2" and quota_code in VCPUS:
            return {
                "ServiceCode": service_code,
                "QuotaCode": quota_code,
                "QuotaName": VCPUS[quota_code],
                "Value": VCPU_LIMIT,
            }
        return known(self, service_code, quota_code)

    patches.replace(ServiceQuotasBackend, "get_service_quota", quota)
    patches.replace(AutoScalingResponse, "describe_account_limits", account_limits)


def account_limits(self: Moto) -> Moto:
    """Count the groups against their limit.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAccountLimits.html
    """
    groups = len(self.autoscaling_backend.autoscaling_groups)
    return ActionResult(
        {"MaxNumberOfAutoScalingGroups": GROUP_LIMIT, "NumberOfAutoScalingGroups": groups}
    )
