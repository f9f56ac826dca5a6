"""Instance refreshes of the embedded AWS, as tests start and watch them."""

from typing import Any

from support.groups import Group

SAFE = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}
"""Rule 27."""


def start(group: Group, version: str = "2", **preferences: object) -> str:
    """Start a refresh to a version; give its id."""
    refresh_id: str = group.client.start_instance_refresh(
        AutoScalingGroupName=group.name,
        DesiredConfiguration=group.configuration(version),
        Preferences={**SAFE, **preferences},
    )["InstanceRefreshId"]
    return refresh_id


def told(group: Group) -> dict[str, Any]:
    """Tell of the newest refresh."""
    found = group.client.describe_instance_refreshes(AutoScalingGroupName=group.name)
    newest: dict[str, Any] = found["InstanceRefreshes"][0]
    return newest


def status(group: Group) -> str:
    """Tell its status."""
    found: str = told(group)["Status"]
    return found


def versions(group: Group) -> list[str]:
    """Tell the versions of the members in service."""
    return [
        each["LaunchTemplate"]["Version"]
        for each in group.describe()["Instances"]
        if each["LifecycleState"] == "InService"
    ]
