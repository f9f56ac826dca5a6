"""The twin's and the watching's families on the embedded AWS: made, found again, mended, gone."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import boto3
import pytest
from support import lambda_package
from support.twin_stack import REGION, blueprint_of

from provision.apply import apply, observe
from provision.aws.session import Aws
from provision.core.plan import Create, Intention, Plan, Remove, Update, make_plan
from provision.core.resource import OWNER_TAG, Change, Json, Key, Property, Wanted
from provision.resources import alarm, dashboard, function, log_group, mapping, queue, topic
from provision.resources.catalogue import DESTROY_ORDER, providers
from provision.resources.mapping import find_mapping
from provision.spec.blueprint import Blueprint
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

LAMBDA_SECONDS = 4.0
SETTLED_SECONDS = 5.0
"""Above what any change of a function takes there."""

FAMILIES = [
    alarm.KIND,
    dashboard.KIND,
    function.KIND,
    log_group.KIND,
    mapping.KIND,
    topic.KIND,
]


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedAws]:
    """Run one AWS for all tests here; every test has a stack of its own."""
    with EmbeddedAws(delays=Delays(lambda_seconds=LAMBDA_SECONDS)) as server:
        yield server


@pytest.fixture(scope="module")
def aws(embedded: EmbeddedAws) -> Aws:
    """Give the clients."""
    return Aws(boto3.Session("testing", "testing", region_name=REGION), embedded.endpoint_url)


class Account:
    """One stack's twin and watching in the embedded account."""

    def __init__(self, aws: Aws, embedded: EmbeddedAws, blueprint: Blueprint) -> None:
        self.aws = aws
        self.embedded = embedded
        self.blueprint = blueprint
        self.providers = providers(aws, blueprint)
        self.slept: list[float] = []

    def intentions(self, blueprint: Blueprint | None = None) -> list[Intention]:
        """Return what the stack, or what became of its file, wants of these families."""
        wanted = blueprint or self.blueprint
        alarms = alarm.alarms(wanted)
        return [
            _want(queue.dead_letter_queue(wanted)),
            _want(queue.queue(wanted)),
            Intention(log_group.function_key(wanted), log_group.function_log_group(wanted)),
            Intention(function.key(wanted), function.function(wanted)),
            Intention(mapping.key(wanted), mapping.mapping(wanted)),
            _want(log_group.worker_log_group(wanted)),
            _want(topic.alarm_topic(wanted)),
            *(Intention(key, alarms.get(key)) for key in alarm.keys(wanted)),
            _want(dashboard.dashboard(wanted)),
        ]

    def plan(self, blueprint: Blueprint | None = None) -> Plan:
        """Compare everything."""
        return self.plan_of(self.intentions(blueprint))

    def plan_of(self, wanted: list[Intention]) -> Plan:
        """Compare some."""
        found = observe(wanted, self.providers)
        return make_plan(wanted, found, stack=self.blueprint.stack.name)

    def apply(self, plan: Plan) -> None:
        """Carry a plan out, and let it hold; waiting is a matter of the embedded clock."""
        applied = apply(
            plan,
            self.providers,
            stack=self.blueprint.stack.name,
            progress=_Quiet(),
            sleep=self._sleep,
        )
        assert applied.error is None
        self.embedded.clock.advance(SETTLED_SECONDS)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.embedded.clock.advance(seconds)


class _Quiet:
    def begins(self, step: object) -> None:
        """Hear nothing."""

    def waits(self, why: str, seconds: float) -> None:
        """Hear nothing."""

    def ends(self, step: object) -> None:
        """Hear nothing."""


def _want(wanted: Wanted) -> Intention:
    return Intention(wanted.key, wanted)


def make_account(aws: Aws, embedded: EmbeddedAws, name: str) -> Account:
    """Make the stack's role, which is another family's, and everything of ours."""
    account = Account(aws, embedded, blueprint_of(name))
    role = account.blueprint.names.lambda_role
    aws.iam.create_role(RoleName=role, AssumeRolePolicyDocument=lambda_package.trust())
    account.apply(account.plan())
    return account


def changed_names(plan: Plan) -> Sequence[tuple[str, str]]:
    """Return kind and property of every change of a plan."""
    updates = [step for step in plan.steps if isinstance(step, Update)]
    assert len(updates) == len(plan.steps)
    return [(step.key.kind, change.name) for step in updates for change in step.changes]


def test_a_second_plan_is_empty(aws: Aws, embedded: EmbeddedAws) -> None:
    """What AWS fills in by itself is no drift."""
    account = make_account(aws, embedded, "twice")
    assert account.plan() == Plan()


def test_every_property_changed_behind_our_back_is_seen_and_mended(
    aws: Aws, embedded: EmbeddedAws
) -> None:
    """One property at a time, of every resource: the plan names it and no other."""
    account = make_account(aws, embedded, "drift")
    aws.iam.create_role(RoleName="other", AssumeRolePolicyDocument=lambda_package.trust())
    ours = [each.wanted for each in account.intentions() if each.wanted]
    spoilable = [
        (wanted, each)
        for wanted in ours
        if wanted.key.kind in FAMILIES
        for each in wanted.properties
        if each.name not in {f"tag:{OWNER_TAG}", "CodeSha256"}
    ]
    for wanted, each in spoilable:
        account.apply(_spoil(wanted, each))
        seen = account.plan_of([_want(wanted)])
        assert changed_names(seen) == [(wanted.key.kind, each.name)]
        account.apply(seen)
    assert account.plan() == Plan()
    assert len(spoilable) == 70


def test_other_code_is_seen_and_mended(aws: Aws, embedded: EmbeddedAws) -> None:
    """CodeSha256 tells code that is not of this installation."""
    account = make_account(aws, embedded, "code")
    aws.lambda_.update_function_code(
        FunctionName="code-worker", ZipFile=lambda_package.of_text("other = 1")
    )
    assert changed_names(account.plan()) == [(function.KIND, "CodeSha256")]
    account.apply(account.plan())
    assert account.plan() == Plan()


def test_a_bare_dashboard_of_that_name_is_not_ours(aws: Aws, embedded: EmbeddedAws) -> None:
    """What has no tags is ours by what stands in it: somebody else's dashboard is refused."""
    account = Account(aws, embedded, blueprint_of("taken"))
    aws.cloudwatch.put_dashboard(DashboardName="taken-worker", DashboardBody='{"widgets": []}')
    refusals = account.plan().refusals
    assert [str(each.key) for each in refusals] == ["dashboard/taken-worker"]


def test_rule_47_a_stack_without_the_twin_loses_mapping_and_function(
    aws: Aws, embedded: EmbeddedAws
) -> None:
    """DeleteFunction leaves the mapping, so it goes by itself, and first; a second run is empty."""
    account = make_account(aws, embedded, "without")
    without = blueprint_of("without", **{"lambda": {"enabled": False}})
    plan = account.plan(without)
    removed = [step.key.kind for step in plan.steps if isinstance(step, Remove)]
    assert removed == ["alarm", "mapping", "function", "log-group"]
    account.apply(plan)
    assert find_mapping(aws.lambda_, account.blueprint.names.queue_arn, "without-worker") is None
    assert account.plan(without) == Plan()


def test_rule_47_the_twin_comes_back_while_its_old_mapping_is_being_deleted(
    aws: Aws, embedded: EmbeddedAws
) -> None:
    """Lambda refuses a second mapping meanwhile; it is waited for."""
    account = make_account(aws, embedded, "again")
    account.providers[mapping.KIND].delete(Key(mapping.KIND, "again-worker"))
    plan = account.plan()
    assert [type(step) for step in plan.steps] == [Create]
    account.slept.clear()
    account.apply(plan)
    assert sum(account.slept) >= LAMBDA_SECONDS
    assert account.plan() == Plan()


def test_rule_46_the_mapping_is_made_disabled_and_stays_as_the_cutover_left_it(
    aws: Aws, embedded: EmbeddedAws
) -> None:
    """No apply turns it on or off: not at its creation, not when it changes another setting."""
    account = make_account(aws, embedded, "switch")
    found = find_mapping(aws.lambda_, account.blueprint.names.queue_arn, "switch-worker") or {}
    assert found.get("State") == "Disabled"
    aws.lambda_.update_event_source_mapping(UUID=found.get("UUID", ""), Enabled=True)
    embedded.clock.advance(SETTLED_SECONDS)
    changed = blueprint_of("switch", **{"lambda": {"batch_size": 7}})
    account.apply(account.plan(changed))
    now = find_mapping(aws.lambda_, account.blueprint.names.queue_arn, "switch-worker") or {}
    assert (now.get("State"), now.get("BatchSize")) == ("Enabled", 7)


def test_gone_already_is_fine(aws: Aws, embedded: EmbeddedAws) -> None:
    """Deleting everything twice is no error, in the order that a destroy has."""
    account = make_account(aws, embedded, "gone")
    keys = [each.key for each in account.intentions()]
    for key in sorted(keys, key=lambda key: DESTROY_ORDER.index(key.kind)) * 2:
        account.providers[key.kind].delete(key)
    assert observe(account.intentions(), account.providers) == dict.fromkeys(keys)


def _spoil(wanted: Wanted, each: Property) -> Plan:
    """Plan a change of one property to something that nobody wants."""
    other = replace(each, value=_other(each.name, each.value))
    properties = tuple(other if each.name == other.name else each for each in wanted.properties)
    change = Change(each.name, each.value, other.value)
    return Plan((Update(Wanted(wanted.key, properties), (change,)),))


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
        return value + 1
    return f"{value} changed"
