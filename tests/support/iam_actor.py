"""A role of an embedded AWS that enforces IAM, and clients that act as it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from worker.demo.embedded.server import REGION, EmbeddedAws

Client = Any
"""A boto3 client."""


@dataclass(slots=True)
class Actor:
    """A role, and clients that act as it."""

    aws: EmbeddedAws
    iam: Client
    name: str
    arn: str
    clients: dict[str, Client]

    def may(self, *statements: Mapping[str, object]) -> None:
        """Give it one inline policy, in place of what it had."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.iam.put_role_policy(RoleName=self.name, PolicyName="it", PolicyDocument=document)

    def client(self, service: str) -> Client:
        """Give a client of its own."""
        if service not in self.clients:
            make: Any = boto3.client
            self.clients[service] = make(
                service,
                endpoint_url=self.aws.endpoint_url,
                region_name=REGION,
                config=Config(retries={"total_max_attempts": 1}),
                **self.aws.credentials(self.arn),
            )
        return self.clients[service]


def allow(
    action: str, resource: str = "*", condition: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Write a statement that allows."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})
