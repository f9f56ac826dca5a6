"""An instance metadata service on loopback that insists on version 2, as EC2 can be told to."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

TOKEN_HEADER = "X-aws-ec2-metadata-token"
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"


@dataclass
class FakeImds:
    """What the service knows (`items` by path below /latest/) and what it was asked.

    `live` is asked for items that change; `broken` gives paths a status of their own;
    `token_status` is what a PUT of a token gets.
    """

    items: dict[str, str] = field(default_factory=dict)
    live: Callable[[], Mapping[str, str]] = dict
    broken: dict[str, int] = field(default_factory=dict)
    token_status: int = 200
    asked: Counter[str] = field(default_factory=Counter)
    endpoint: str = ""
    ttls: list[int] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _tokens: set[str] = field(default_factory=set)

    def expire_tokens(self) -> None:
        """Forget every token, as their time to live does."""
        self._tokens.clear()

    def new_token(self, ttl: str | None) -> tuple[int, str]:
        """Answer PUT /latest/api/token."""
        self.asked["PUT api/token"] += 1
        if self.token_status != 200:
            return self.token_status, ""
        if ttl is None or not 1 <= int(ttl) <= 21_600:
            return 400, ""
        self.ttls.append(int(ttl))
        token = f"token-{next(self._numbers)}=="
        self._tokens.add(token)
        return 200, token

    def item(self, path: str, token: str | None) -> tuple[int, str]:
        """Answer GET /latest/…: 401 without a living token, 404 for what is not there."""
        self.asked[path] += 1
        if token not in self._tokens:
            return 401, ""
        if path in self.broken:
            return self.broken[path], ""
        items = {**self.items, **self.live()}
        return (200, items[path]) if path in items else (404, "")


@contextmanager
def imds_server(**items: str) -> Iterator[FakeImds]:
    """Serve on a free port of loopback; `items` by their short names."""
    imds = FakeImds(
        items={"meta-data/instance-id": "i-0123456789abcdef0"}
        | {PATHS[name]: text for name, text in items.items()}
    )

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            if self.path == "/latest/api/token":
                self.answer(*imds.new_token(self.headers[TTL_HEADER]))
            else:
                self.answer(405, "")

        def do_GET(self) -> None:
            path = self.path.removeprefix("/latest/")
            self.answer(*imds.item(path, self.headers[TOKEN_HEADER]))

        def answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    imds.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield imds
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


PATHS = {
    "region": "meta-data/placement/region",
    "target_state": "meta-data/autoscaling/target-lifecycle-state",
    "spot": "meta-data/spot/instance-action",
    "identity": "dynamic/instance-identity/document",
    "rebalance": "meta-data/events/recommendations/rebalance",
}
