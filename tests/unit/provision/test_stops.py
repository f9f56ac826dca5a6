"""What stops a command is told with the next thing to do, and half-way is told as half-way."""

import pytest
from botocore.exceptions import (
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError
from support.provision_twin import refusal

from provision.commands.stops import asked, begun, hint_for
from provision.errors import ExitCode, PartialError

AGAIN = "run it again"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDenied", "provision policy operator"),
        ("UnauthorizedOperation", "provision policy operator"),
        ("403", "provision policy operator"),
        ("ExpiredToken", "sign in again"),
        ("ExpiredTokenException", "sign in again"),
        ("RequestExpired", "sign in again"),
        ("InvalidAccessKeyId", "sign in again"),
        ("UnrecognizedClientException", "sign in again"),
        ("AuthFailure", "sign in again"),
        ("400", "sign in again"),
        ("RequestTimeTooSkewed", "clock"),
        ("BucketNotEmpty", "provision destroy --with-files"),
        ("DependencyViolation", "describe-network-interfaces"),
        ("Throttling", "wait a minute"),
        ("ThrottlingException", "wait a minute"),
        ("RequestLimitExceeded", "wait a minute"),
        ("SlowDown", "wait a minute"),
        ("AWS.SimpleQueueService.PurgeQueueInProgress", "wait a minute"),
        ("TooManyRequestsException", "wait a minute"),
    ],
)
def test_a_refusal_has_its_next_step(code: str, hint: str) -> None:
    """Whatever the services call it."""
    assert hint in hint_for(refusal(code))


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (NoCredentialsError(), "sign in again"),
        (CredentialRetrievalError(provider="sso", error_msg="expired"), "sign in again"),
        (UnauthorizedSSOTokenError(), "sign in again"),
        (EndpointConnectionError(endpoint_url="https://x"), "network"),
        (ProfileNotFound(profile="x"), "--profile"),
        (ResponseParserError("<html>"), "a proxy or a portal"),
    ],
)
def test_what_never_reached_aws_has_its_next_step(error: Exception, hint: str) -> None:
    """Credentials, the network, and a slip in a name are told apart."""
    assert hint in hint_for(error)


@pytest.mark.parametrize(
    "stop",
    [
        refusal("ExpiredToken", "it is over"),
        NoCredentialsError(),
        ResponseParserError("<html>"),
        KeyboardInterrupt(),
    ],
)
def test_half_way_is_exit_status_3_and_how_it_is_gone_on_with(stop: BaseException) -> None:
    """Something was changed by then: never "nothing was changed", never a bare "Aborted!"."""
    with pytest.raises(PartialError) as ended, begun(AGAIN, "so far: "):
        raise stop
    assert ended.value.exit_code is ExitCode.PARTIAL
    assert str(ended.value).startswith("so far: ")
    assert ended.value.hint.endswith(AGAIN)


@pytest.mark.parametrize("stop", [ReadTimeoutError(endpoint_url="https://x"), KeyboardInterrupt()])
def test_one_call_without_an_answer_may_have_been_heard(stop: BaseException) -> None:
    """Exit status 3, though nobody knows."""
    with (
        pytest.raises(PartialError, match="it may be done") as ended,
        asked(AGAIN, "it may be done; "),
    ):
        raise stop
    assert ended.value.hint.endswith(AGAIN)


@pytest.mark.parametrize("stop", [refusal("AccessDenied"), NoCredentialsError()])
def test_one_call_that_was_refused_or_never_sent_has_changed_nothing(stop: Exception) -> None:
    """It passes as it is: exit status 1."""
    with pytest.raises(type(stop)), asked(AGAIN, "it may be done; "):
        raise stop
