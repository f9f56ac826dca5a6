"""The twin's and the watching's families on the embedded AWS: made, found again, mended, gone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from support import lambda_package
from support.provision_world import World
from support.recorded_aws import RecordedAws

from provision.apply import observe
from provision.core.plan import Create, Intention, Plan, Remove, Update, make_plan
from provision.core.resource import OWNER_TAG, Change, Json, Key, Property, Wanted
from provision.resources import alarm, dashboard, function, log_group, mapping, topic
from provision.resources.catalogue import intentions
from provision.resources.mapping import find_mapping
from provision.spec.blueprint import Consumer
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

Build = Callable[..., World]

LAMBDA_SECONDS = 4.0
DELAYS = Delays(lambda_seconds=LAMBDA_SECONDS)
"""Lambda takes its time."""

FAMILIES = (dashboard.KIND, function.KIND, log_group.KIND, mapping.KIND)


@pytest.fixture(scope="module")
def stack(region: EmbeddedAws, aws: RecordedAws) -> World:
    """Give one stack that is whole; whoever changes it mends it."""
    whole = World.of(region, aws, "twins", watch={"email": "ops@example.com"})
    whole.apply()
    settle(whole)
    return whole


def settle(world: World) -> None:
    """Let every change of a function or mapping come to its end."""
    world.region.clock.advance(LAMBDA_SECONDS + 1)


def wanted_of(world: World, *kinds: str) -> list[Wanted]:
    """Return what the stack wants of these kinds."""
    wanted = [each.wanted for each in intentions(world.blueprint)]
    return [each for each in wanted if each is not None and each.key.kind in kinds]


def plan_of(world: World, wanted: Wanted) -> Plan:
    """Compare one resource."""
    asked = [Intention(wanted.key, wanted)]
    return make_plan(asked, observe(asked, world.providers), stack=world.stack)


def changed(plan: Plan) -> Sequence[tuple[str, str]]:
    """Return kind and property of every change of a plan of updates."""
    updates = [step for step in plan.steps if isinstance(step, Update)]
    assert len(updates) == len(plan.steps)
    return [(step.key.kind, change.name) for step in updates for change in step.changes]


def spoil_and_mend(world: World, wanted: Wanted, each: Property) -> None:
    """Change one property behind our back: the plan shows it, and no other, and mends it."""
    other = replace(each, value=_other(each.name, each.value))
    properties = tuple(other if one.name == other.name else one for one in wanted.properties)
    provider = world.providers[wanted.key.kind]
    provider.update(Wanted(wanted.key, properties), [Change(each.name, each.value, other.value)])
    settle(world)
    seen = plan_of(world, wanted)
    assert changed(seen) == [(wanted.key.kind, each.name)]
    provider.update(wanted, seen.steps[0].changes if isinstance(seen.steps[0], Update) else ())
    settle(world)
    assert plan_of(world, wanted) == Plan()


def test_a_second_plan_is_empty(stack: World) -> None:
    """What AWS fills in by itself is no drift."""
    assert stack.plan().steps == ()


def test_every_property_changed_behind_our_back_is_seen_and_mended(stack: World) -> None:
    """One property at a time: the plan names it and no other."""
    stack.aws.iam.create_role(RoleName="other", AssumeRolePolicyDocument=lambda_package.trust())
    ours = [
        *wanted_of(stack, *FAMILIES),
        topic.alarm_topic(stack.blueprint),
    ]
    spoilable = [
        (wanted, each)
        for wanted in ours
        for each in wanted.properties
        if each.name not in {f"tag:{OWNER_TAG}", "CodeSha256"}
    ]
    for wanted, each in spoilable:
        spoil_and_mend(stack, wanted, each)
    assert len(spoilable) == 16


def test_every_property_of_an_alarm_is_seen_and_mended(stack: World) -> None:
    """An alarm goes whole at each change, and leaves the others as they are."""
    wanted = alarm.alarms(stack.blueprint)[Key(alarm.KIND, "twins-no-instance")]
    assert plan_of(stack, wanted) == Plan()
    for each in wanted.properties:
        if each.name != f"tag:{OWNER_TAG}":
            spoil_and_mend(stack, wanted, each)


def test_other_code_is_seen_and_mended(stack: World) -> None:
    """CodeSha256 tells code that is not of this installation."""
    other = lambda_package.of_text("other = 1")
    stack.aws.lambda_.update_function_code(FunctionName="twins-worker", ZipFile=other)
    assert changed(stack.plan()) == [(function.KIND, "CodeSha256")]
    stack.apply()
    assert stack.plan().steps == ()


def test_code_and_settings_that_change_together_are_both_sent(stack: World) -> None:
    """Lambda refuses the second change while it is busy with the first: it is waited for."""
    settle(stack)
    stack.aws.lambda_.update_function_configuration(FunctionName="twins-worker", MemorySize=512)
    settle(stack)
    other = lambda_package.of_text("other = 2")
    stack.aws.lambda_.update_function_code(FunctionName="twins-worker", ZipFile=other)
    assert len(changed(stack.plan())) == 2
    stack.apply()
    assert stack.plan().steps == ()


def test_a_bare_dashboard_of_that_name_is_not_ours(world: World) -> None:
    """What has no tags is ours by what stands in it: somebody else's dashboard is refused."""
    name = f"{world.stack}-worker"
    world.aws.cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    assert [each.key for each in world.plan().refusals] == [Key(dashboard.KIND, name)]
    world.aws.cloudwatch.delete_dashboards(DashboardNames=[name])


def test_rule_47_a_stack_without_the_twin_loses_mapping_and_function(build: Build) -> None:
    """DeleteFunction leaves the mapping, so it goes by itself, and first; then nothing is left."""
    build("without").apply()
    without = build("without", **{"lambda": {"enabled": False}})
    settle(without)
    removed = [step.key.kind for step in without.plan().steps if isinstance(step, Remove)]
    assert removed == ["alarm", "mapping", "function", "log-group", "role"]
    without.apply()
    assert without.plan().steps == ()
    settle(without)
    assert find_mapping(without.aws.lambda_, without.blueprint.names.queue_arn, "x") is None


def test_a_function_that_consumes_stays_whatever_the_stack_file_says(build: Build) -> None:
    """The group is empty meanwhile: without the function no file would be moved any more."""
    live = build("live")
    live.blueprint = replace(live.blueprint, consumer=Consumer.LAMBDA)
    live.apply()
    without = build("live", **{"lambda": {"enabled": False}})
    without.blueprint = replace(without.blueprint, consumer=Consumer.LAMBDA)
    settle(without)
    planned = without.plan()
    assert [step.key.kind for step in planned.steps if isinstance(step, Remove)] == []
    noted = {each.key.kind for each in planned.notes if "provision cutover ec2" in each.waits_for}
    assert noted == {"role", "log-group", "function", "mapping", "alarm"}


def test_rule_47_the_twin_comes_back_while_its_old_mapping_is_being_deleted(stack: World) -> None:
    """Lambda refuses a second mapping meanwhile; it is waited for."""
    settle(stack)
    before = stack.region.clock()
    stack.providers[mapping.KIND].delete(Key(mapping.KIND, "twins-worker"))
    assert [type(step) for step in stack.plan().steps] == [Create]
    stack.apply()
    assert stack.region.clock() >= before + LAMBDA_SECONDS
    settle(stack)
    assert stack.plan().steps == ()


def test_rule_46_the_mapping_is_made_disabled_and_stays_as_the_cutover_left_it(
    build: Build,
) -> None:
    """No apply turns it on or off: not at its creation, not when it changes another setting."""
    world = build("switch")
    world.apply()
    settle(world)
    arn = world.blueprint.names.queue_arn
    made = find_mapping(world.aws.lambda_, arn, "switch-worker") or {}
    assert made.get("State") == "Disabled"
    world.aws.lambda_.update_event_source_mapping(UUID=made.get("UUID", ""), Enabled=True)
    settle(world)
    build("switch", **{"lambda": {"batch_size": 7}}).apply()
    settle(world)
    now = find_mapping(world.aws.lambda_, arn, "switch-worker") or {}
    assert (now.get("State"), now.get("BatchSize")) == ("Enabled", 7)


OTHERS: dict[str, Json] = {
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::123456789012:role/other",
    "Handler": "other.handler",
    "MemorySize": 512,
    "Environment": {"REGION": "elsewhere"},
    "FunctionResponseTypes": [],
    "retentionInDays": 14,
    "Policy": {"Version": "2012-10-17", "Statement": []},
    "Metrics": [
        {
            "Id": "other",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SQS", "MetricName": "Other", "Dimensions": []},
                "Period": 300,
                "Stat": "Sum",
            },
            "ReturnData": True,
        }
    ],
    "ComparisonOperator": "LessThanThreshold",
    "TreatMissingData": "breaching",
    "ActionsEnabled": False,
    "AlarmActions": [],
    "OKActions": [],
    "InsufficientDataActions": ["arn:aws:sns:us-east-2:123456789012:other"],
    "KmsMasterKeyId": "alias/other",
}


def _other(name: str, value: Json) -> Json:
    if name in OTHERS:
        return OTHERS[name]
    if name == "Body":
        spoiled: Json = json.loads(json.dumps(value).replace("Oldest message", "Old"))
        return spoiled
    if isinstance(value, int | float):
        return value - 1 if name == "DatapointsToAlarm" else value + 1
    return f"{value} changed"
