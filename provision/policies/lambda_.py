"""What the function's role may do: move as the worker does; Lambda itself receives for it. Pure."""

from typing import Final

from provision.core.resource import Json
from provision.policies.grants import Grant, policy_document
from provision.policies.worker import moving, reading_encrypted
from provision.spec.blueprint import Blueprint

LAMBDA_ITSELF: Final = ("Lambda itself",)


def lambda_policy(blueprint: Blueprint) -> Json:
    """Return the inline policy of the function's role."""
    return policy_document(lambda_grants(blueprint))


def lambda_grants(blueprint: Blueprint) -> tuple[Grant, ...]:
    """Return what the function and its event source mapping call.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    names = blueprint.names
    group = names.arn("logs", f"log-group:{names.function_log_group}")
    polls = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    logs = ("logs:CreateLogStream", "logs:PutLogEvents")
    return (
        *moving(blueprint),
        Grant("Receive", dict.fromkeys(polls, LAMBDA_ITSELF), (names.queue_arn,)),
        *reading_encrypted(blueprint, LAMBDA_ITSELF),
        Grant("WriteLog", dict.fromkeys(logs, LAMBDA_ITSELF), (f"{group}:log-stream:*",)),
    )
