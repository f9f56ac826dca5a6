"""What a request of Lambda, CloudWatch, Logs or SSM needs; and of anything else."""

from collections.abc import Iterable, Mapping
from typing import Final

from moto.awslambda.models import lambda_backends
from moto.ec2.models import ec2_backends

from worker.demo.embedded.iam.asking import Asked
from worker.demo.embedded.iam.needs import (
    ACCOUNT,
    ANY,
    Need,
    Needs,
    arn,
    named,
    of_iam,
    of_sns,
    of_sqs,
    of_sts,
    pass_role,
    plain_tags,
    request_tags,
    resource_tags,
)
from worker.demo.embedded.iam.needs_ec2 import of_autoscaling, of_ec2
from worker.demo.embedded.iam.needs_kms import of_kms
from worker.demo.embedded.iam.needs_s3 import of_s3

_FUNCTION_LISTS: Final = {"ListFunctions", "ListEventSourceMappings", "GetAccountSettings"}
_ALARM_NAMES: Final = ("AlarmName", "AlarmNames")
_DASHBOARD_NAMES: Final = ("DashboardName", "DashboardNames")


def of_lambda(asked: Asked) -> Iterable[Need]:
    """Lambda: by function or by mapping; a new role is passed.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    given = asked.parameters
    action = f"lambda:{'InvokeFunction' if asked.operation == 'Invoke' else asked.operation}"
    function = _function_arn(asked, given.get("FunctionName") or "")
    if asked.operation in _FUNCTION_LISTS:
        return [Need(action)]
    if "EventSourceMapping" in asked.operation:
        return [_mapping_need(asked, action, function)]
    tags = plain_tags(given.get("Tags"))
    needs = [Need(action, given.get("Resource") or function, request_tags(tags))]
    if tags and asked.operation == "CreateFunction":
        needs.append(Need("lambda:TagResource", function, request_tags(tags)))
    return [*needs, *pass_role(given.get("Role") or "", "lambda.amazonaws.com")]


def _mapping_need(asked: Asked, action: str, function: str) -> Need:
    mappings = lambda_backends[ACCOUNT][asked.region]._event_source_mappings  # noqa: SLF001 # moto's only place
    uuid = asked.parameters.get("UUID")
    if uuid is None:
        return Need(action, ANY, {"lambda:FunctionArn": function})
    mapping = mappings.get(uuid)
    context = {} if mapping is None else {"lambda:FunctionArn": mapping.function_arn}
    return Need(action, arn(asked, "lambda", f"event-source-mapping:{uuid}"), context)


def _function_arn(asked: Asked, name: str) -> str:
    return name if name.startswith("arn:") else arn(asked, "lambda", f"function:{name}")


def of_cloudwatch(asked: Asked) -> Iterable[Need]:
    """CloudWatch: by alarm and dashboard; metrics have no resource.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    given, action = asked.parameters, f"cloudwatch:{asked.operation}"
    tags = request_tags(plain_tags(given.get("Tags")))
    alarms = [each for key in _ALARM_NAMES for each in named(given.get(key))]
    boards = [each for key in _DASHBOARD_NAMES for each in named(given.get(key))]
    found = [arn(asked, "cloudwatch", f"alarm:{each}") for each in alarms]
    found += [arn(asked, "cloudwatch", f"dashboard/{each}", region="") for each in boards]
    if asked.operation == "DescribeAlarms":
        found = found or [arn(asked, "cloudwatch", "alarm:*")]
    found += [given["ResourceARN"]] if "ResourceARN" in given else []
    space = {"cloudwatch:namespace": given["Namespace"]} if "Namespace" in given else {}
    needs = [Need(action, each, {**tags, **space}) for each in found or [ANY]]
    if tags and asked.operation == "PutMetricAlarm":
        needs += [Need("cloudwatch:TagResource", each, tags) for each in found]
    return needs


def of_logs(asked: Asked) -> Iterable[Need]:
    """Ask by log group, whose ARN ends in `:*`, and by stream.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """
    given, action = asked.parameters, f"logs:{asked.operation}"
    tags = request_tags(plain_tags(given.get("tags")))
    group, stream = given.get("logGroupName"), given.get("logStreamName")
    if "resourceArn" in given:
        return [Need(action, given["resourceArn"], tags)]
    if group is None:
        every = arn(asked, "logs", "log-group::log-stream:")
        return [Need(action, every if asked.operation.startswith("Describe") else ANY)]
    end = f"log-stream:{stream}" if stream else ""
    needs = [Need(action, arn(asked, "logs", f"log-group:{group}:{end}"), tags)]
    if tags and asked.operation == "CreateLogGroup":
        needs.append(Need("logs:TagResource", arn(asked, "logs", f"log-group:{group}:"), tags))
    return needs


def of_ssm(asked: Asked) -> Iterable[Need]:
    """SSM: a command needs its document and every instance; a parameter, its name.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    """
    given, action = asked.parameters, f"ssm:{asked.operation}"
    if asked.operation == "SendCommand":
        return [Need(action, _document(asked)), *_instance_needs(asked, action)]
    names = [*named(given.get("Name")), *named(given.get("Names")), *named(given.get("Path"))]
    if "Parameter" in asked.operation and names:
        return [Need(action, _parameter(asked, each)) for each in names]
    return [Need(action)]


def _document(asked: Asked) -> str:
    name = asked.parameters.get("DocumentName", "")
    account = "" if name.startswith("AWS-") else ACCOUNT
    return f"arn:aws:ssm:{asked.region}:{account}:document/{name}"


def _instance_needs(asked: Asked, action: str) -> Iterable[Need]:
    kept: Mapping[str, Mapping[str, str]] = ec2_backends[ACCOUNT][asked.region].tags
    for each in named(asked.parameters.get("InstanceIds")):
        tags = resource_tags(dict(kept.get(each, {})), "ssm")
        tags |= {f"ssm:resourceTag/{k}": v for k, v in kept.get(each, {}).items()}
        yield Need(action, arn(asked, "ec2", f"instance/{each}"), tags)


def _parameter(asked: Asked, name: str) -> str:
    account = "" if name.startswith("/aws/") else ACCOUNT
    return f"arn:aws:ssm:{asked.region}:{account}:parameter/{name.lstrip('/')}"


def of_anything(asked: Asked) -> Iterable[Need]:
    """Ask for the operation's own action, on no resource in particular."""
    return [Need(f"{asked.service.replace('-', '')}:{asked.operation}")]


SERVICES: Final[Mapping[str, Needs]] = {
    "autoscaling": of_autoscaling,
    "cloudwatch": of_cloudwatch,
    "ec2": of_ec2,
    "iam": of_iam,
    "kms": of_kms,
    "lambda": of_lambda,
    "logs": of_logs,
    "s3": of_s3,
    "sns": of_sns,
    "sqs": of_sqs,
    "ssm": of_ssm,
    "sts": of_sts,
}


def needs_of(asked: Asked) -> list[Need]:
    """Give all that a request needs; each must be allowed."""
    return list(SERVICES.get(asked.service, of_anything)(asked))
