"""Permissions by IAM's own simulation, and quotas against what is used."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from provision.aws.calls import code_of
from provision.aws.refusals import must_be_about_the_thing
from provision.core.preflight.account import Permissions, Quota, is_of_the_caller, policy_source
from provision.core.resource import plain_tags
from provision.policies.grants import Grant
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from provision.aws.session import Aws

ACTIONS_A_CALL: Final = 40
"""So that an answer fits on one page of results."""

ON_DEMAND_VCPUS: Final = "L-1216C47A"
SPOT_VCPUS: Final = "L-34B43A08"
"""Running standard (A, C, D, H, I, M, R, T, Z) instances, in vCPUs.

https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
"""

ALIVE: Final = ("pending", "running")


def permissions_of(iam: "IAMClient", arn: str, grants: Iterable[Grant]) -> Permissions:
    """Simulate every grant for the caller; what keeps us from it is said, not raised."""
    source = policy_source(arn)
    if source is None:
        return Permissions(unknown="the root user may do everything; use a role instead")
    denied: dict[str, frozenset[str]] = {}
    asked = 0
    try:
        for grant in grants:
            for actions in batched(sorted(grant.uses)):
                denied |= dict(_denied(iam, source, actions, grant))
                asked += len(actions)
    except (ClientError, BotoCoreError) as error:
        must_be_about_the_thing(error)
        code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
        return Permissions(unknown=f"iam:SimulatePrincipalPolicy for {source}: {code}")
    return Permissions(
        denied=tuple(action for action, lacking in denied.items() if not lacking),
        doubtful=tuple(action for action, lacking in denied.items() if lacking),
        lacking=tuple(sorted(frozenset[str]().union(*denied.values()))),
        asked=asked,
    )


def batched(actions: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield as many actions at a time as one call takes."""
    for first in range(0, len(actions), ACTIONS_A_CALL):
        yield actions[first : first + ACTIONS_A_CALL]


def _denied(
    iam: "IAMClient", source: str, actions: Sequence[str], grant: Grant
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each action that is not allowed, and the condition keys that the answer lacked."""
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=source,
        ActionNames=list(actions),
        ResourceArns=list(grant.resources),
        ContextEntries=list(_context(grant.condition)),
    )
    for page in pages:
        for each in page["EvaluationResults"]:
            if each["EvalDecision"] != "allowed":
                missing = each.get("MissingContextValues", [])
                yield each["EvalActionName"], frozenset(filter(is_of_the_caller, missing))


def _context(condition: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a request of ours would carry: the values that the grant's condition asks for."""
    for operator, pairs in condition.items():
        for key, value in pairs.items():
            listed = value if isinstance(value, list) else [value]
            # A request has one value of a key, unless the operator is about a set of them.
            values = listed if operator.startswith("For") else listed[:1]
            yield {
                "ContextKeyName": key,
                "ContextKeyValues": [str(each) for each in values],
                "ContextKeyType": "stringList" if len(values) > 1 else "string",
            }


def quotas_of(aws: "Aws", blueprint: Blueprint) -> Iterator[Quota]:
    """Yield each quota that could be read; a new account's are low.

    Of instances as many as the maximum and one more each, for a rollout's successors.
    """
    for look in (_vcpus, _groups, _roles, _concurrency):
        yield from _read(look, aws, blueprint)


def _read(
    look: Callable[["Aws", Blueprint], Quota | None], aws: "Aws", blueprint: Blueprint
) -> Iterator[Quota]:
    try:
        found = look(aws, blueprint)
    except (ClientError, BotoCoreError) as error:
        must_be_about_the_thing(error)
        return
    if found is not None:
        yield found


def _vcpus(aws: "Aws", blueprint: Blueprint) -> Quota:
    instances = blueprint.stack.instances
    types: list[Any] = [instances.type]  # validated as text: AWS knows more than the stubs
    described = aws.ec2.describe_instance_types(InstanceTypes=types)
    each = described["InstanceTypes"][0]["VCpuInfo"]["DefaultVCpus"]
    code, kind = (SPOT_VCPUS, "spot") if instances.spot else (ON_DEMAND_VCPUS, "on-demand")
    limit = aws.service_quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)
    ours, others = _vcpus_running(aws, blueprint.names.group, spot=instances.spot)
    # Twice the maximum: a rollout has each successor work beside its predecessor (rule 27).
    needed = max(2 * instances.maximum * each - ours, 0)
    return Quota(f"{kind} vCPUs", limit["Quota"]["Value"], ours + others, needed)


def _vcpus_running(aws: "Aws", group: str, *, spot: bool) -> tuple[float, float]:
    """Count the vCPUs of the stack's own group, and of all else."""
    pages = aws.ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": list(ALIVE)}]
    )
    ours = others = 0.0
    reservations = [each for page in pages for each in page["Reservations"]]
    for instance in (each for reservation in reservations for each in reservation["Instances"]):
        if (instance.get("InstanceLifecycle") == "spot") is not spot:
            continue
        cpu = instance.get("CpuOptions", {})
        count = cpu.get("CoreCount", 1) * cpu.get("ThreadsPerCore", 1)
        tags = plain_tags(instance.get("Tags", []))
        if tags.get("aws:autoscaling:groupName") == group:
            ours += count
        else:
            others += count
    return ours, others


def _groups(aws: "Aws", blueprint: Blueprint) -> Quota:
    limits = aws.autoscaling.describe_account_limits()
    found = aws.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[blueprint.names.group]
    )
    needed = 0 if found["AutoScalingGroups"] else 1
    return Quota(
        "Auto Scaling groups",
        limits.get("MaxNumberOfAutoScalingGroups", 0),
        limits.get("NumberOfAutoScalingGroups", 0),
        needed,
    )


def _roles(aws: "Aws", blueprint: Blueprint) -> Quota:
    del blueprint
    summary = aws.iam.get_account_summary()["SummaryMap"]
    return Quota("IAM roles", summary.get("RolesQuota", 0), summary.get("Roles", 0), 0)


def _concurrency(aws: "Aws", blueprint: Blueprint) -> Quota | None:
    if not blueprint.stack.lambda_.enabled:
        return None
    limits = aws.lambda_.get_account_settings()["AccountLimit"]
    return Quota(
        "Lambda's concurrency",
        limits["UnreservedConcurrentExecutions"],
        0,
        blueprint.stack.lambda_.maximum_concurrency,
        "lower `maximum_concurrency`, or ask for more at Service Quotas",
    )
