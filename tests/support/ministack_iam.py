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
from provision.core.plan import Plan, make_plan
from provision.core.resource import Json
from provision.resources import pipeline
from provision.spec.blueprint import Blueprint
from support import flow_aws
from support.operator_role import TRUST
from support.provision_twin import Heard
from support.worker_policies import listed
from support.worker_story import Worker

BATCHES: Final = ("sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
"""Of these ministack asks for `…Batch` where IAM knows no such action."""

BODILESS: Final = {"s3.HeadObject": "s3:GetObject"}
"""What was denied where the answer has no body to say so."""


class Clients(Aws):
    """Clients of a ministack; `denied` lists the actions that were refused, oldest first.

    `tls`: they come as through a proxy that ends TLS before it.
    """

    def __init__(self, url: str, *keys: str, tls: bool = True) -> None:
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
    """A stack's pipeline; `aws` acts as the account's root."""

    url: str
    blueprint: Blueprint
    aws: Aws

    def plan(self, aws: Aws) -> Plan:
        """Look as whoever `aws` is, and compare."""
        wanted = pipeline.intentions(self.blueprint)
        found = observe(wanted, self._providers(aws))
        return make_plan(wanted, found, stack=self.blueprint.names.stack, adopt=frozenset())

    def apply(self, aws: Aws) -> None:
        """Plan and carry it out as whoever `aws` is; raises what stopped it."""
        stack = self.blueprint.names.stack
        planned, providers = self.plan(aws), self._providers(aws)
        done = apply(planned, providers, stack=stack, progress=Heard(), sleep=time.sleep)
        if done.error is not None:
            raise done.error

    def _providers(self, aws: Aws) -> Mapping[str, Any]:
        return pipeline.providers(aws.s3, aws.sns, aws.sqs, self.blueprint.names)

    @contextmanager
    def role(self, document: Json, *, tls: bool = True) -> Iterator[Clients]:
        """Give clients of a role with this one policy."""
        iam, name = self.aws.iam, f"acting-{uuid.uuid4().hex[:10]}"
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(document))
        made = self.aws.sts.assume_role(RoleArn=arn, RoleSessionName="acting")["Credentials"]
        keys = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        clients = Clients(self.url, *keys, tls=tls)
        yield clients
        clients.close()

    @contextmanager
    def worker(self, document: Json) -> Iterator[tuple[Worker, Clients]]:
        """Give a worker of such a role, and its clients."""
        with self.role(with_batches(document)) as clients:
            yield Worker(self, clients, uuid.uuid4().hex[:10], guarded=False), clients


@contextmanager
def an_account(backend: flow_aws.Aws, blueprint: Blueprint) -> Iterator[Account]:
    """Give a ministack's account with this stack's pipeline and a group of one instance."""
    root = Clients(backend.url, backend.access_key, "unchecked")
    account = Account(backend.url, blueprint, root)
    account.apply(root)
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


def with_batches(document: Json) -> Json:
    """Return the document with the batch action wherever the action itself is granted."""
    assert isinstance(document, dict)
    statements = []
    for statement in document["Statement"]:
        actions = listed(statement["Action"])
        batches = [f"{each}Batch" for each in actions if each in BATCHES]
        statements.append({**statement, "Action": [*actions, *batches]})
    return {**document, "Statement": statements}
