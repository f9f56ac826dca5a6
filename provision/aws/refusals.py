"""Which of AWS's refusals say nothing of what was asked for: there is no session, or no time."""

from typing import Final

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from provision.aws.calls import code_of

STOPS: Final = (ClientError, BotoCoreError, ResponseParserError)
"""All that a call raises: AWS's refusal, none to be had, and an answer that is not AWS's."""

NOT_SIGNED_IN: Final = (
    "ExpiredToken",
    "RequestExpired",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "InvalidToken",
    "UnrecognizedClient",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "400",
)
"""As the services call it; the number is S3's answer to HEAD, which has no words."""

WITHOUT_CREDENTIALS: Final = (
    exceptions.CredentialRetrievalError,
    exceptions.NoAuthTokenError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
BUSY: Final = (
    "Throttl",
    "KmsThrottl",
    "KMSThrottl",
    "RequestLimitExceeded",
    "RequestThrottled",
    "TooManyRequests",
    "SlowDown",
    "LimitExceededException",
    "EC2ThrottledException",
)
SERVER_FAULT: Final = 500


def is_signed_out(error: ClientError | BotoCoreError) -> bool:
    """Say whether there is no session, or none any more."""
    if isinstance(error, ClientError):
        return code_of(error).startswith(NOT_SIGNED_IN)
    return isinstance(error, WITHOUT_CREDENTIALS)


def is_busy(error: ClientError | BotoCoreError) -> bool:
    """Say whether AWS is asked too much, or has a fault of its own; botocore has waited already."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error).startswith(BUSY) or status >= SERVER_FAULT


def must_be_about_the_thing(error: ClientError | BotoCoreError) -> None:
    """Raise a refusal again that came of the session or the hour, and says nothing of the thing."""
    if is_signed_out(error) or is_busy(error):
        raise error
