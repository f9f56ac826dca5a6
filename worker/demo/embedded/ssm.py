"""Systems Manager's Run Command, over a shell on each machine that the test or the lab brings."""

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from moto.core.responses import ActionResult
from moto.ssm.exceptions import SSMException
from moto.ssm.responses import SimpleSystemManagerResponse

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

LONGEST_OUTPUT: Final = 24_000
"""Characters of stdout, and of stderr, that GetCommandInvocation tells."""
_SCRIPT: Final = "AWS-RunShellScript"
_PLUGIN: Final = "aws:runShellScript"

Handler = Callable[..., Moto]


class Shell(Protocol):
    """Runs commands on instances; stands for the agents that are connected."""

    def instances(self) -> Collection[str]:
        """Name the instances whose agent is online."""

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Run the lines of a script; return exit status, stdout and stderr."""


class NoShell:
    """No instance has an agent."""

    def instances(self) -> Collection[str]:
        """Name none."""
        return ()

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Refuse: nobody may ask for what is not there."""
        raise LookupError(f"{instance_id} has no agent to run {list(commands)}")


@dataclass(slots=True)
class Invocation:
    """A command on one instance: it has run, and is told as under way once."""

    command_id: str
    instance_id: str
    exit_status: int
    stdout: str
    stderr: str
    was_looked_at: bool = False

    def told(self) -> dict[str, Moto]:
        """Give it as GetCommandInvocation does."""
        done = self.was_looked_at
        self.was_looked_at = True
        ended = "Failed" if self.exit_status else "Success"
        return {
            "CommandId": self.command_id,
            "InstanceId": self.instance_id,
            "DocumentName": _SCRIPT,
            "PluginName": _PLUGIN,
            "ResponseCode": self.exit_status if done else -1,
            "Status": ended if done else "InProgress",
            "StatusDetails": ended if done else "InProgress",
            "StandardOutputContent": self.stdout[:LONGEST_OUTPUT] if done else "",
            "StandardErrorContent": self.stderr[:LONGEST_OUTPUT] if done else "",
        }


def correct(layer: "Layer") -> None:
    """Answer by the layer's shell."""
    patches = layer.patches
    kept: dict[tuple[str, str], Invocation] = {}
    answers = SimpleSystemManagerResponse
    patches.replace(answers, "describe_instance_information", agents_are_listed(layer))
    patches.replace(answers, "send_command", command_is_sent(layer, kept))
    patches.replace(answers, "get_command_invocation", invocation_is_told(kept))


def agents_are_listed(layer: "Layer") -> Handler:
    """List the instances whose agent is online; moto does not know the operation.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
    """

    def describe_instance_information(self: Moto) -> Moto:
        asked = [
            set(each.get("Values") or each.get("valueSet") or [])
            for each in (self._get_param("Filters") or [])
            if each.get("Key") == "InstanceIds"
        ]
        found = [
            {
                "InstanceId": each,
                "PingStatus": "Online",
                "LastPingDateTime": datetime.fromtimestamp(layer.clock(), UTC),
                "PlatformType": "Linux",
                "ResourceType": "EC2Instance",
            }
            for each in sorted(layer.shell.instances())
            if all(each in wanted for wanted in asked)
        ]
        return ActionResult({"InstanceInformationList": found})

    return describe_instance_information


def command_is_sent(layer: "Layer", kept: dict[tuple[str, str], Invocation]) -> Handler:
    """Run a script on instances with an agent: InvalidInstanceId for any other; Pending at first.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
    """

    def send_command(self: Moto) -> Moto:
        instances, name = self._get_param("InstanceIds") or [], self._get_param("DocumentName")
        if name != _SCRIPT:
            raise SSMException("InvalidDocument", f"Document {name} does not exist")
        if not instances or not set(instances) <= set(layer.shell.instances()):
            message = f"Instances {list(instances)} not in a valid state for account"
            raise SSMException("InvalidInstanceId", message)
        script = (self._get_param("Parameters") or {}).get("commands") or []
        command = str(uuid.uuid4())
        for each in instances:
            kept[command, each] = Invocation(command, each, *layer.shell.run(each, script))
        told = {
            "CommandId": command,
            "DocumentName": name,
            "InstanceIds": list(instances),
            "Status": "Pending",
            "StatusDetails": "Pending",
            "TargetCount": len(instances),
        }
        return ActionResult({"Command": told})

    return send_command


def invocation_is_told(kept: dict[tuple[str, str], Invocation]) -> Handler:
    """Tell an invocation as InProgress at the first look, and how it ended at the next.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
    """

    def get_command_invocation(self: Moto) -> Moto:
        key = (self._get_param("CommandId"), self._get_param("InstanceId"))
        if key not in kept:
            raise SSMException("InvocationDoesNotExist", "The invocation does not exist")
        return ActionResult(kept[key].told())

    return get_command_invocation
