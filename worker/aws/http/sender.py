"""Signs requests to one place and sends them."""

from collections.abc import Callable
from dataclasses import dataclass

from worker.aws.http.connection import Response
from worker.aws.http.credentials import Credentials
from worker.aws.http.places import Place
from worker.aws.http.pool import Pool
from worker.aws.http.sigv4 import Signer

EXPIRED_STATUSES = frozenset({400, 401, 403})
EXPIRED_MARKS = (b"ExpiredToken", b"InvalidToken", b"InvalidClientTokenId", b"InvalidAccessKeyId")


@dataclass(frozen=True, slots=True)
class Sender:
    """One place's pool and signer; `wall_clock` in Unix seconds."""

    place: Place
    pool: Pool
    signer: Signer
    credentials: Credentials
    wall_clock: Callable[[], float]

    async def send(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes = b""
    ) -> Response:
        """Send; `path` (encoded) follows the place's own. Raises botocore's errors, as boto3 does.

        `headers` in lower case; they are added to.
        """
        keys = await self.credentials.keys()
        place = self.place
        whole_path = place.path + path
        headers["host"] = place.host
        self.signer.sign(keys, self.wall_clock(), method, whole_path, query, headers, body)
        headers["content-length"] = str(len(body))
        headers["user-agent"] = place.agent
        target = f"{whole_path}?{query}" if query else whole_path
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii")
        response = await self.pool.send(head + body)
        if response.status in EXPIRED_STATUSES and any(
            map(response.body.__contains__, EXPIRED_MARKS)
        ):
            self.credentials.refused(keys)
        return response
