"""A stack in memory that can be cut over: everything takes its time, and anybody may be broken."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from provision.canary import CanaryError
from provision.core.cutover import CutoverFacts
from provision.core.group import IN_SERVICE, GroupFacts, InstanceFacts
from provision.spec.blueprint import Consumer, Sizes

EMPTY = GroupFacts("files-workers", 0, 0, 0, "1")
WORKER = InstanceFacts("i-1", "us-east-2a", "InService", "Healthy", "t3.small", "1")
STAFFED = GroupFacts("files-workers", 1, 1, 2, "1", (WORKER,))


LEAVING = "Terminating:Wait"


class CutError(Exception):
    """The run ends here."""


@dataclass
class StackTwin:
    """Hands over a stack that is only values. Every `settles` looks a change has come to its end.

    `broken` consumers take messages and move nothing. The run is cut at call number `cut_at`,
    before or (`after`) once it had its effect. `gaps` notes every call after which nobody consumed.
    """

    group: GroupFacts | None = STAFFED
    mapping: str = "Disabled"
    declared: Consumer = Consumer.EC2
    broken: frozenset[Consumer] = frozenset()
    settles: int = 2
    cut_at: int = 0
    after: bool = False
    calls: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    _ticks: int = 0

    def look(self) -> CutoverFacts:
        """Let things go on a little, and tell how they are."""
        self._call("look")
        self._ticks += 1
        if self._ticks % self.settles == 0:
            self._settle()
        self._note("look")
        return CutoverFacts(self.declared, self.mapping, self.group)

    def switch(self, *, enabled: bool) -> None:
        """Begin to turn the mapping."""
        name = f"switch {'on' if enabled else 'off'}"
        self._call(name)
        assert self.mapping in {"Enabled", "Disabled"}, "ResourceInUseException"
        self.mapping = "Enabling" if enabled else "Disabling"
        self._note(name)

    def declare(self, consumer: Consumer) -> None:
        """Note it."""
        self._call(f"declare {consumer}")
        self.declared = consumer
        self._note("declare")

    def resize(self, sizes: Sizes) -> None:
        """Begin to launch, or to drain."""
        self._call(f"resize {sizes.desired}")
        assert self.group is not None
        self.group = replace(
            self.group, minimum=sizes.minimum, desired=sizes.desired, maximum=sizes.maximum
        )
        self._note("resize")

    def prove(self, consumer: Consumer) -> str:
        """Fail for one that is broken, or does not consume."""
        self._call(f"prove {consumer}")
        if consumer in self.broken or consumer not in self.consumers:
            raise CanaryError("none was taken", "look at its log")
        self._note("prove")
        return "took a canary"

    def prove_whole(self) -> str:
        """Fail where nobody who consumes is well."""
        self._call("prove whole")
        if not self.consumers - self.broken:
            raise CanaryError("it did not arrive", "look")
        self._note("prove whole")
        return "arrived"

    @property
    def consumers(self) -> frozenset[Consumer]:
        """Who takes messages."""
        found = set[Consumer]()
        if self.group is not None and self.group.in_service:
            found.add(Consumer.EC2)
        if self.mapping == "Enabled":
            found.add(Consumer.LAMBDA)
        return frozenset(found)

    def _settle(self) -> None:
        ends = {"Enabling": "Enabled", "Disabling": "Disabled"}
        self.mapping = ends.get(self.mapping, self.mapping)
        if self.group is not None:
            self.group = replace(self.group, instances=tuple(self._instances(self.group)))

    def _instances(self, group: GroupFacts) -> Iterator[InstanceFacts]:
        """Yield each instance one state further; the group launches, or lets the last ones go."""
        staying = [each for each in group.instances if each.lifecycle_state != LEAVING]
        for position, each in enumerate(staying):
            yield replace(each, lifecycle_state=IN_SERVICE if position < group.desired else LEAVING)
        for number in range(len(staying), group.desired):
            yield replace(WORKER, id=f"i-{self._ticks}-{number}", lifecycle_state="Pending")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) == self.cut_at and not self.after:
            raise CutError(name)

    def _note(self, name: str) -> None:
        if not self.consumers:
            self.gaps.append(f"{len(self.calls)}: {name}")
        if len(self.calls) == self.cut_at and self.after:
            raise CutError(name)
