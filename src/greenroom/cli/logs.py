"""The log: one line per event, with ids and codes, to standard error.

Tracebacks are written without the values of variables, which may hold what nobody should read.
"""

import logging
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

_QUIET = ("httpx2", "httpcore", "sqlalchemy", "aiosqlite", "asyncio", "uvicorn.access")


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment, as our own log does."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _harmless(_logger: object, _method: str, event: "EventDict") -> "EventDict":
    """Take out what could forge a line or drive a terminal: an error's text may quote what somebody sent us."""
    for name, kept in (("event", ""), ("exception", "\n\t")):
        if isinstance(text := event.get(name), str):
            event[name] = "".join(c if c.isprintable() or c in kept else "\N{REPLACEMENT CHARACTER}" for c in text)
    return event


def configure_logs(level: str = "info", form: Literal["console", "json"] | str = "console") -> None:  # noqa: PYI051 - names the choices
    """Send all logs, ours and the libraries', to standard error. Libraries speak from "warning" on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _harmless,
    ]
    last: Processor = structlog.processors.JSONRenderer()
    if form != "json":
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = _ToStandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
