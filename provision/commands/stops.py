"""What stopped a command, in plain words, and the next thing to do about it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)
from botocore.parsers import ResponseParserError

from provision.aws.calls import code_of, message_of
from provision.aws.refusals import STOPS, is_busy, is_signed_out
from provision.errors import PartialError

DENIED: Final = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "403")
UNREACHED: Final = (ConnectTimeoutError, EndpointConnectionError, HTTPClientError)
CLOCK: Final = ("RequestTimeTooSkewed", "RequestInTheFuture")
STUCK: Final = {
    "BucketNotEmpty": "`provision destroy --with-files` takes the files as well, every one of them",
    "DependencyViolation": (
        "somebody else's instance or interface still has it: `aws ec2 describe-network-interfaces"
        " --filters Name=group-name,Values=NAME` shows which"
    ),
    "DeleteConflict": "somebody else still uses it: AWS's words say what hangs on it",
}
"""What neither time nor another try of ours ends."""

PURGED: Final = "a purge of a moment ago is not over: wait a minute, then purge what came since"

SIGN_IN: Final = (
    "the credentials are missing, unknown or have expired: sign in again (`aws sso login`), or see"
    " --profile and AWS_PROFILE"
)
WAIT: Final = "AWS is busy, and was asked several times already: wait a minute"


def told(error: Exception) -> str:
    """Return AWS's refusal as one line: the operation, the code, AWS's own words."""
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {code_of(error)}: {message_of(error)}"
    if isinstance(error, ResponseParserError):
        return "what answered does not speak as AWS does"
    return str(error)


def hint_for(error: Exception) -> str:
    """Return what to do about a refusal; empty where AWS's own words must do."""
    if isinstance(error, ClientError):
        return _hint_for_refusal(error)
    if isinstance(error, ResponseParserError):
        return "a proxy or a portal may have answered: see the network, and AWS_ENDPOINT_URL"
    if isinstance(error, UNREACHED):
        return "AWS was not reached: see the network, --region, --endpoint-url and AWS_ENDPOINT_URL"
    if isinstance(error, BotoCoreError):
        if is_signed_out(error):
            return SIGN_IN
        return "see --profile, --endpoint-url, AWS_PROFILE and AWS_ENDPOINT_URL"
    return ""


def _hint_for_refusal(error: ClientError) -> str:
    code = code_of(error)
    if code.startswith(DENIED):
        return "`provision policy operator` prints all that the operator's role needs"
    if is_signed_out(error):
        return SIGN_IN
    if code.startswith(CLOCK):
        return "set this machine's clock: AWS takes 15 minutes at most for a request's age"
    if code in STUCK:
        return STUCK[code]
    if code.endswith("PurgeQueueInProgress"):
        return PURGED
    return WAIT if is_busy(error) else ""


@contextmanager
def asked(again: str, so_far: str) -> Iterator[None]:
    """Within the block AWS is asked for one thing: refused, nothing was changed.

    Without an answer it may be under way, as `so_far` says; `again` says how it is gone on with.
    Raises PartialError.
    """
    try:
        yield
    except (*UNREACHED, ResponseParserError) as error:
        raise PartialError(so_far + told(error), f"{hint_for(error)}; then {again}") from error
    except KeyboardInterrupt as interrupt:
        raise PartialError(f"{so_far}interrupted", again) from interrupt


@contextmanager
def begun(
    again: str, so_far: str = "", remaining: Callable[[], str] | None = None
) -> Iterator[None]:
    """Within the block something has been changed: whatever stops it is told as half-way.

    `again` says how it is gone on with, `so_far` what is done already, `remaining` what is not.
    Raises PartialError.
    """

    def stopped(why: str) -> str:
        rest = f"\n  remaining: {remaining()}" if remaining else ""
        return f"{so_far}{why}{rest}"

    try:
        yield
    except STOPS as error:
        hint = hint_for(error)
        raise PartialError(
            stopped(told(error)), f"{hint}; then {again}" if hint else again
        ) from error
    except KeyboardInterrupt as interrupt:
        raise PartialError(stopped("interrupted"), again) from interrupt
