"""An Auto Scaling group of the embedded AWS, as tests look at it."""

from dataclasses import dataclass
from typing import Any

from worker.demo.embedded.clock import Clock

Client = Any
"""A boto3 client."""


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group that a test made, with a template of the same name."""

    name: str
    client: Client
    ec2: Client
    clock: Clock

    def describe(self) -> dict[str, Any]:
        """Describe the group."""
        found = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        group: dict[str, Any] = found["AutoScalingGroups"][0]
        return group

    def members(self) -> dict[str, str]:
        """Tell the lifecycle state of each member, by its id, the oldest first."""
        return {each["InstanceId"]: each["LifecycleState"] for each in self.describe()["Instances"]}

    def states(self) -> list[str]:
        """Tell the members' lifecycle states."""
        return list(self.members().values())

    def activities(self) -> list[dict[str, Any]]:
        """Tell the group's activities, the newest first."""
        found: list[dict[str, Any]] = self.client.describe_scaling_activities(
            AutoScalingGroupName=self.name, IncludeDeletedGroups=True
        )["Activities"]
        return found

    def wait(self, seconds: float = 20) -> None:
        """Let so much time pass, and look."""
        self.clock.advance(seconds)
        self.describe()

    def version(self, **data: object) -> str:
        """Make a new version of the template; give its number."""
        made = self.ec2.create_launch_template_version(
            LaunchTemplateName=self.name, SourceVersion="1", LaunchTemplateData=data
        )
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def configuration(self, version: str) -> dict[str, Any]:
        """Name a version as StartInstanceRefresh's DesiredConfiguration does."""
        return {"LaunchTemplate": {"LaunchTemplateName": self.name, "Version": version}}
