"""structlog as the worker uses it: JSON lines, or coloured text for a person at a terminal."""

import io
import logging
import threading
from typing import TextIO

import structlog

LEVELS = logging.getLevelNamesMapping()


class Logger:
    """Writes structlog's lines; one that the stream refuses is lost, and counted, and no error.

    Its reader may be gone, its disk full: no move may be held, and no stop ignored, for that.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._lost = 0

    def msg(self, line: str) -> None:
        """Write a line; the first one after some that were lost is followed by their number."""
        with self._lock:
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except OSError:
                self._lost += 1
                return
            lost, self._lost = self._lost, 0
        if lost:
            structlog.get_logger().warning("log-lines-lost", lines=lost)

    debug = info = warning = error = critical = msg


def configure(level: str, form: str, stream: TextIO) -> None:
    """Set logging up for the process; `form` is auto, json or console, auto asks the stream."""
    if isinstance(stream, io.TextIOWrapper):
        # A key that the terminal's encoding does not know must not stop its own move.
        stream.reconfigure(errors="backslashreplace")
    console = form == "console" or (form == "auto" and stream.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    # No local variables with the frames, on a terminal neither: credentials may be among them.
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    trouble = [] if console else [structlog.processors.ExceptionRenderer(frames)]
    logger = Logger(stream)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *trouble,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.upper()]),
        logger_factory=lambda *_: logger,
        cache_logger_on_first_use=False,
    )
