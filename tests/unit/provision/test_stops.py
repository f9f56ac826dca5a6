"""What stops a command is told with the next thing to do, and half-way is told as half-way."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from support.provision_twin import refusal

from provision.commands.stops import begun, hint_for
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
    ],
)
def test_what_never_reached_aws_has_its_next_step(error: BotoCoreError, hint: str) -> None:
    """Credentials, the network, and a slip in a name are told apart."""
    assert hint in hint_for(error)


@pytest.mark.parametrize(
    "stop", [refusal("ExpiredToken", "it is over"), NoCredentialsError(), KeyboardInterrupt()]
)
def test_half_way_is_exit_status_3_and_how_it_is_gone_on_with(stop: BaseException) -> None:
    """Something was changed by then: never "nothing was changed", never a bare "Aborted!"."""
    with pytest.raises(PartialError) as ended, begun(AGAIN, "so far: "):
        raise stop
    assert ended.value.exit_code is ExitCode.PARTIAL
    assert str(ended.value).startswith("so far: ")
    assert ended.value.hint.endswith(AGAIN)
