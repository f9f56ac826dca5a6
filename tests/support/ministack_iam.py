"""A pipeline in a ministack that enforces IAM, and roles in it that note what they are denied."""

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import boto3
import botocore.session

from provision.apply import apply, observe
from provision.aws.session import Aws
from provision.core.plan import Intention, Plan, make_plan
from provision.core.resource import Found, Json, Key, Provider
from provision.resources import pipeline, role
from provision.spec.blueprint import Blueprint
from support import flow_aws
from support.operator_role import TRUST
from support.provision_twin import Heard
from support.worker_policies import listed
from support.worker_story import Worker

BATCHES: Final = ("sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
"""Of these ministack asks for `…Batch` where IAM knows no such action."""

ANYWHERE: Final = ("sns:ListTagsForResource", "sns:TagResource")
"""These ministack asks for on `*`, as it does not look where their requests name the topic."""

BODILESS: Final = {"s3.HeadObject": "s3:GetObject", "s3.HeadBucket": "s3:ListBucket"}
"""What was denied where the answer has no body to say so."""


class Clients(Aws):
    """Clients of a ministack; `denied` lists the actions that were refused, oldest first.

    `tls`: they come as through a proxy that ends TLS before it.
    """

    def __init__(self, url: str, *keys: str, tls: bool = True) -> None:
        self.url = url
        self.denied: list[str] = []
        core = botocore.session.Session()
        core.register("after-call", self._answered)
        if tls:
            core.register("before-send", _through_a_proxy)
        key, secret, *token = keys
        session = boto3.Session(
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token[0] if token else None,
            region_name=flow_aws.REGION,
            botocore_session=core,
        )
        super().__init__(session, url)

    def close(self) -> None:
        """Close every client that was made."""
        for made in vars(self).values():
            if hasattr(made, "close"):
                made.close()

    def _answered(self, **told: Any) -> None:  # noqa: ANN401 - whatever botocore tells its handlers
        error = told["parsed"].get("Error", {})
        named = re.search(r"not authorized to perform: (\S+)", error.get("Message", ""))
        if named:
            self.denied.append(named[1])
        elif error.get("Code") == "403":
            self.denied.append(BODILESS[".".join(str(told["event_name"]).split(".")[-2:])])


def _through_a_proxy(**told: Any) -> None:  # noqa: ANN401 - likewise
    told["request"].headers["X-Forwarded-Proto"] = "https"


@dataclass(frozen=True, slots=True)
class Account:
    """A stack's pipeline and roles in a ministack, as whoever `aws` acts as: at first its root."""

    url: str
    blueprint: Blueprint
    aws: Aws

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.blueprint.names.stack

    @property
    def wanted(self) -> tuple[Intention, ...]:
        """What the stack wants of what ministack can have."""
        roles = (role.worker_role(self.blueprint), role.lambda_role(self.blueprint))
        made = tuple(Intention(each.key, each) for each in roles)
        return (*pipeline.intentions(self.blueprint), *made)

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Who provides each kind."""
        names = self.blueprint.names
        made = pipeline.providers(self.aws.s3, self.aws.sns, self.aws.sqs, names)
        return {**made, role.KIND: role.RoleProvider(self.aws.iam, names.region)}

    def found(self) -> Mapping[Key, Found | None]:
        """Look at all of it."""
        return observe(self.wanted, self.providers)

    def plan(self) -> Plan:
        """Look, and compare."""
        return make_plan(self.wanted, self.found(), stack=self.stack, adopt=frozenset())

    def carry_out(self, planned: Plan) -> None:
        """Carry out a plan; raises what stopped it."""
        done = apply(planned, self.providers, stack=self.stack, progress=Heard(), sleep=time.sleep)
        if done.error is not None:
            raise done.error

    @contextmanager
    def role(self, *documents: Json, tls: bool = True) -> Iterator[Clients]:
        """Give clients of a role with these policies."""
        iam, name = self.aws.iam, f"acting-{uuid.uuid4().hex[:10]}"
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        for number, document in enumerate(documents):
            text = json.dumps(document)
            made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=text)["Policy"]
            iam.attach_role_policy(RoleName=name, PolicyArn=made["Arn"])
        key = self.aws.sts.assume_role(RoleArn=arn, RoleSessionName="acting")["Credentials"]
        keys = (key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
        clients = Clients(self.url, *keys, tls=tls)
        yield clients
        clients.close()

    @contextmanager
    def worker(self, document: Json) -> Iterator[tuple[Worker, Clients]]:
        """Give a worker of such a role, and its clients."""
        with self.role(as_it_asks(document)) as clients:
            yield Worker(self, clients, uuid.uuid4().hex[:10], guarded=False), clients


@contextmanager
def an_account(backend: flow_aws.Aws, blueprint: Blueprint) -> Iterator[Account]:
    """Give a ministack's account with this stack and a group of one instance."""
    root = Clients(backend.url, backend.access_key, "unchecked")
    account = Account(backend.url, blueprint, root)
    account.carry_out(account.plan())
    data: Any = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.small"}
    root.ec2.create_launch_template(LaunchTemplateName="group", LaunchTemplateData=data)
    root.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=blueprint.names.group,
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-2a"],
        LaunchTemplate={"LaunchTemplateName": "group", "Version": "1"},
    )
    yield account
    root.close()


def as_it_asks(document: Json) -> Json:
    """Return the document as ministack asks for what it grants."""
    assert isinstance(document, dict)
    statements = []
    for statement in document["Statement"]:
        actions = listed(statement["Action"])
        batches = [f"{each}Batch" for each in actions if each in BATCHES]
        statements.append({**statement, "Action": [*actions, *batches]})
        if anywhere := [each for each in actions if each in ANYWHERE]:
            statements.append({"Effect": "Allow", "Action": anywhere, "Resource": "*"})
    return {**document, "Statement": statements}
