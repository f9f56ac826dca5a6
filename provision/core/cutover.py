"""From one consumer to the other: what comes next, from what is seen. Pure.

There is always a consumer: the incoming one is on and proven before the outgoing one is drained.
Every answer follows from what AWS shows at this moment, so a cutover that was cut off anywhere is
gone on with by the same command, or turned back by the opposite one.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from provision.core.group import GroupFacts
from provision.spec.blueprint import Consumer, Sizes

NONE: Final = Sizes(0, 0, 0)
"""An empty group that no scaler can fill."""

MAPPING_SECONDS: Final = 180.0
"""A mapping changes within about a minute (rule 47)."""

LAUNCH_SECONDS: Final = 900.0
"""An instance boots within a few minutes; a second try of the group is waited for as well."""

TERMINATE_SECONDS: Final = 300.0
"""After its drain an instance shuts down, and leaves the group."""


@dataclass(frozen=True, slots=True)
class CutoverFacts:
    """What decides. `mapping` is its State, "" for none; `trouble` a launch that failed of late."""

    declared: Consumer
    mapping: str
    group: GroupFacts | None
    refreshing: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What this run has shown already."""

    incoming: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """It cannot go on; nothing was changed by this answer."""

    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again, for `seconds` at most in all for one `kind` of thing; `what` is for people."""

    kind: str
    what: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Switch:
    """Turn the function's mapping on or off."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class Declare:
    """Write down who is to consume, so that `plan` and `apply` know."""

    consumer: Consumer


@dataclass(frozen=True, slots=True)
class Resize:
    """Give the group its sizes; instances that it loses are drained through the hook."""

    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Prove:
    """Show that this consumer takes messages, while the other one does as well."""

    consumer: Consumer


@dataclass(frozen=True, slots=True)
class ProveWhole:
    """Send a canary from end to end: the other consumer is gone by now."""


@dataclass(frozen=True, slots=True)
class Done:
    """The cutover is complete."""


Step: TypeAlias = Blocked | Wait | Switch | Declare | Resize | Prove | ProveWhole | Done


@dataclass(frozen=True, slots=True)
class Cutover:
    """One cutover: to whom, the sizes of the stack file, and how long a drain may take."""

    target: Consumer
    sizes: Sizes
    drain_seconds: float

    def next_step(self, facts: CutoverFacts, proofs: Proofs) -> Step:
        """Return what to do now."""
        if facts.refreshing:
            return Blocked(
                "an instance refresh is under way", "`provision status --watch` shows its end"
            )
        if self.target is Consumer.LAMBDA:
            return self._to_lambda(facts, proofs)
        return self._to_ec2(facts, proofs)

    def _to_lambda(self, facts: CutoverFacts, proofs: Proofs) -> Step:
        group = facts.group
        if not facts.mapping:
            return Blocked("there is no function to cut over to", "see [lambda], `provision apply`")
        if facts.mapping != "Enabled":
            return _switched(facts.mapping, on=True)
        if facts.declared is not Consumer.LAMBDA:
            return Declare(self.target) if proofs.incoming else Prove(self.target)
        if group is not None and (group.minimum, group.desired, group.maximum) != (0, 0, 0):
            return Resize(NONE)
        if group is not None and group.instances:
            seconds = self.drain_seconds + TERMINATE_SECONDS
            return Wait("drain", f"{_listed(group)} to finish and leave", seconds)
        return Done() if proofs.whole else ProveWhole()

    def _to_ec2(self, facts: CutoverFacts, proofs: Proofs) -> Step:
        group = facts.group
        if group is None:
            return Blocked(
                "there is no group to cut over to",
                "it needs an AMI: `provision ami bake`, then `provision apply`",
            )
        if facts.declared is not Consumer.EC2:
            return Declare(self.target)
        if _is_other(group, self.sizes):
            return Resize(self._sizes_from(group))
        wanted = max(1, min(group.desired, self.sizes.desired))
        if len(group.in_service) < wanted:
            told = f"; {facts.trouble}" if facts.trouble else ""
            in_service = f"{len(group.in_service)} of {wanted} instances in service"
            return Wait("launch", f"{in_service}{told}", LAUNCH_SECONDS)
        if facts.mapping in {"Enabled", "Updating"} and not proofs.incoming:
            return Prove(self.target)
        if facts.mapping not in {"Disabled", ""}:
            return _switched(facts.mapping, on=False)
        return Done() if proofs.whole else ProveWhole()

    def _sizes_from(self, group: GroupFacts) -> Sizes:
        """Return the file's sizes; more instances, where the scaler wanted them, stay."""
        desired = min(max(1, self.sizes.desired, group.desired), self.sizes.maximum)
        return Sizes(self.sizes.minimum, desired, self.sizes.maximum)


def _is_other(group: GroupFacts, sizes: Sizes) -> bool:
    bounds = (group.minimum, group.maximum) != (sizes.minimum, sizes.maximum)
    return bounds or group.desired < 1


def _switched(mapping: str, *, on: bool) -> Step:
    """Return the switch of a mapping that rests, or the wait for one that changes (rule 47)."""
    if mapping in {"Enabled", "Disabled"}:
        return Switch(enabled=on)
    return Wait("mapping", f"the mapping to settle ({mapping})", MAPPING_SECONDS)


def _listed(group: GroupFacts) -> str:
    return ", ".join(f"{each.id} ({each.lifecycle_state})" for each in group.instances)
