"""What AWS said when it refused, as values."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")
R = TypeVar("R")

GONE_CODES = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "404",
        "NoSuchBucket",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "InvalidLaunchTemplateName.NotFoundException",
        "InvalidGroup.NotFound",
        "InvalidAMIID.NotFound",
    }
)
"""How AWS's services say that something is not there."""


def code_of(error: ClientError) -> str:
    """Return AWS's error code, such as NoSuchBucket."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return AWS's own words."""
    return str(error.response.get("Error", {}).get("Message", ""))


def unless_gone(call: Callable[[], T], codes: Collection[str] = GONE_CODES) -> T | None:
    """Return what the call returns, or None if AWS says that the thing is not there."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) in codes:
            return None
        raise


def instead_of(call: Callable[[], T], answers: Mapping[str, R]) -> T | R:
    """Return what the call returns, or what stands in `answers` for AWS's error code."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) in answers:
            return answers[code_of(error)]
        raise


def words_of_refusal(call: Callable[[], object], code: str) -> str:
    """Return AWS's words if it refuses the call with this code, empty if it does as it is told."""
    try:
        call()
    except ClientError as error:
        if code_of(error) != code:
            raise
        return message_of(error) or code
    return ""
