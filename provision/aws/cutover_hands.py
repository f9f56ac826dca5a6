"""What a cutover does in AWS: the mapping's switch, the group's sizes, canaries' traces in logs."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from provision.aws.calls import unless_gone
from provision.aws.consumer import read_consumer, write_consumer
from provision.aws.patience import Patience
from provision.aws.services import service_states
from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.canary import CORNER, Canaries, CanaryError
from provision.core.cutover import CutoverFacts
from provision.core.status import ActivityFacts, named
from provision.resources.mapping import find_mapping
from provision.spec.blueprint import Blueprint, Consumer, Sizes

FLOCK: Final = 10
"""Canaries at a time: with both consuming, each is taken by either."""

FLOCKS: Final = 3
FLIGHT_SECONDS: Final = 120.0

TRACE_SECONDS: Final = 30.0
"""Until a line is in CloudWatch Logs: Lambda sends it within seconds, the agent every five."""

LOOK_SECONDS: Final = 1.0

RECENT: Final = timedelta(minutes=10)
AUDITED_LEVELS: Final = frozenset({"debug", "info"})
"""At which the worker writes a line an object; above these, any line of a consumer must do."""


@dataclass(frozen=True, slots=True)
class CutoverHands:
    """Works on one stack. `say` hears why AWS is waited for; `sleep` and `clock` in seconds.

    Canaries fly in flocks of so many; one may fly for `flight_seconds`, and its line in a log may
    take `trace_seconds`.
    """

    aws: Aws
    blueprint: Blueprint
    canaries: Canaries
    say: Callable[[str], None]
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    flock: int = FLOCK
    flight_seconds: float = FLIGHT_SECONDS
    trace_seconds: float = TRACE_SECONDS

    def look(self) -> CutoverFacts:
        """Return what is there at this moment."""
        observer = Observer(self.aws, self.blueprint)
        twin, group = observer.twin(), observer.group()
        refresh = observer.refresh() if group else None
        failed = [each for each in observer.activities() if each.failed] if group else []
        return CutoverFacts(
            declared=read_consumer(self.aws.sqs, self.blueprint.names.queue),
            mapping=twin.mapping_state if twin else "",
            group=group,
            refreshing=refresh is not None and refresh.under_way,
            trouble=_trouble(failed),
        )

    def switch(self, *, enabled: bool) -> None:
        """Turn the mapping on or off; a change that is under way is waited for (rule 47)."""
        names = self.blueprint.names
        found = find_mapping(self.aws.lambda_, names.queue_arn, names.function) or {}
        self._patience().call(
            lambda: self.aws.lambda_.update_event_source_mapping(
                UUID=found.get("UUID", ""), Enabled=enabled
            )
        )

    def declare(self, consumer: Consumer) -> None:
        """Write the queue's tag."""
        write_consumer(self.aws.sqs, self.blueprint.names.queue, consumer)

    def resize(self, sizes: Sizes) -> None:
        """Set the group's sizes in one call, the desired one as well (rule 39)."""
        self._patience().call(
            lambda: self.aws.autoscaling.update_auto_scaling_group(
                AutoScalingGroupName=self.blueprint.names.group,
                MinSize=sizes.minimum,
                DesiredCapacity=sizes.desired,
                MaxSize=sizes.maximum,
            )
        )

    def prove(self, consumer: Consumer) -> str:
        """Send canaries until the consumer took one, by its log; for EC2 the service may do."""
        for _ in range(FLOCKS):
            since = datetime.now(UTC)
            flight = self.canaries.flock(self.flock, self.flight_seconds)
            if self._was_taken(consumer, flight.names, since):
                return f"{named(consumer)} took a canary"
        if consumer is Consumer.EC2:
            return self._service_is_active()
        group = self.blueprint.names.function_log_group
        raise CanaryError(
            f"of {self.flock * FLOCKS} canaries none was taken by {named(consumer)}",
            f"its log group {group} says why; `provision cutover {consumer}` tries again",
        )

    def prove_whole(self) -> str:
        """Send one canary from end to end."""
        return f"a canary arrived in {self.canaries.fly(self.flight_seconds):.1f} s, byte for byte"

    def _was_taken(self, consumer: Consumer, names: Collection[str], since: datetime) -> bool:
        until = self.clock() + self.trace_seconds
        while not self._has_trace(consumer, names, since):
            if self.clock() > until:
                return False
            self.sleep(LOOK_SECONDS)
        return True

    def _has_trace(self, consumer: Consumer, names: Collection[str], since: datetime) -> bool:
        """Say whether the consumer's log names one of the canaries."""
        of = self.blueprint.names
        group = of.function_log_group if consumer is Consumer.LAMBDA else of.worker_log_group
        audited = self.blueprint.stack.worker.log_level in AUDITED_LEVELS
        found = unless_gone(
            lambda: [
                each.get("message", "")
                for page in self.aws.logs.get_paginator("filter_log_events").paginate(
                    logGroupName=group,
                    startTime=int(since.timestamp() * 1000),
                    filterPattern=f'"{CORNER}"' if audited else "",
                )
                for each in page["events"]
            ]
        )
        return any(not audited or name in line for line in found or () for name in names)

    def _service_is_active(self) -> str:
        """Ask the service on every instance, where the log did not tell; raises CanaryError."""
        group = Observer(self.aws, self.blueprint).group()
        ids = [each.id for each in group.in_service] if group else []
        states = service_states(self.aws.ssm, ids, self.sleep)
        bad = {instance: state for instance, state in states.items() if state != "active"}
        if bad:
            instance, state = next(iter(bad.items()))
            session = f"`aws ssm start-session --target {instance}`"
            raise CanaryError(
                f"the service on {instance} is {state}",
                f"{session}, then `journalctl -u s3-event-worker`",
            )
        if states:
            return "the service is active on the instances (no log of theirs names a canary)"
        return "no log and no Systems Manager tells of the instances: the last canary will"

    def _patience(self) -> Patience:
        return Patience(self.sleep, lambda why, seconds: self.say(f"waiting {seconds:g} s: {why}"))


def _trouble(failed: Sequence[ActivityFacts]) -> str:
    recent = [each for each in failed if datetime.now(UTC) - each.started < RECENT]
    return recent[0].message or recent[0].description if recent else ""
