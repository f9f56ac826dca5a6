"""One call of boto3, tried again while it may pass; what went wrong comes back as a reply."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from worker.aws.s3_replies import AWS_ERRORS, reply_to_error
from worker.core.port import Fault, FaultKind, Reply

Answer: TypeAlias = Mapping[str, Any] | Reply
"""boto3's response; or a reply that says why there is none."""

MAX_TRIES = 3
"""A check is run again by whoever reads it (or by systemd); it need not be stubborn."""

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 2.0
"""Full jitter up to this between tries: a throttled start waits a moment, a reader does not."""


class Asking:
    """Calls AWS for checks and listings; `sleep` takes seconds."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._tries = Retrying(
            retry=retry_if_result(_passes),
            wait=wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            stop=stop_after_attempt(MAX_TRIES),
            sleep=sleep,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )

    def __call__(self, operation: str, call: Callable[..., Any], **parameters: object) -> Answer:
        """Call; raises only what is no word of AWS's."""
        answer: Answer = self._tries(_once, operation, call, parameters)
        return answer


def _once(operation: str, call: Callable[..., Any], parameters: Mapping[str, object]) -> Answer:
    try:
        response: Mapping[str, Any] = call(**parameters)
    except AWS_ERRORS as error:
        return reply_to_error(operation, error)
    return response


def _passes(answer: Answer) -> bool:
    kinds = {FaultKind.THROTTLED, FaultKind.UNAVAILABLE}
    return isinstance(answer, Fault) and answer.kind in kinds


def as_fault(operation: str, answer: Answer) -> Fault:
    """Return what went wrong as a Fault, also where the reply is one that moves know by name."""
    if isinstance(answer, Fault):
        return answer
    return Fault(FaultKind.REFUSED, operation, type(answer).__name__, "an unexpected reply")
