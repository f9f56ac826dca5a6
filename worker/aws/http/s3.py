"""The S3 port on the event loop. What it does not speak itself, boto3 carries out in threads."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import SystemRandom

from worker.aws.http.places import OutOfReachError
from worker.aws.http.s3_forms import Spoken, UnspeakableError, form_of, reply_of
from worker.aws.http.sender import Sender
from worker.aws.s3 import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    BotoS3,
    Observer,
    most_tries,
    passes,
)
from worker.aws.s3_replies import AWS_ERRORS, reply_to_error
from worker.core.port import (
    CopyObject,
    DeleteObject,
    DeleteObjects,
    Fault,
    FaultKind,
    Replies,
    Reply,
    Request,
    Together,
    UploadPartCopy,
)

ELSEWHERE_CODES = frozenset(
    {
        "301",
        "302",
        "307",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",  # of a region that must be opted into
        "PermanentRedirect",
        "TemporaryRedirect",
    }
)
"""The bucket is in another region, or has just moved: boto3 knows how to follow."""


class LoopS3:
    """Carries out the requests of `worker.core.port`; for one event loop.

    `sender_of` finds a bucket's sender (raises OutOfReachError, or what botocore raises); `boto3`
    takes over what is not spoken here; `sleep` takes seconds. `conditions` as BotoS3 has it.
    """

    def __init__(
        self,
        sender_of: Callable[[str], Sender],
        boto3: BotoS3,
        sleep: Callable[[float], Awaitable[None]],
        *,
        conditions: bool = True,
    ) -> None:
        self._sender_of = sender_of
        self._boto3 = boto3
        self._sleep = sleep
        self._conditions = conditions
        self._observer: Observer = lambda _: None
        self._elsewhere: set[str] = set()
        self._dice = SystemRandom()

    def observe(self, observer: Observer) -> None:
        """Tell the observer of every try from now on."""
        self._observer = observer
        self._boto3.observe(observer)

    async def perform(self, request: Request) -> Reply:
        """Carry the request out, trying again what passes; raises only for a fault of ours."""
        if isinstance(request, Together):
            return Replies(tuple(await asyncio.gather(*map(self.perform, request.requests))))
        if not isinstance(request, Spoken) or _bucket(request) in self._elsewhere:
            return await asyncio.wrap_future(self._boto3.submit(request))
        try:
            if isinstance(request, DeleteObjects):
                return await self._perform_deletes(request)
            return await self._persist(lambda: self._try(request))
        except OutOfReachError:
            self._elsewhere.add(_bucket(request))
            return await asyncio.wrap_future(self._boto3.submit(request))

    async def _persist(self, attempt: Callable[[], Awaitable[Reply]]) -> Reply:
        """Try as often as boto3's port does, with the same full jitter in between."""
        tries = 1
        reply = await attempt()
        while passes(reply) and tries < most_tries(reply):
            longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * float(1 << (tries - 1)))
            await self._sleep(self._dice.uniform(0, longest))
            tries += 1
            reply = await attempt()
        return reply

    async def _perform_deletes(self, request: DeleteObjects) -> Reply:
        """Delete; keys that failed in passing, and those alone, are tried again."""
        known: dict[DeleteObject, Reply] = {}

        async def attempt() -> Reply:
            left = tuple(each for each in request.deletes if passes(known.get(each)))
            reply = await self._try(DeleteObjects(left))
            told = reply.replies if isinstance(reply, Replies) else (reply,) * len(left)
            known.update(zip(left, told, strict=True))
            return _together(reply, [known[each] for each in request.deletes])

        return await self._persist(attempt)

    async def _try(self, request: Spoken) -> Reply:
        operation = type(request).__name__
        try:
            form = form_of(request, conditions=self._conditions)
            sender = self._sender_of(form.bucket)
            response = await sender.send(form.method, form.key, form.query, form.headers, form.body)
            reply = reply_of(request, response)
        except AWS_ERRORS as error:
            reply = reply_to_error(operation, error)
        except UnspeakableError as error:
            reply = Fault(FaultKind.REFUSED, operation, "InvalidArgument", str(error))
        if isinstance(reply, Fault) and reply.code in ELSEWHERE_CODES:
            raise OutOfReachError(str(reply))
        self._observer(reply)
        return reply


def _together(reply: Reply, answers: Sequence[Reply]) -> Reply:
    """Return one fault for all as itself, and else each key's reply."""
    return reply if set(answers) == {reply} else Replies(tuple(answers))


def _bucket(request: Spoken) -> str:
    match request:
        case DeleteObjects(deletes):
            return deletes[0].location.bucket
        case DeleteObject(location):
            return location.bucket
        case CopyObject() | UploadPartCopy():
            return request.destination.bucket
