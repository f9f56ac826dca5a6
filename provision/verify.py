"""Is it really so? The plan is empty, the instances are what they should be, a canary arrives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from provision.apply import observe
from provision.aws.group_facts import group_facts
from provision.aws.guards import probe_guards
from provision.aws.services import service_states
from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.canary import PATIENCE_SECONDS, Canaries, CanaryError, Route
from provision.core.finding import Finding, failure, ok, warning
from provision.core.group import PENDING, GroupFacts
from provision.core.judge_instances import Expected, judge_instances
from provision.core.plan import make_plan
from provision.core.status import RESTS, WAKE, judge_twin
from provision.ownership import WAY, WHOSE, foreign_among
from provision.resources import catalogue, queue
from provision.screen.plan_view import summary
from provision.spec.blueprint import Blueprint, Consumer

SETTLE_SECONDS: Final = 60.0
"""SQS's attributes take up to a minute to be told back (rule 13)."""

LAUNCH_SECONDS: Final = 180.0
"""An instance is in service within a minute or two; the group of a first apply has none as yet."""

LOOK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Verification:
    """One run of all checks. `sleep` and `clock` in seconds; `say` hears what is waited for."""

    aws: Aws
    blueprint: Blueprint
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    say: Callable[[str], None]

    def run(self) -> Iterator[Finding]:
        """Yield findings as they come; raises ClientError for what could not be looked at."""
        yield self._plan()
        yield from self._consumer()
        if foreign := foreign_among(self.aws, self.blueprint, WAY):
            yield failure("canary", f"not sent: {foreign} is not this stack's", WHOSE)
            return
        yield from probe_guards(self.aws.s3, self.blueprint, self.sleep)
        yield self._canary()

    def _plan(self) -> Finding:
        told = self._wait_until(self._nothing_to_change, SETTLE_SECONDS, "AWS to settle")
        if told is None:
            return ok("stack", "everything is as the stack file says")
        return failure("stack", told, "`provision plan` shows what differs")

    def _nothing_to_change(self) -> str | None:
        wanted = catalogue.intentions(self.blueprint)
        found = observe(wanted, catalogue.providers(self.aws, self.blueprint))
        plan = make_plan(wanted, found, stack=self.blueprint.stack.name)
        return summary(plan) if plan.steps or plan.refusals else None

    def _consumer(self) -> Iterator[Finding]:
        """Look at whoever was cut over to; the other one is to rest."""
        if self.blueprint.consumer is Consumer.EC2:
            yield from self._instances()
            return
        observer = Observer(self.aws, self.blueprint)
        yield judge_twin(observer.twin())
        group = observer.group()
        if group is not None and group.instances:
            hint = "`provision cutover lambda` drains them"
            yield warning("instances", f"{len(group.instances)} are there still", hint)

    def _instances(self) -> Iterator[Finding]:
        image, names = self.blueprint.image, self.blueprint.names
        if image is None:
            hint = "`provision ami bake` or `provision ami from-instance`, then `provision apply`"
            yield warning("instances", "no AMI yet, so there is no group", hint)
            return
        self._wait_until(self._launching, LAUNCH_SECONDS, "instances")
        group = self._group()
        if group is None:
            yield failure(f"group {names.group}", "is not there", "`provision apply`")
            return
        if group.rests and not group.instances:
            yield warning("instances", RESTS, WAKE)
            return
        services = service_states(self.aws.ssm, [each.id for each in group.instances], self.sleep)
        expected = Expected(names.group, group.template_version, image.id, names.worker_role)
        yield from judge_instances(expected, group, services)

    def _launching(self) -> str | None:
        """Name the instances that are not in service yet; None if there is no such."""
        group = self._group()
        if group is None or group.desired == 0:
            return None
        pending = [each for each in group.instances if each.lifecycle_state.startswith(PENDING)]
        if group.instances and not pending:
            return None
        return ", ".join(f"{each.id} is {each.lifecycle_state}" for each in pending) or "none yet"

    def _rests(self) -> bool:
        group = self._group()
        return group is not None and group.rests and not group.in_service

    def _group(self) -> GroupFacts | None:
        name = self.blueprint.names.group
        return group_facts(self.aws.autoscaling, self.aws.ec2, name)

    def _canary(self) -> Finding:
        route = canary_route(self.aws, self.blueprint)
        if route is None:
            return failure("canary", "there is no queue to send one through", "`provision apply`")
        on_ec2 = self.blueprint.consumer is Consumer.EC2
        if on_ec2 and self.blueprint.image is None:
            return warning("canary", "not sent: nobody consumes without an AMI")
        if on_ec2 and self._rests():
            return warning("canary", f"not sent, for it would wait: {RESTS}", WAKE)
        self.say("sending a canary ...")
        canaries = Canaries(self.aws.s3, self.aws.sqs, route, sleep=self.sleep, clock=self.clock)
        try:
            seconds = canaries.fly(PATIENCE_SECONDS)
        except CanaryError as error:
            return failure("canary", str(error), error.hint)
        stays = f"; S3 keeps its old versions, hidden: {canaries.kept}" if canaries.kept else ""
        return ok("canary", f"arrived in {seconds:.1f} s, byte for byte{stays}")

    def _wait_until(self, look: Callable[[], str | None], seconds: float, what: str) -> str | None:
        """Look again and again until there is nothing to tell, or the time is over."""
        began, told = self.clock(), look()
        while told is not None and self.clock() - began < seconds:
            self.say(f"waiting for {what}: {told}")
            self.sleep(LOOK_SECONDS)
            told = look()
        return told


def canary_route(aws: Aws, blueprint: Blueprint) -> Route | None:
    """Return the way that a canary of this stack flies; None while a queue is missing."""
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    queues = queue.QueueProvider(aws.sqs)
    urls = (queues.url(names.queue), queues.url(names.dead_letter_queue))
    if urls[0] is None or urls[1] is None:
        return None
    return Route(
        names.bucket, pipeline.source_prefix, pipeline.destination_prefix, urls[0], urls[1]
    )
