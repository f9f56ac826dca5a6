"""The worker's and the function's role, with IAM enforced: all that their code does, no more."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from support.operator_role import denied
from support.provision_world import World
from support.recorded_aws import RecordedAws
from support.stories import first_failure
from support.worker_policies import POLICIES, listed, statements, without
from support.worker_story import OUTSIDE, STEPS, Call, a_worker

from worker.demo.embedded.server import EmbeddedAws

NEVER_HERE = {
    # The SSM agent's own protocol, which nothing here speaks.
    *(f"ec2messages:{each}" for each in ("AcknowledgeMessage", "FailMessage", "GetMessages")),
    "ec2messages:SendReply",
    "ssm:UpdateInstanceInformation",
    *(f"ssmmessages:{each}Channel" for each in ("CreateControl", "CreateData")),
    *(f"ssmmessages:{each}Channel" for each in ("OpenControl", "OpenData")),
}


GRANTS = [
    pytest.param(
        role,
        statement["Sid"],
        action,
        id=f"{role}-{statement['Sid']}-{action}",
        marks=[] if role == "worker" else [pytest.mark.heavy],  # the function's are nearly the same
    )
    for role in POLICIES
    for statement in statements(role)
    for action in listed(statement["Action"])
    if action not in NEVER_HERE
]


@pytest.fixture(scope="module")
def world(region: EmbeddedAws, aws: RecordedAws) -> Iterator[World]:
    """Apply one stack that all tests here work on; nobody but them is in its queue."""
    made = World.of(region, aws, "acting")
    made.apply()
    yield made
    s3, bucket = aws.s3, made.blueprint.names.bucket
    listed_versions = s3.list_object_versions(Bucket=bucket)
    for each in [*listed_versions.get("Versions", []), *listed_versions.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    made.destroy()


@pytest.mark.parametrize("role", POLICIES)
def test_the_role_can_do_all_that_its_code_does(
    region: EmbeddedAws, world: World, role: str
) -> None:
    """Nothing is denied."""
    region.accesses.clear()
    with a_worker(world, POLICIES[role](world.blueprint)) as worker:
        assert first_failure(worker, STEPS[role]) is None
    assert denied(region) == []


@pytest.mark.heavy
@pytest.mark.parametrize(("role", "sid", "action"), GRANTS)
def test_without_one_action_a_step_fails(
    region: EmbeddedAws, world: World, role: str, sid: str, action: str
) -> None:
    """No action of any statement is there for nothing, and it is this one that was denied."""
    region.accesses.clear()
    document = without(POLICIES[role](world.blueprint), sid, action)
    with a_worker(world, document) as worker:
        failed = first_failure(worker, STEPS[role])
    print(f"without {action} of {sid}: {failed}")
    assert failed is not None
    assert action in {each.partition(" ")[0] for each in denied(region)}


ELSEWHERE: dict[str, Call] = {
    **OUTSIDE,
    "look at instances": lambda w: w.aws.ec2.describe_instances(),
    "change the group": lambda w: w.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=w.admin.blueprint.names.group, MaxSize=9
    ),
    "take another role": lambda w: w.aws.sts.assume_role(
        RoleArn=w.admin.blueprint.names.role_arn("acting-lambda"), RoleSessionName="other"
    ),
}


@pytest.mark.heavy
@pytest.mark.parametrize("role", POLICIES)
@pytest.mark.parametrize("what", ELSEWHERE)
def test_calls_outside_are_denied(world: World, role: str, what: str) -> None:
    """Beyond its prefixes, its queue, its group."""
    document = POLICIES[role](world.blueprint)
    with a_worker(world, document) as worker, pytest.raises(ClientError) as caught:
        ELSEWHERE[what](worker)
    code = caught.value.response["Error"]["Code"]
    assert code in {"AccessDenied", "AuthorizationError", "UnauthorizedOperation"}
