"""A group's instance refreshes: start, look, turn back."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from provision.aws.calls import instead_of
from provision.aws.group_facts import template_of
from provision.core.refresh import Refresh
from provision.errors import PartialError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import DesiredConfigurationTypeDef

BAKE_SECONDS: Final = 300
"""All instances are new by then, and the refresh can still be rolled back: time for a canary."""

ALARM_LIMIT: Final = 10
"""The most alarms that watch over a refresh.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AlarmSpecification.html
"""


class GroupRefreshes:
    """The refreshes of one group. All raise ClientError."""

    def __init__(self, autoscaling: "AutoScalingClient", group: str) -> None:
        self._autoscaling = autoscaling
        self._group = group

    def latest(self) -> Refresh | None:
        """Return the newest, None if there never was one."""
        answer = self._autoscaling.describe_instance_refreshes(
            AutoScalingGroupName=self._group, MaxRecords=1
        )
        found = answer["InstanceRefreshes"]
        return _read(found[0]) if found else None

    def find(self, refresh_id: str) -> Refresh:
        """Return one by its id; PartialError if AWS knows no such."""
        answer = self._autoscaling.describe_instance_refreshes(
            AutoScalingGroupName=self._group, InstanceRefreshIds=[refresh_id]
        )
        for each in answer["InstanceRefreshes"]:
            return _read(each)
        raise PartialError(
            f"AWS does not know the refresh {refresh_id} (yet, or any more)",
            "`provision status` shows the newest; `provision rollout` goes on with it",
        )

    def start(
        self, configuration: "DesiredConfigurationTypeDef", alarms: Sequence[str]
    ) -> str | None:
        """Replace every instance by one of this configuration; return the refresh's id.

        None: one is under way already, somebody's or, if an answer was lost, this very one.

        The configuration goes with the refresh, and becomes the group's own only when all is well
        (rule 26); one that works is never taken before its successor works (rule 27).
        """
        # AWS takes one alarm or more: with all of them ringing already, there is none to name.
        watched: Any = {"AlarmSpecification": {"Alarms": list(alarms[:ALARM_LIMIT])}}
        answer = instead_of(
            lambda: self._autoscaling.start_instance_refresh(
                AutoScalingGroupName=self._group,
                Strategy="Rolling",
                DesiredConfiguration=configuration,
                Preferences={
                    "MinHealthyPercentage": 100,
                    "MaxHealthyPercentage": 200,
                    "SkipMatching": True,
                    "AutoRollback": True,
                    "BakeTime": BAKE_SECONDS,
                    # Not "Wait", which stalls for an hour and then fails (rule 28).
                    "ScaleInProtectedInstances": "Refresh",
                    "StandbyInstances": "Ignore",
                    **(watched if alarms else {}),
                },
            ),
            {"InstanceRefreshInProgress": None},
        )
        return answer["InstanceRefreshId"] if answer else None

    def roll_back(self) -> None:
        """Turn the refresh that is under way back; one that goes back already goes on."""
        try:
            self._autoscaling.rollback_instance_refresh(AutoScalingGroupName=self._group)
        except ClientError:
            # The first request may have had no answer: then it goes back, or is back already.
            latest = self.latest()
            if latest is None or not latest.status.startswith("Rollback"):
                raise


def _read(refresh: Mapping[str, Any]) -> Refresh:
    return Refresh(
        id=refresh["InstanceRefreshId"],
        status=refresh["Status"],
        version=str(template_of(refresh.get("DesiredConfiguration", {})).get("Version", "")),
        percent=refresh.get("PercentageComplete", 0),
        to_update=refresh.get("InstancesToUpdate", 0),
        reason=refresh.get("StatusReason", ""),
    )
