"""Asks systemd on each instance for the worker's state, through Systems Manager."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from provision.aws.calls import unless_gone

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

SERVICE: Final = "s3-event-worker.service"
ASK: Final = f"systemctl is-active {SERVICE}"
POLL_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 30
"""An agent that is there answers within a few seconds."""

NOT_YET: Final = frozenset({"InvocationDoesNotExist"})
"""SendCommand's answer comes before the command is known everywhere."""

UNDER_WAY: Final = frozenset({"Pending", "InProgress", "Delayed"})


def service_states(
    ssm: "SSMClient", instances: Sequence[str], sleep: Callable[[float], None]
) -> dict[str, str]:
    """Return what `systemctl is-active` says, by instance; those not reached are missing.

    Systems Manager itself may be out of reach (no permission, no agent): then the answer is empty.
    """
    try:
        managed = _managed(ssm, instances)
        asked = {
            instance: ssm.send_command(
                InstanceIds=[instance],
                DocumentName="AWS-RunShellScript",
                Parameters={"commands": [ASK]},
            )["Command"]["CommandId"]
            for instance in managed
        }
        answers = {each: _answer(ssm, each, asked[each], sleep) for each in asked}
    except ClientError:
        return {}
    return {instance: told for instance, told in answers.items() if told}


def _managed(ssm: "SSMClient", instances: Sequence[str]) -> list[str]:
    if not instances:
        return []
    listed = ssm.describe_instance_information(
        Filters=[{"Key": "InstanceIds", "Values": list(instances)}]
    )
    return [
        each["InstanceId"]
        for each in listed["InstanceInformationList"]
        if each.get("PingStatus", "Online") == "Online"
    ]


def _answer(ssm: "SSMClient", instance: str, command: str, sleep: Callable[[float], None]) -> str:
    for _ in range(ANSWER_SECONDS):
        sleep(POLL_SECONDS)
        told = unless_gone(
            lambda: ssm.get_command_invocation(CommandId=command, InstanceId=instance), NOT_YET
        )
        if told and told["Status"] not in UNDER_WAY:
            return told.get("StandardOutputContent", "").strip()
    return ""
