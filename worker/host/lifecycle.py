"""Watches what EC2 and the Auto Scaling group are about to do with this instance.

The instance metadata tells; a stop request carries it on; the group's hook holds the instance until
the drain is over. Off EC2 all of it is silent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import structlog

from worker.aws.autoscaling import AutoScalingUnavailable, GroupMember
from worker.aws.imds import ImdsUnavailable, SpotAction
from worker.host.stop import StopReason, StopRequest

log = structlog.get_logger()

T = TypeVar("T")

DEFAULT_HOOK_NAME = "s3-event-worker-drain"

POLL_SECONDS = 5.0
"""How often AWS asks us to look for a spot notice ("Spot Instance interruption notices")."""

FIRST_LOOKS = 3
"""Metadata that stays silent so often is not there; one lost answer at boot does not tell."""

HEARTBEAT_SECONDS = 10.0
"""A third of the shortest timeout a hook can have (30 s, rule 33): one beat may be lost."""

SPOT_MARGIN_SECONDS = 20.0
"""Before a spot instance goes: enough to acknowledge, log and close."""

COMPLETION_TRIES = 6
"""Of completing the hook, POLL_SECONDS apart: it has been seen to answer "No active Lifecycle
Action" though the instance waited already, and one try only leaves it waiting for an hour."""

COMPLETION_SECONDS = 30.0
"""The hook's completion never holds the process longer; the unit's TimeoutStopSec counts on it."""

TERMINATED_STATES = frozenset({"Terminated", "Warmed:Terminated"})
"""Target states that end the instance; Standby, Detached and Warmed:Stopped do not."""

PAST_WAITING_STATES = frozenset({"Terminating:Proceed", "Terminated", "Warmed:Terminated"})
"""Lifecycle states in which no hook of a termination can hold the instance any more."""

INTERRUPTING_ACTIONS = frozenset({"terminate", "stop"})
"""`hibernate` freezes us and wakes us again: leaving then would wake an instance with no worker."""


class Imds(Protocol):
    """What the watcher asks the metadata service; every call blocks, or raises ImdsUnavailable."""

    def instance_id(self) -> str:
        """Return this instance's id."""

    def target_lifecycle_state(self) -> str | None:
        """Return the state that the group is taking the instance to."""

    def spot_instance_action(self) -> SpotAction | None:
        """Return the announced interruption."""

    def rebalance_recommendation(self) -> datetime | None:
        """Return when a raised risk of interruption was seen."""


class AutoScaling(Protocol):
    """What the hook asks of Auto Scaling; every call blocks, or raises AutoScalingUnavailable."""

    def find_member(self, instance_id: str) -> GroupMember | None:
        """Return the instance in its group."""

    def record_lifecycle_action_heartbeat(self, member: GroupMember, hook_name: str) -> bool:
        """Prolong the hook; False: it does not hold the instance."""

    def complete_lifecycle_action(self, member: GroupMember, hook_name: str) -> bool:
        """End the hook with CONTINUE; False: it does not hold the instance."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the metadata says about this instance's future, at one time."""

    target_state: str | None = None
    spot: SpotAction | None = None
    rebalance_noticed: datetime | None = None

    @property
    def is_terminating(self) -> bool:
        """Whether the group is about to terminate the instance."""
        return self.target_state in TERMINATED_STATES


def reasons_to_stop(
    before: Outlook, now: Outlook, wall_now: float, drain_seconds: float
) -> Iterator[tuple[StopReason, float]]:
    """Yield each new reason to stop, and within how many seconds (negative: it is too late).

    `wall_now` is Unix time: notices name UTC times. What was known `before` is not told again.
    """
    spot = now.spot
    if spot and spot != before.spot and spot.action in INTERRUPTING_ACTIONS:
        yield (
            StopReason.SPOT_INTERRUPTION,
            spot.time.timestamp() - SPOT_MARGIN_SECONDS - wall_now,
        )
    if now.is_terminating and not before.is_terminating:
        yield StopReason.ASG_TERMINATION, drain_seconds


class DrainHook:
    """The group's termination hook of one name: kept alive during the drain, then completed.

    No other hook is ever touched. `sleep` takes seconds.
    """

    def __init__(
        self,
        autoscaling: AutoScaling,
        hook_name: str,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._autoscaling = autoscaling
        self._name = hook_name
        self._sleep = sleep
        self._member: GroupMember | None = None

    async def beat(self, instance_id: str) -> None:
        """Prolong the hook once; what goes wrong is logged, for there is a next time."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                member = self._member or await self._find(instance_id)
                if member:
                    held = await asyncio.to_thread(
                        self._autoscaling.record_lifecycle_action_heartbeat, member, self._name
                    )
                    log.debug("hook-heartbeat", hook=self._name, held=held)
        except (AutoScalingUnavailable, TimeoutError) as error:
            log.warning("hook-heartbeat-failed", hook=self._name, error=_words(error))

    async def complete(self, instance_id: str, is_aborted: Callable[[], bool]) -> None:
        """Complete the hook, trying while it may still begin to wait; what goes wrong is logged."""
        for tries_left in reversed(range(COMPLETION_TRIES)):
            try:
                if await self._is_over(instance_id):
                    return
            except AutoScalingUnavailable as error:
                log.warning("hook-completion-failed", hook=self._name, error=_words(error))
            if is_aborted():
                break
            if tries_left:
                await self._sleep(POLL_SECONDS)
        log.warning("hook-not-completed", hook=self._name)

    async def _is_over(self, instance_id: str) -> bool:
        member = await self._find(instance_id)
        if member is None or member.lifecycle_state in PAST_WAITING_STATES:
            log.debug("hook-not-waiting", hook=self._name)
            return True
        done = await asyncio.to_thread(
            self._autoscaling.complete_lifecycle_action, member, self._name
        )
        if done:
            log.info("hook-completed", hook=self._name, group=member.group)
        return done

    async def _find(self, instance_id: str) -> GroupMember | None:
        self._member = await asyncio.to_thread(self._autoscaling.find_member, instance_id)
        return self._member


class LifecycleWatcher:
    """Turns the instance's outlook into stop requests, and serves the hook until `finish`.

    `clock` returns monotonic seconds, `wall_clock` Unix time; `sleep` takes seconds.
    `drain_seconds` may be set anew while it runs.
    """

    def __init__(
        self,
        imds: Imds,
        autoscaling: AutoScaling,
        stop_request: StopRequest,
        drain_seconds: float,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        hook_name: str = DEFAULT_HOOK_NAME,
    ) -> None:
        self.drain_seconds = drain_seconds
        self._imds = imds
        self._hook = DrainHook(autoscaling, hook_name, sleep)
        self._stop_request = stop_request
        self._clock, self._wall_clock, self._sleep = clock, wall_clock, sleep
        self._outlook = Outlook()
        self._instance_id: str | None = None
        self._off_ec2 = False
        self._silent = False
        self._finishing = False
        self._next_beat = clock()

    async def run(self) -> None:
        """Watch until cancelled or finished; ends by itself where there is no metadata service."""
        self._off_ec2 = not await self._find_instance(FIRST_LOOKS)
        while not self._off_ec2 and not self._finishing:
            await self._look()
            if self._outlook.is_terminating and self._clock() >= self._next_beat:
                self._next_beat = self._clock() + HEARTBEAT_SECONDS
                await self._hook.beat(self._instance_id or "")
            await self._sleep(POLL_SECONDS)

    async def finish(self) -> None:
        """Complete the hook if the group is terminating us; call it when the drain is over.

        Call it also when the drain overran or was aborted. It looks once more, for a signal may
        have come before the notice. Never raises, and ends within COMPLETION_SECONDS.
        """
        self._finishing = True
        if self._off_ec2:
            return
        try:
            async with asyncio.timeout(COMPLETION_SECONDS):
                if self._instance_id is None and not await self._find_instance(1):
                    return
                await self._look()
                if self._outlook.is_terminating and self._instance_id:
                    await self._hook.complete(self._instance_id, lambda: self._stop_request.aborted)
        except TimeoutError:
            log.warning("hook-not-completed", error=f"not done in {COMPLETION_SECONDS:.0f} s")

    async def _find_instance(self, looks: int) -> bool:
        """Learn who we are; False where nobody can tell."""
        why = ""
        for look in range(looks):
            if look:
                await self._sleep(POLL_SECONDS)
            try:
                self._instance_id = await asyncio.to_thread(self._imds.instance_id)
            except ImdsUnavailable as error:
                why = str(error)
            else:
                return True
        log.debug("lifecycle-unwatched", why=why)
        return False

    async def _look(self) -> None:
        """Ask the metadata service, and pass on what is new."""
        before = self._outlook
        faults: list[str] = []
        now = self._outlook = await asyncio.to_thread(self._ask, before, faults)
        self._note_silence(faults)
        if now.spot and now.spot != before.spot:
            log.warning("spot-notice", action=now.spot.action, at=now.spot.time.isoformat())
        if now.rebalance_noticed and now.rebalance_noticed != before.rebalance_noticed:
            log.info("rebalance-recommended", noticed=now.rebalance_noticed.isoformat())
        wall_now = self._wall_clock()
        for reason, within in reasons_to_stop(before, now, wall_now, self.drain_seconds):
            self._stop_request.request(reason, within)

    def _ask(self, before: Outlook, faults: list[str]) -> Outlook:
        """Ask for one thing after the other: what cannot be told stays as it was `before`."""
        imds = self._imds
        return Outlook(
            _told_or_kept(imds.target_lifecycle_state, before.target_state, faults),
            _told_or_kept(imds.spot_instance_action, before.spot, faults),
            _told_or_kept(imds.rebalance_recommendation, before.rebalance_noticed, faults),
        )

    def _note_silence(self, faults: list[str]) -> None:
        """Warn when answers begin to be missing, once."""
        if faults and not self._silent:
            log.warning("metadata-silent", error=faults[0], missing=len(faults))
        self._silent = bool(faults)


def _told_or_kept(ask: Callable[[], T], kept: T, faults: list[str]) -> T:
    try:
        return ask()
    except ImdsUnavailable as error:
        faults.append(str(error))
        return kept


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
