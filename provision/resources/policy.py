"""Policy documents in one normal form, so that AWS's own spelling of them is no drift. Pure."""

import json

from provision.core.resource import Json


def document(*statements: Json) -> Json:
    """Return a policy document of these statements, in normal form."""
    return normal({"Version": "2012-10-17", "Statement": list(statements)})


def service_statement(
    *, sid: str, service: str, action: str, resource: str, condition: Json
) -> Json:
    """Return a statement that lets an AWS service do one thing to one resource."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }


def parsed(text: str | None) -> Json:
    """Return a policy's text as a document in normal form; None for no policy."""
    return normal(json.loads(text)) if text else None


def text_of(policy: Json) -> str:
    """Return the text to send to AWS."""
    return json.dumps(policy, sort_keys=True)


def normal(value: Json) -> Json:
    """Sort every list, and write a list of one as its element, as IAM itself treats them."""
    if isinstance(value, dict):
        return {
            name: _listed(each) if name == "Statement" else normal(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        members = sorted((normal(each) for each in value), key=text_of)
        return members[0] if len(members) == 1 else members
    return value


def _listed(statements: Json) -> Json:
    listed = statements if isinstance(statements, list) else [statements]
    return sorted((normal(each) for each in listed), key=text_of)
