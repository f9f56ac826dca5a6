"""A cutover on the embedded AWS: played consumers, real mappings, groups, hooks, logs, canaries."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from botocore.exceptions import ClientError
from support.cutover_crew import Crew
from support.provision_world import World
from support.recorded_aws import CutError, RecordedAws

from provision.aws.consumer import read_consumer
from provision.aws.cutover_hands import CutoverHands
from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.canary import Canaries
from provision.commands.cutover import cutover_of
from provision.core.plan import Plan, Update
from provision.core.resource import Change
from provision.core.status import StackFacts, consumers, judge
from provision.cutover import CuttingOver
from provision.errors import PartialError
from provision.spec.blueprint import Consumer
from provision.verify import canary_route
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

DELAYS = Delays(3, 3, 3, 2)
"""Everything takes a few seconds."""

LAMBDA, EC2 = Consumer.LAMBDA, Consumer.EC2

SAMPLED = ((LAMBDA, 14), (EC2, 15))
"""Cuts after so many writing requests; the heavy run cuts at each."""


@dataclass
class Stack:
    """A stack that one can cut over, and what was said meanwhile."""

    world: World
    crew: Crew
    said: list[str] = field(default_factory=list)

    def cut_over(self, target: Consumer) -> None:
        """Run one cutover to its end."""
        aws, blueprint = self.world.aws, self.world.blueprint
        route = canary_route(aws, blueprint)
        assert route is not None
        sleep, clock = self.crew.sleep, self.crew.clock
        canaries = Canaries(aws.s3, aws.sqs, route, sleep=sleep, clock=clock)
        hands = CutoverHands(
            aws,
            blueprint,
            canaries,
            self.said.append,
            sleep,
            clock,
            flock=3,
            flight_seconds=15,
            trace_seconds=3,
        )
        cutover = cutover_of(blueprint, target)
        CuttingOver(cutover, hands, self.said.append, sleep, clock).run()

    def cut_after(self, writes: int, target: Consumer) -> bool:
        """Cut a cutover after so many writing requests; says whether it was cut at all."""
        try:
            with self.world.aws.cut_after(writes):
                self.cut_over(target)
        except CutError:
            return True
        return False

    def facts(self) -> StackFacts:
        """Look."""
        return Observer(self.world.aws, self.world.blueprint).stack()

    def assert_alone(self, consumer: Consumer) -> None:
        """Demand that it consumes alone, that all agree, and that nobody was ever missing."""
        facts = self.facts()
        assert consumers(facts) == {consumer}
        assert facts.declared is consumer
        assert judge(facts)[0].detail.endswith(" consumes")
        assert self.crew.gaps == 0

    def leftovers(self) -> list[str]:
        """Return every version and marker in the bucket."""
        told = self.world.aws.s3.list_object_versions(Bucket=self.world.blueprint.names.bucket)
        return [each["Key"] for each in [*told.get("Versions", []), *told.get("DeleteMarkers", [])]]


@pytest.fixture(scope="module")
def whole(region: EmbeddedAws, aws: RecordedAws) -> World:
    """Give a stack that is whole."""
    world = World.of(region, aws, "switching")
    world.apply()
    region.clock.advance(60)
    return world


@pytest.fixture
def stack(region: EmbeddedAws, whole: World) -> Iterator[Stack]:
    """Give the stack as EC2 consumes it; the test's end brings it back to that."""
    crew = Crew(region, Aws(whole.aws.session, region.endpoint_url), whole.blueprint)
    stack = Stack(whole, crew)
    crew.sleep(1)  # takes the bucket's test event
    crew.gaps = 0
    yield stack
    crew.idle.clear()
    crew.mute.clear()
    stack.cut_over(EC2)


def test_there_and_back_again(stack: Stack) -> None:
    """Each time the incoming one is proven by its own log, and nothing of a canary stays."""
    stack.cut_over(LAMBDA)
    stack.assert_alone(LAMBDA)
    assert "Lambda took a canary" in stack.said
    group = stack.facts().group
    assert group is not None
    assert (group.minimum, group.desired, group.maximum, group.instances) == (0, 0, 0, ())
    stack.cut_over(EC2)
    stack.assert_alone(EC2)
    assert "EC2 took a canary" in stack.said
    assert stack.leftovers() == []


@pytest.mark.parametrize(("target", "writes"), SAMPLED)
def test_cut_anywhere_it_goes_on(stack: Stack, target: Consumer, writes: int) -> None:
    """A run that ended after any writing request is gone on with, and nobody is ever missing."""
    goes_on_after(stack, target, writes)


@pytest.mark.heavy
@pytest.mark.parametrize("target", [LAMBDA, EC2])
def test_cut_after_each_of_its_calls_it_goes_on(stack: Stack, target: Consumer) -> None:
    """The same after each of them in turn."""
    writes = 1
    while goes_on_after(stack, target, writes):
        writes += 1
        stack.cut_over(EC2)
    assert writes > max(cut for _, cut in SAMPLED)


def goes_on_after(stack: Stack, target: Consumer, writes: int) -> bool:
    """Cut, go on, and say whether it was cut at all."""
    if target is EC2:
        stack.cut_over(LAMBDA)
    cut = stack.cut_after(writes, target)
    stack.cut_over(target)
    stack.assert_alone(target)
    return cut


def test_a_function_that_takes_nothing_never_replaces_the_instances(stack: Stack) -> None:
    """It is on and idle: the instances go on, and the error names its log."""
    stack.crew.idle.add(LAMBDA)
    with pytest.raises(PartialError, match="none was taken by Lambda") as stopped:
        stack.cut_over(LAMBDA)
    assert "/aws/lambda/switching-worker" in stopped.value.hint
    assert EC2 in consumers(stack.facts())
    assert read_consumer(stack.world.aws.sqs, "switching-uploads") is EC2


def test_instances_without_a_log_are_taken_at_their_word_and_the_last_canary_decides(
    stack: Stack,
) -> None:
    """Neither the log nor Systems Manager tells: the canary after the switch does."""
    stack.cut_over(LAMBDA)
    stack.crew.mute.add(EC2)
    stack.cut_over(EC2)
    stack.assert_alone(EC2)
    assert any("the last canary will" in said for said in stack.said)


def test_at_a_log_level_that_tells_of_no_object_any_line_of_the_function_must_do(
    stack: Stack,
) -> None:
    """Lambda's own lines prove its invocations; of the instances the last canary tells."""
    blueprint = stack.world.blueprint
    worker = blueprint.stack.worker.model_copy(update={"log_level": "warning"})
    quiet = replace(blueprint, stack=blueprint.stack.model_copy(update={"worker": worker}))
    stack.world, stack.crew.quiet = replace(stack.world, blueprint=quiet), True
    stack.cut_over(LAMBDA)
    stack.assert_alone(LAMBDA)
    assert "Lambda took a canary" in stack.said
    stack.cut_over(EC2)
    stack.assert_alone(EC2)
    assert any("the last canary will" in said for said in stack.said)


def test_should_the_instances_take_nothing_the_function_is_brought_back(stack: Stack) -> None:
    """They were in service, and idle: the last canary tells, and Lambda is on again."""
    stack.cut_over(LAMBDA)
    stack.crew.idle.add(EC2)
    stack.crew.mute.add(EC2)
    with pytest.raises(PartialError, match="the other consumer was brought back"):
        stack.cut_over(EC2)
    stack.crew.sleep(5)
    assert LAMBDA in consumers(stack.facts())
    assert stack.crew.gaps == 0


def test_rule_39_the_sizes_go_in_one_call_with_the_desired_one(stack: Stack) -> None:
    """A maximum of 0 alone would lower desired in silence; all three are said."""
    stack.cut_over(LAMBDA)
    sent = stack.world.aws.parameters_of("autoscaling.UpdateAutoScalingGroup")
    assert (sent["MinSize"], sent["DesiredCapacity"], sent["MaxSize"]) == (0, 0, 0)


def test_no_apply_wants_instances_while_lambda_consumes(stack: Stack) -> None:
    """Who consumes is the queue's tag, so every plan knows it, whoever makes it."""
    assert stack.world.blueprint.consumer is EC2
    stack.cut_over(LAMBDA)
    tags = stack.world.aws.sqs.list_queue_tags(QueueUrl=_queue_url(stack))["Tags"]
    assert tags["s3-event-worker:consumer"] == "lambda"
    assert {change.name for change in _changes(stack.world.plan())} == {"MinSize", "MaxSize"}
    stack.world.blueprint = replace(stack.world.blueprint, consumer=stack.facts().declared)
    assert stack.world.plan().steps == ()
    stack.world.blueprint = replace(stack.world.blueprint, consumer=EC2)


def test_rule_47_a_mapping_that_changes_at_this_moment_is_waited_for(stack: Stack) -> None:
    """Lambda refuses another change meanwhile (ResourceInUseException)."""
    (mapping,) = stack.world.aws.lambda_.list_event_source_mappings()["EventSourceMappings"]
    stack.world.aws.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    with pytest.raises(ClientError, match="ResourceInUseException"):
        stack.world.aws.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    stack.cut_over(EC2)
    stack.assert_alone(EC2)
    assert any("the mapping to settle" in said for said in stack.said)


def _changes(plan: Plan) -> list[Change]:
    return [each for step in plan.steps if isinstance(step, Update) for each in step.changes]


def _queue_url(stack: Stack) -> str:
    return stack.world.aws.sqs.get_queue_url(QueueName="switching-uploads")["QueueUrl"]
