"""An operator who acts as a role of their own, whose policies are enforced."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from provision.aws.group_facts import group_facts
from provision.canary import Canaries
from provision.core.resource import Json
from provision.policies.operator import operator_policies
from provision.spec.names import Names
from provision.verify import canary_route
from support.provision_world import World
from support.recorded_aws import RecordedAws
from worker.demo.embedded.server import EmbeddedAws

Documents = Mapping[str, Json]

TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        },
    }
)

_NUMBERS = itertools.count()


@dataclass(slots=True)
class Agents:
    """Instances whose Systems Manager agents answer that the worker's service is active."""

    known: list[str] = field(default_factory=list)

    def instances(self) -> Sequence[str]:
        """Name the instances whose agent is online."""
        return self.known

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Answer as a healthy instance does."""
        del instance_id, commands
        return 0, "active\n", ""


@dataclass(slots=True)
class Operator:
    """`world` acts as the operator; `admin` prepares, tampers, and plays the worker."""

    admin: World
    world: World
    role: str
    agents: Agents
    now: float = 0.0

    @property
    def names(self) -> Names:
        """The stack's names."""
        return self.world.blueprint.names

    def sleep(self, seconds: float) -> None:
        """Let time pass, in which a worker moves what lies there."""
        self.now += seconds
        self.world.region.clock.advance(seconds)
        s3, bucket = self.admin.aws.s3, self.names.bucket
        for each in s3.list_objects_v2(Bucket=bucket, Prefix="uploads/").get("Contents", []):
            target = each["Key"].replace("uploads/", "processed/", 1)
            s3.copy_object(Bucket=bucket, Key=target, CopySource=f"{bucket}/{each['Key']}")
            s3.delete_object(Bucket=bucket, Key=each["Key"])

    def pause(self, why: str, seconds: float) -> None:
        """Let time pass while AWS is waited for."""
        del why
        self.world.region.clock.advance(seconds)

    def canaries(self) -> Canaries:
        """Return whoever sends canaries."""
        route = canary_route(self.world.aws, self.world.blueprint)
        assert route is not None
        aws = self.world.aws
        return Canaries(aws.s3, aws.sqs, route, sleep=self.sleep, clock=lambda: self.now)

    def instances(self) -> list[str]:
        """Return the group's instances, which all have an agent."""
        found = group_facts(self.admin.aws.autoscaling, self.admin.aws.ec2, self.names.group)
        self.agents.known = [each.id for each in found.instances] if found else []
        return self.agents.known


@contextmanager
def an_operator(
    admin: World, agents: Agents, documents: Documents | None = None
) -> Iterator[Operator]:
    """Give an operator with these documents, or with all that `provision policy` prints."""
    iam, name = admin.aws.iam, f"{admin.stack}-operator-{next(_NUMBERS)}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    for part, document in (documents or operator_policies(admin.blueprint)).items():
        policy = iam.create_policy(
            PolicyName=f"{name}-{part}", PolicyDocument=json.dumps(document)
        )["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    aws = RecordedAws(admin.region, role)
    with admin.region.enforcing_iam():
        yield Operator(admin, replace(admin, aws=aws), name, agents)
    aws.close()


def without(documents: Documents, sid: str) -> Documents:
    """Return the documents without one statement."""
    left = {}
    for name, document in documents.items():
        assert isinstance(document, dict)
        kept = [each for each in document["Statement"] if each["Sid"] != sid]
        left[name] = {**document, "Statement": kept}
    return left


def denied(region: EmbeddedAws) -> list[str]:
    """Return what anybody was denied since the record began: "action on resource"."""
    return [f"{each.action} on {each.resource}" for each in region.accesses if not each.allowed]
