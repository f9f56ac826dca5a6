"""SNS: what a topic delivers to a queue, and when it may."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend, Subscription
from moto.sqs.exceptions import SQSException
from moto.sqs.models import sqs_backends

from worker.demo.embedded.patches import Moto
from worker.operator import policy

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_NO_SIGNATURE: Final = "bm90IHNpZ25lZA=="
"""Base64 of "not signed"."""

PENDING: Final = "PendingConfirmation"
"""What stands in the place of a subscription's ARN."""

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Deliver as AWS does."""
    patches = layer.patches
    patches.wrap(Subscription, "publish", lambda f: queue_policy_decides(layer, f))
    patches.replace(Subscription, "get_post_data", envelope)
    patches.wrap(SNSBackend, "create_topic", topic_keeps_its_tags)
    patches.wrap(SNSBackend, "subscribe", people_are_asked_first)
    patches.replace(SNSBackend, "list_subscriptions_by_topic", all_who_ponder_are_listed)


def queue_policy_decides(layer: "Layer", publish: Handler) -> Handler:
    """Rule 10: a queue gets a message only if it exists and its policy lets the topic send.

    Rule 17: nor does it get what is larger than its MaximumMessageSize. The publisher is told
    nothing of it: `EmbeddedAws.undelivered` is.
    """

    def published(self: Moto, *args: object, **kwargs: object) -> None:
        if self.protocol != "sqs":
            publish(self, *args, **kwargs)
            return
        _, _, _, region, account, name = self.endpoint.split(":")
        queue = sqs_backends[account][region].queues.get(name)
        if queue is None or not _may_send(queue, self.topic.arn):
            layer.undelivered.append(f"{self.topic.arn} may not send to {self.endpoint}")
            return
        try:
            publish(self, *args, **kwargs)
        except SQSException as error:
            layer.undelivered.append(f"{self.endpoint} refused a message: {error.message}")

    return published


def _may_send(queue: Moto, topic_arn: str) -> bool:
    return policy.allows(
        queue._policy_json,  # noqa: SLF001 # moto keeps the parsed policy nowhere else
        service="sns.amazonaws.com",
        action="sqs:SendMessage",
        resource=queue.queue_arn,
        context={"aws:SourceArn": topic_arn, "aws:SourceAccount": topic_arn.split(":")[4]},
    )


def topic_keeps_its_tags(create: Handler) -> Handler:
    """Rule 14: CreateTopic of a topic that exists fails if it names other tags."""

    def created(self: Moto, name: str, attributes: Moto = None, tags: Moto = None) -> Moto:
        arn = f"arn:aws:sns:{self.region_name}:{self.account_id}:{name}"
        there = self.topics.get(arn)
        if there is not None and tags and tags != there._tags:  # noqa: SLF001 # moto's only place
            raise SNSInvalidParameter(
                "Invalid parameter: Tags Reason: Topic already exists with different tags"
            )
        return create(self, name, attributes, tags)

    return created


def people_are_asked_first(subscribe: Handler) -> Handler:
    """Emulators' table, "e-mail": a subscription has no ARN until its owner agrees; moto's has.

    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """

    def subscribed(self: Moto, topic_arn: str, endpoint: str, protocol: str) -> Moto:
        known = set(self.subscriptions)
        made = subscribe(self, topic_arn, endpoint, protocol)
        if protocol.startswith("email") and made.arn not in known | {PENDING}:
            made.arn = PENDING
        return made

    return subscribed


def all_who_ponder_are_listed(
    self: Moto, topic_arn: str, next_token: str | None = None
) -> tuple[list[Moto], int | None]:
    """List a topic's subscriptions: moto tells of those without an ARN the last one only."""
    listed = self._get_topic_subscriptions(self.get_topic(topic_arn))
    told: tuple[list[Moto], int | None] = self._get_values_nexttoken(
        dict(enumerate(listed)), next_token
    )
    return told


def envelope(
    self: Moto, message: str, message_id: str, subject: str | None, message_attributes: Moto = None
) -> dict[str, Moto]:
    """Build the JSON envelope in AWS's form, with the Subject; its signature is a placeholder.

    Moto makes and signs a certificate for each message, most of what a publish costs; nobody
    verifies what comes out of a queue.
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """
    host = f"https://sns.{self.topic.sns_backend.region_name}.amazonaws.com"
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": self.topic.arn,
        **({"Subject": subject} if subject else {}),
        "Message": message,
        "Timestamp": now.replace("+00:00", "Z"),
        "SignatureVersion": "1",
        "Signature": _NO_SIGNATURE,
        "SigningCertURL": f"{host}/SimpleNotificationService-embedded.pem",
        "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={self.arn}",
        **({"MessageAttributes": message_attributes} if message_attributes else {}),
    }
