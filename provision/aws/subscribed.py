"""Whom we subscribed to the alarms so far, by the topic's tag, and whether they agreed."""

from typing import TYPE_CHECKING

from provision.aws.calls import unless_gone
from provision.core.resource import plain_tags
from provision.resources import alarm_mail
from provision.resources.subscription import PENDING, SubscriptionProvider, subscription_key
from provision.spec.blueprint import Consent
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


def read_subscribed(sns: "SNSClient", names: Names) -> dict[str, Consent]:
    """Return the addresses in the tag's order; none without a topic. Raises ClientError."""
    arn = names.alarm_topic_arn
    told = unless_gone(lambda: sns.list_tags_for_resource(ResourceArn=arn))
    tags = plain_tags(told.get("Tags", [])) if told else {}
    provider = SubscriptionProvider(sns, names)
    return {
        address: _consent(provider.arn(subscription_key(names.alarm_topic, "email", address)))
        for address in alarm_mail.read(tags.get(alarm_mail.EMAIL_TAG, ""))
    }


def _consent(arn: str | None) -> Consent:
    if arn is None:
        return Consent.GONE
    return Consent.AWAITED if arn == PENDING else Consent.GIVEN
