"""The instance metadata service, version 2 only: who asks is told by the address it asks from."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

from region.lab.network import METADATA_ADDRESS

TOKEN_HEADER: Final = "X-aws-ec2-metadata-token"
TTL_HEADER: Final = "X-aws-ec2-metadata-token-ttl-seconds"
TTL_MAX_SECONDS: Final = 21_600

Facts = Mapping[str, bytes]
"""What one instance may read, by path below /latest/."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """An instance that asks: what it may read, and whether version 1 is turned off for it."""

    facts: Facts
    tokens_required: bool


VisitorAt = Callable[[str], Visitor | None]
"""Tells which instance is at an address; None where there is none."""


class MetadataService:
    """Serves in the namespace of the thread that makes it, from `with` to the block's end."""

    def __init__(
        self, visitor_at: VisitorAt, address: tuple[str, int] = (METADATA_ADDRESS, 80)
    ) -> None:
        self.statuses: Counter[int] = Counter()
        """How many requests got which status."""
        self._visitor_at = visitor_at
        self._tokens: dict[str, str] = {}
        self._server = ThreadingHTTPServer(address, _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Give the address back."""
        self._server.server_close()

    def put(self, path: str, ttl: str | None, asker: str) -> tuple[int, bytes]:
        """Answer PUT: a token for this asker alone ("Use the Instance Metadata Service")."""
        if path != "api/token":
            return 404, b""
        if ttl is None or not ttl.isdigit() or not 1 <= int(ttl) <= TTL_MAX_SECONDS:
            return 400, b""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = asker
        return 200, token.encode()

    def get(self, path: str, token: str | None, asker: str) -> tuple[int, bytes]:
        """Answer GET: 401 without the asker's own token, a listing for a folder, else the text."""
        visitor = self._visitor_at(asker)
        if visitor is None:
            return 404, b""
        if self._tokens.get(token or "") != asker and (token or visitor.tokens_required):
            return 401, b""
        if path in visitor.facts:
            return 200, visitor.facts[path]
        listing = _listing(visitor.facts, path)
        return (200, listing.encode()) if listing else (404, b"")


def _listing(facts: Facts, path: str) -> str:
    """List a folder as the service does: a line a child, folders with a slash."""
    folder = path.rstrip("/") + "/" if path.strip("/") else ""
    if folder == "meta-data/public-keys/":  # the one listing with a form of its own
        return "0=key" if any(name.startswith(folder) for name in facts) else ""
    below = {name.removeprefix(folder) for name in facts if name.startswith(folder)}
    return "\n".join(sorted({f"{first}{slash}" for first, slash, _ in map(_split, below)}))


def _split(name: str) -> tuple[str, str, str]:
    return name.partition("/")


def _handler(service: MetadataService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.answer(*service.put(self.item(), self.headers[TTL_HEADER], self.asker()))

        def do_GET(self) -> None:
            self.answer(*service.get(self.item(), self.headers[TOKEN_HEADER], self.asker()))

        def asker(self) -> str:
            return str(self.client_address[0])

        def item(self) -> str:
            """Return the path without the version in front, `latest` or a date."""
            return self.path.lstrip("/").partition("/")[2]

        def answer(self, status: int, body: bytes) -> None:
            service.statuses[status] += 1
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output quiet."""

    return Handler
