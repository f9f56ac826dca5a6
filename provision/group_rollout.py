"""A group's instances are made what a template version says: forwards, back, and back by itself.

A version that failed is not tried again by the next apply: the template's default goes back with
the instances, and the AMI is marked as withdrawn, so that `latest` passes it over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from provision.aws.alarms import alarm_states, ringing, silent
from provision.aws.group_facts import group_facts
from provision.aws.images import stack_images
from provision.aws.refresh import GroupRefreshes
from provision.aws.session import Aws
from provision.aws.waiting import Pause
from provision.core.finding import Finding, failures
from provision.core.group import GroupFacts
from provision.core.image import WITHDRAWN_TAG
from provision.core.refresh import TURNED_BACK, Refresh, judge_end, judge_start
from provision.errors import ProvisionError, RefusedError
from provision.resources.group import MIXED, TEMPLATE, mixed_policy
from provision.resources.launch_template import LaunchTemplateProvider
from provision.rollout import (
    Canary,
    RefreshCancelledError,
    RolloutError,
    Target,
    follow_back,
    must_be_ours,
    no_canary,
    roll_out,
)
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import DesiredConfigurationTypeDef

NO_GROUP_HINT = "`provision apply` makes the stack, once there is an AMI"


@dataclass(frozen=True, slots=True)
class GroupRollout:
    """The rollouts of one stack's group. All raise ClientError and ProvisionError."""

    aws: Aws
    blueprint: Blueprint
    pause: Pause
    canary: Canary = no_canary

    def facts(self) -> GroupFacts:
        """Return the group as it is; raises RefusedError if there is none."""
        name = self.blueprint.names.group
        found = group_facts(self.aws.autoscaling, self.aws.ec2, name)
        if found is None:
            raise RefusedError(f"there is no group {name}", NO_GROUP_HINT)
        return found

    def findings(self) -> tuple[Finding, ...]:
        """Return what speaks against a rollout now."""
        facts, latest, declared = self.facts(), self._refreshes().latest(), self._declared()
        left = judge_end(facts, latest, str(declared))
        return (*left, *judge_start(facts, ringing(self._alarms())))

    def to_version(self, version: int) -> None:
        """Have every instance be of this version; with none there, the group alone changes.

        If that fails, instances, template and `latest` are as before, as far as AWS let us.
        """
        facts = self._pinned(self.facts())
        if not facts.instances:
            self._set_group(version)
            return
        if wrong := failures(judge_start(facts, ())):
            raise RefusedError(f"{wrong[0].subject}: {wrong[0].detail}", wrong[0].hint)
        try:
            self._roll_out(version, self.canary)
        except RefreshCancelledError:
            raise
        except RolloutError as error:
            self._restore(facts.template_version, str(version), over=error.is_over)
            raise

    def back(self, version: int | None = None) -> int:
        """Turn back what is under way, else roll forward to an older version (rule 26).

        `version` None: the one before the group's own. Cut off, the same call goes on, and does not
        go further back. Returns the version that instances have now.
        """
        facts, latest, declared = self.facts(), self._refreshes().latest(), self._declared()
        if version is not None:
            self._must_have(version)
        if version is None and latest is not None and _is_a_rollout(latest, declared):
            if latest.status not in TURNED_BACK:
                self._refreshes().roll_back()
            follow_back(self._refreshes(), latest.id, self.pause)
            self._settle_on(facts.template_version, latest.version)
            return int(facts.template_version)
        older = version or self._older(facts, latest, declared)
        if not facts.is_all_of(str(older)):
            GroupRollout(self.aws, self.blueprint, self.pause).to_version(older)
        left = facts.template_version if declared == older else str(declared)
        self._settle_on(str(older), left)
        return older

    def must_be_free(self, version: int | None) -> None:
        """Raise ProvisionError while a refresh to another version is under way; None: to any."""
        found = self._refreshes().latest()
        if found is not None and found.under_way:
            must_be_ours(found, str(version or ""))

    def configuration(self, version: int) -> "DesiredConfigurationTypeDef":
        """Return what the group is told: always a version's number (rule 25)."""
        named = {
            "LaunchTemplateName": self.blueprint.names.launch_template,
            "Version": str(version),
        }
        configuration = _configuration(named, mixed_policy(self.blueprint))
        return cast("DesiredConfigurationTypeDef", configuration)

    def _roll_out(self, version: int, canary: Canary) -> None:
        roll_out(
            self._refreshes(),
            Target(str(version), self.configuration(version)),
            alarms=silent(self._alarms()),
            pause=self.pause,
            canary=canary,
        )

    def _restore(self, before: str, failed: str, *, over: bool) -> None:
        """Go back to what there was; a refresh that is over is rolled forward to it (rule 26)."""
        if before == failed or not before.isdigit():
            return
        if over:
            self._roll_out(int(before), no_canary)
        self._settle_on(before, failed)

    def _settle_on(self, kept: str, left: str) -> None:
        """Withdraw the AMI that was left, and then make the kept version the template's default.

        The default last: until then the same call, cut off, knows where it was going.
        """
        template = self.blueprint.names.launch_template
        bad = self._templates().version(template, left).get("ImageId") if left else None
        if bad and bad != self._templates().version(template, kept).get("ImageId"):
            self._withdraw(str(bad))
        self._templates().make_default(template, int(kept))

    def _withdraw(self, image: str) -> None:
        """Have `latest` pass an AMI over, if it is the stack's."""
        ours = {each.image.id for each in stack_images(self.aws.ec2, self.blueprint.stack.name)}
        if image in ours:
            told = datetime.now(UTC).isoformat(timespec="seconds")
            self.aws.ec2.create_tags(
                Resources=[image], Tags=[{"Key": WITHDRAWN_TAG, "Value": told}]
            )

    def _declared(self) -> int:
        """Return the template's default: what a rollout sets first, and a rollback last."""
        return self._templates().default_of(self.blueprint.names.launch_template)

    def _older(self, facts: GroupFacts, latest: Refresh | None, declared: int) -> int:
        """Return the version to go back to; where that was begun already, the same as then."""
        if latest is not None and latest.under_way:
            return int(latest.version)
        own = facts.template_version
        # The default runs ahead of the group until a rollout is whole, or while one is taken back.
        tried = latest is not None and latest.version == str(declared) != own
        if own.isdigit() and (tried or declared > int(own)):
            return int(own)
        return self._before(own)

    def _pinned(self, facts: GroupFacts) -> GroupFacts:
        """Give the group a version's number, where somebody wrote $Latest or $Default (rule 25).

        It is the instances' own: without a number no refresh could be turned back to them.
        """
        named = facts.template_version
        if not named.startswith("$"):
            return facts
        numbers = [int(e.template_version) for e in facts.instances if e.template_version.isdigit()]
        template = self.blueprint.names.launch_template
        self._set_group(max(numbers, default=0) or self._templates().number_behind(template, named))
        return self.facts()

    def _numbers(self) -> list[int]:
        template = self.blueprint.names.launch_template
        return [int(each["VersionNumber"]) for each in self._templates().versions(template)]

    def _must_have(self, version: int) -> None:
        numbers = self._numbers()
        if version not in numbers:
            there = ", ".join(map(str, sorted(numbers)))
            raise RefusedError(f"the template has no version {version}", f"there are {there}")

    def _before(self, version: str) -> int:
        older = [
            number for number in self._numbers() if version.isdigit() and number < int(version)
        ]
        if not older:
            raise ProvisionError(
                f"the template has no version before {version}",
                "`provision rollout --ami ami-…` goes to an AMI of your choice",
            )
        return max(older)

    def _set_group(self, version: int) -> None:
        self.aws.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=self.blueprint.names.group,
            **cast("Any", self.configuration(version)),
        )

    def _alarms(self) -> Mapping[str, str]:
        return alarm_states(self.aws.cloudwatch, self.blueprint)

    def _refreshes(self) -> GroupRefreshes:
        return GroupRefreshes(self.aws.autoscaling, self.blueprint.names.group)

    def _templates(self) -> LaunchTemplateProvider:
        return LaunchTemplateProvider(self.aws.ec2, self.aws.autoscaling, self.blueprint)


def _is_a_rollout(refresh: Refresh, declared: int) -> bool:
    """Say whether a refresh is under way that a rollback turns back, and does not go on with."""
    rolls_back = refresh.version.isdigit() and int(refresh.version) != declared
    return refresh.under_way and (refresh.status in TURNED_BACK or not rolls_back)


def _configuration(named: Mapping[str, str], mixed: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if mixed is None:
        return {TEMPLATE: named}
    return {
        MIXED: {
            TEMPLATE: {
                "LaunchTemplateSpecification": named,
                "Overrides": [{"InstanceType": each} for each in mixed["InstanceTypes"]],
            },
            "InstancesDistribution": {
                name: value for name, value in mixed.items() if name != "InstanceTypes"
            },
        }
    }
