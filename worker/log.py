"""structlog as the worker uses it: JSON lines, or coloured text for a person at a terminal."""

import io
import logging
from typing import TextIO

import structlog

LEVELS = logging.getLevelNamesMapping()


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
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *trouble,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
