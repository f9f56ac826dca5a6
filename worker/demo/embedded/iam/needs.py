"""What a request needs to be allowed: actions on resources, with their condition keys."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from worker.demo.embedded.iam.asking import Asked
from worker.demo.embedded.patches import Moto
from worker.operator.policy import Values

ACCOUNT: Final = "123456789012"
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Need:
    """One permission: `action` on `resource`; `context` beside the keys that every request has."""

    action: str
    resource: str = ANY
    context: Mapping[str, Values] = field(default_factory=dict)


Needs = Callable[[Asked], Iterable[Need]]


def arn(asked: Asked, service: str, resource: str, *, region: str | None = None) -> str:
    """Write the ARN of a resource in the request's region, or in another, or in none ("")."""
    where = asked.region if region is None else region
    return f"arn:aws:{service}:{where}:{ACCOUNT}:{resource}"


def request_tags(tags: Mapping[str, str]) -> dict[str, Values]:
    """Give the condition keys of tags that a request brings."""
    if not tags:
        return {}
    return {**{f"aws:RequestTag/{k}": v for k, v in tags.items()}, "aws:TagKeys": list(tags)}


def resource_tags(tags: Mapping[str, str], service: str = "") -> dict[str, Values]:
    """Give the condition keys of a resource's tags, also as `service` writes them by itself."""
    prefixes = ["aws:ResourceTag", *([f"{service}:ResourceTag"] if service else [])]
    return {f"{prefix}/{k}": v for prefix in prefixes for k, v in tags.items()}


def plain_tags(found: Moto) -> dict[str, str]:
    """Read tags however a service writes them: a map, or a list of Key and Value."""
    if isinstance(found, Mapping):
        return dict(found)
    pairs = [{name.lower(): value for name, value in each.items()} for each in found or []]
    return {each["key"]: each.get("value", "") for each in pairs}


def pass_role(role: str, service: str) -> list[Need]:
    """Rule 6: whoever gives a role to a service needs iam:PassRole on it."""
    return [Need("iam:PassRole", role, {"iam:PassedToService": service})] if role else []


def role_arn(name: str) -> str:
    """Give a role's ARN by its name, with its path if it is there."""
    try:
        found: str = iam_backends[ACCOUNT]["aws"].get_role(name).arn
    except NotFoundException:
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return found


# --- SQS and SNS ----------------------------------------------------------------------------------


def of_sqs(asked: Asked) -> Iterable[Need]:
    """SQS: batches need what their single operation needs; a redrive needs reading and sending.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    """
    action = "sqs:" + asked.operation.removesuffix("Batch")
    if asked.operation == "ListQueues":
        return [Need(action)]
    where = _queue_arn(asked)
    tags = plain_tags(asked.parameters.get("tags") or asked.parameters.get("Tags"))
    queue = sqs_backends[ACCOUNT][asked.region].queues.get(where.rsplit(":", 1)[-1])
    known = resource_tags(plain_tags(queue.tags) if queue is not None else {})
    needs = [Need(action, where, known | request_tags(tags))]
    if asked.operation == "CreateQueue" and tags:
        needs.append(Need("sqs:TagQueue", where, request_tags(tags)))
    if asked.operation == "StartMessageMoveTask":
        reads = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        needs += [Need(f"sqs:{each}", where, known) for each in reads]
        target = asked.parameters.get("DestinationArn")
        targets = [target] if target else _sources_of(asked, where)
        needs += [Need("sqs:SendMessage", each) for each in targets]
    return needs


def _sources_of(asked: Asked, dead_letters: str) -> list[str]:
    """Name the queues whose dead letters go there: without a destination they go back."""
    queues = list(sqs_backends[ACCOUNT][asked.region].queues.values())
    return [each.queue_arn for each in queues if _target(each) == dead_letters]


def _target(queue: Moto) -> str | None:
    return None if queue.dead_letter_queue is None else queue.dead_letter_queue.queue_arn


def _queue_arn(asked: Asked) -> str:
    given = asked.parameters
    if source := given.get("SourceArn"):
        return str(source)
    if handle := given.get("TaskHandle"):
        try:
            return str(json.loads(base64.b64decode(handle))["sourceArn"])
        except (binascii.Error, ValueError, KeyError):
            return ANY
    name = given.get("QueueName") or str(given.get("QueueUrl", "")).rsplit("/", 1)[-1]
    return arn(asked, "sqs", name)


def of_sns(asked: Asked) -> Iterable[Need]:
    """SNS: by topic, but for what is about a subscription or a list.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
    """
    given = asked.parameters
    action = "sns:" + asked.operation.removesuffix("Batch")
    topic = given.get("TopicArn") or given.get("ResourceArn") or given.get("TargetArn")
    tags = plain_tags(given.get("Tags"))
    if asked.operation == "CreateTopic":
        topic = arn(asked, "sns", given["Name"])
    found = sns_backends[ACCOUNT][asked.region].topics.get(topic)
    known = resource_tags(plain_tags(found._tags) if found is not None else {})  # noqa: SLF001 # moto's only place
    needs = [Need(action, topic or ANY, known | request_tags(tags))]
    if asked.operation == "CreateTopic" and tags:
        needs.append(Need("sns:TagResource", str(topic), request_tags(tags)))
    return needs


# --- IAM and STS ----------------------------------------------------------------------------------

_KINDS: Final = (
    # First: whoever takes a role out of a profile changes the profile.
    ("InstanceProfileName", "instance-profile"),
    ("RoleName", "role"),
    ("UserName", "user"),
    ("PolicyName", "policy"),
)


def of_iam(asked: Asked) -> Iterable[Need]:
    """IAM: by the entity that is named; a role that goes into a profile is passed to EC2.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    """
    given = asked.parameters
    action, context = f"iam:{asked.operation}", request_tags(plain_tags(given.get("Tags")))
    if "PolicyArn" in given and "Policy" in asked.operation:
        context["iam:PolicyARN"] = given["PolicyArn"]
    if service := given.get("AWSServiceName"):
        where = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/*"
        return [Need(action, where, {"iam:AWSServiceName": service})]
    if asked.operation == "AddRoleToInstanceProfile":
        profile = arn(asked, "iam", f"instance-profile/{given['InstanceProfileName']}", region="")
        role = role_arn(given["RoleName"])
        return [Need(action, profile), *pass_role(role, "ec2.amazonaws.com")]
    needs = [Need(action, _entity(asked), context)]
    if given.get("Tags") and asked.operation.startswith("Create"):
        needs.append(Need(f"iam:Tag{asked.operation[6:]}", _entity(asked), context))
    return needs


def _entity(asked: Asked) -> str:
    given = asked.parameters
    path = given.get("Path") or "/"
    for parameter, kind in _KINDS:
        if parameter not in given or (kind == "policy" and asked.operation != "CreatePolicy"):
            continue
        if kind == "role" and asked.operation != "CreateRole":
            return role_arn(given[parameter])
        return arn(asked, "iam", f"{kind}{path}{given[parameter]}", region="")
    return str(given.get("PolicyArn") or ANY)


def of_sts(asked: Asked) -> Iterable[Need]:
    """STS: GetCallerIdentity needs nothing, whatever a policy says; the role's trust is AWS's.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    if asked.operation == "GetCallerIdentity":
        return []
    return [Need(f"sts:{asked.operation}", asked.parameters.get("RoleArn", ANY))]


def named(values: Moto) -> Sequence[str]:
    """Give strings as a list: one, several, or none."""
    if not values:
        return []
    return [values] if isinstance(values, str) else list(values)
