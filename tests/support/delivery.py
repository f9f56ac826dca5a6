"""The policies by which one service may deliver to another, as rule 10 has them."""

import json


def may_deliver(service: str, action: str, resource: str, source: str) -> str:
    """Write a policy that lets `service` do `action` on behalf of `source`, and nobody else."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnLike": {"aws:SourceArn": source}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
