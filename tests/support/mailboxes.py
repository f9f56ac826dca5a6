"""What the people do whom a topic mails to: they agree, or want no more."""

from collections.abc import Iterator

from moto.sns.models import Subscription, sns_backends

from support.stacks import ACCOUNT, REGION


def agree(address: str) -> None:
    """Follow the link in the mail: every subscription of the address has its ARN from now on."""
    for arn, each in _of(address):
        each.arn = arn


def want_no_more(address: str) -> None:
    """Follow the link below a mail: SNS lists the subscription for some days, with no ARN."""
    for _, each in _of(address):
        each.arn = "Deleted"  # SNS's own word


def let_lapse(address: str) -> None:
    """Let the days pass after which SNS clears away what nobody agreed to."""
    for arn, _ in list(_of(address)):
        del sns_backends[ACCOUNT][REGION].subscriptions[arn]


def _of(address: str) -> Iterator[tuple[str, Subscription]]:
    for arn, each in sns_backends[ACCOUNT][REGION].subscriptions.items():
        if each.endpoint == address:
            yield arn, each
