"""Uploads files, several at a time, and remembers what was uploaded last under each name."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from worker.demo.account import Account
from worker.demo.files import Upload
from worker.demo.pipeline import SOURCE_PREFIX
from worker.demo.verify import Content, content

THREADS = 3
"""Fewer than the worker has: the server is to spend most of its time on the moves."""

REWRITE_PAUSE_SECONDS = 0.25
"""About what a move takes here: some rewrites meet it before its copy, some before its delete."""


class Uploader:
    """Uploads in the background, into one bucket's source prefix."""

    def __init__(self, account: Account, bucket: str) -> None:
        self.uploads = 0
        self.bytes = 0
        self.expected: dict[str, Content] = {}
        """The content that was uploaded last, by name."""
        self._s3: Any = account.s3  # typed calls cannot take headers by name from a mapping
        self._bucket = bucket
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(THREADS, "uploads")
        self._ending = threading.Event()
        self._under_way: list[Future[None]] = []

    @property
    def is_done(self) -> bool:
        """Whether all that was begun is uploaded; raises what an upload raised."""
        for future in self._under_way:
            if future.done():
                future.result()
        return all(future.done() for future in self._under_way)

    def begin(self, uploads: Iterable[Upload]) -> None:
        """Upload each of these once."""
        self._under_way += [self._pool.submit(self._put_file, upload) for upload in uploads]

    def begin_rewriting(self, names: Iterable[str], is_enough: Callable[[int], bool]) -> None:
        """Upload new content under each of the names, until `is_enough` of the rounds made."""
        self._under_way.append(self._pool.submit(self._rewrite, tuple(names), is_enough))

    def close(self) -> None:
        """Let what is under way end; begin nothing more."""
        self._ending.set()
        self._pool.shutdown(cancel_futures=True)

    def _put_file(self, upload: Upload) -> None:
        try:
            body = upload.read()
        except OSError:  # gone since it was listed: what is not uploaded is not expected either
            return
        self._put(upload, body)

    def _rewrite(self, names: tuple[str, ...], is_enough: Callable[[int], bool]) -> None:
        rounds = 0
        while not is_enough(rounds) and not self._ending.wait(REWRITE_PAUSE_SECONDS):
            rounds += 1
            for name in names:
                for time in ("first", "second"):  # one right after the other: both are under way
                    upload = Upload(name, bytes, metadata={"round": f"{rounds}, {time} time"})
                    self._put(upload, f"round {rounds}, {time} time: {name}\n".encode() * rounds)

    def _put(self, upload: Upload, body: bytes) -> None:
        more = {"Tagging": urlencode(upload.tags)} if upload.tags else {}
        self._s3.put_object(
            Bucket=self._bucket,
            Key=SOURCE_PREFIX + upload.name,
            Body=body,
            Metadata=dict(upload.metadata),
            **upload.headers,
            **more,
        )
        with self._lock:
            self.uploads += 1
            self.bytes += len(body)
            self.expected[upload.name] = content(body, upload.headers, upload.metadata, upload.tags)
