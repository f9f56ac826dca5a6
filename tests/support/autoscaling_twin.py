"""An Auto Scaling group in memory, with the termination hooks' real semantics on a given clock."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from worker.aws.autoscaling import AutoScalingUnavailable, GroupMember


@dataclass
class HeldBy:
    """A hook that holds the instance until it is completed, or its time without heartbeat ends."""

    hook_name: str
    timeout_seconds: float
    until: float


@dataclass
class AutoScalingTwin:
    """One group's view of one instance.

    `lag` counts completions that answer "no active action" though the instance waits already;
    `failures` counts calls that fail first; `calls` tells every call that reached the group.
    """

    clock: Callable[[], float]
    member: GroupMember | None
    holds: list[HeldBy] = field(default_factory=list)
    lag: int = 0
    failures: int = 0
    calls: list[tuple[str, float]] = field(default_factory=list)

    def terminate(self, *hook_names: str, timeout_seconds: float = 30) -> None:
        """Begin the termination: the instance waits for its hooks, or goes on without any."""
        assert self.member
        until = self.clock() + timeout_seconds
        self.holds = [HeldBy(name, timeout_seconds, until) for name in hook_names]
        state = "Terminating:Wait" if hook_names else "Terminating:Proceed"
        self.member = replace(self.member, lifecycle_state=state)

    def is_held(self) -> bool:
        """Let the hooks go whose time has ended; tell whether any still holds the instance."""
        self.holds = [held for held in self.holds if held.until > self.clock()]
        waiting = self.member and self.member.lifecycle_state == "Terminating:Wait"
        if self.member and waiting and not self.holds:
            self.member = replace(self.member, lifecycle_state="Terminating:Proceed")
        return bool(self.holds)

    def find_member(self, instance_id: str) -> GroupMember | None:
        """Describe the instance."""
        self._called("find")
        found = self.member
        return found if found and found.instance_id == instance_id else None

    def record_lifecycle_action_heartbeat(self, member: GroupMember, hook_name: str) -> bool:
        """Begin the hook's time again."""
        self._called("heartbeat")
        held = self._held_by(member, hook_name)
        if held:
            held.until = self.clock() + held.timeout_seconds
        return held is not None

    def complete_lifecycle_action(self, member: GroupMember, hook_name: str) -> bool:
        """Let the hook go."""
        self._called("complete")
        held = self._held_by(member, hook_name)
        if held is None or self.lag > 0:
            self.lag -= 1
            return False
        self.holds.remove(held)
        return True

    def count(self, call: str) -> int:
        """Return how often a call was made."""
        return [name for name, _ in self.calls].count(call)

    def _called(self, name: str) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise AutoScalingUnavailable(f"{name}: Throttling")
        self.calls.append((name, self.clock()))
        self.is_held()

    def _held_by(self, member: GroupMember, hook_name: str) -> HeldBy | None:
        if self.member is None or member.group != self.member.group:
            return None
        return next((held for held in self.holds if held.hook_name == hook_name), None)
