"""Log lines: JSON for machines, text for a terminal, and no text that stops the worker."""

import errno
import io
import json
from collections.abc import Iterator

import pytest
import structlog

from worker import log


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave structlog as it was found."""
    yield
    structlog.reset_defaults()


def test_json_is_one_object_a_line_with_level_and_time() -> None:
    """Fields as given, a key in its own letters."""
    stream = io.StringIO()
    log.configure("info", "json", stream)
    structlog.get_logger().info("object", source="s3://b/ü ñ\n+%", bytes=3)
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told.pop("timestamp").endswith("Z")
    assert told == {"event": "object", "level": "info", "source": "s3://b/ü ñ\n+%", "bytes": 3}
    assert "ü ñ" in line


@pytest.mark.parametrize(
    ("form", "stream", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("json", Terminal(), True),
        ("console", io.StringIO(), False),
    ],
)
def test_auto_asks_the_stream(form: str, stream: io.StringIO, *, is_json: bool) -> None:
    """JSON where nobody watches, text for a person."""
    log.configure("info", form, stream)
    structlog.get_logger().info("ready")
    assert stream.getvalue().startswith("{") is is_json
    assert "ready" in stream.getvalue()


def test_less_than_the_level_is_not_written() -> None:
    """LOG_LEVEL=warning."""
    stream = io.StringIO()
    log.configure("WARNING", "json", stream)
    structlog.get_logger().info("object")
    structlog.get_logger().warning("outage")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["outage"]


def test_an_exception_becomes_fields() -> None:
    """A traceback is one line, too, and can be searched."""
    stream = io.StringIO()
    log.configure("info", "json", stream)
    try:
        int("of all things")
    except ValueError:
        structlog.get_logger().exception("unexpected")
    (line,) = stream.getvalue().splitlines()
    (told,) = json.loads(line)["exception"]
    assert told["exc_type"] == "ValueError"
    assert "of all things" in told["exc_value"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_tells_no_local_variable(form: str) -> None:
    """Credentials may be among them, and a log is read by many."""
    stream = io.StringIO()
    log.configure("info", form, stream)

    def sign(hidden: str) -> None:
        raise ValueError(len(hidden))

    try:
        sign("secret" * 3)
    except ValueError:
        structlog.get_logger().exception("unexpected")
    assert "ValueError" in stream.getvalue()
    assert "secretsecret" not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_letters_that_the_stream_does_not_know_are_written_all_the_same(form: str) -> None:
    """A terminal in ASCII: escapes, and no exception in the middle of a move."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    log.configure("info", form, stream)
    structlog.get_logger().info("object", source="ü\udc80")
    stream.flush()
    assert rb"\xfc" in raw.getvalue()


class Full(io.StringIO):
    """A stream whose disk is full for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = True

    def write(self, text: str) -> int:
        """Refuse it, or take it."""
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_lines_that_the_stream_refuses_are_counted_and_hold_nobody_up() -> None:
    """No exception; the first line that is taken again is followed by how many were lost."""
    stream = Full()
    log.configure("info", "json", stream)
    for number in range(3):
        structlog.get_logger().info("object", number=number)
    stream.is_full = False
    structlog.get_logger().info("object", number=3)
    structlog.get_logger().info("object", number=4)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [each.get("number", each.get("lines")) for each in told] == [3, 3, 4]
    assert [each["event"] for each in told] == ["object", "log-lines-lost", "object"]
