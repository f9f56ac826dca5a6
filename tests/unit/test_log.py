"""Log lines: JSON for machines, text for a terminal, and no text that stops the worker."""

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
