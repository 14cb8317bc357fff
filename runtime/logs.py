"""Structured logs on stderr: for a person where it is a terminal, one JSON object a line where it is not.

What a site or a producer wrote is data there, too: each text is bounded, and moves no terminal's cursor. No
line has a secret of the settings. A
warning that says the same again and again is logged once, and counted.
`docs/observability.md` names every event.
"""

import atexit
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, cast

import stamina.instrumentation
import structlog

from runtime.repeats import Repeats
from runtime.secrets import without_secrets
from schemas.terminal import clean
from telemetry import tracing

LONGEST_TEXT = 2_000
"""Characters of a value that are logged."""

LONGEST_TRACEBACK = 20_000

_WARNINGS = ("warning", "error", "critical")
_PLAIN = (bool, int, float, type(None))


def with_trace(_logger: object, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The line with the trace that it belongs to, where a span is at work and none was given."""
    if line.get("trace_id") is None and (found := tracing.current_trace_id()):
        line["trace_id"] = found
    return line


def _bounded(_logger: object, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The line with values that are short, and without characters that do anything."""
    return {name: value if name.startswith("_") else _shown(value, name) for name, value in line.items()}


def _shown(value: object, name: str) -> object:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple):
        return [_shown(item, name) for item in cast("list[object]", value)]
    if name == "exception":
        return "\n".join(map(clean, without_secrets(str(value))[:LONGEST_TRACEBACK].split("\n")))
    text = without_secrets(value if isinstance(value, str) else repr(value))
    more = len(text) - LONGEST_TEXT
    return clean(text[:LONGEST_TEXT]) + (f"… and {more} more" if more > 0 else "")


log = structlog.get_logger("lapstream.logs")


def _report(said: str, times: int) -> None:
    log.warning("log_repeated", said=said, times=times)


_repeats = Repeats(_report)
atexit.register(_repeats.flush)


def _seldom(_logger: object, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The line, unless it is a warning that was logged just now."""
    event = str(line.get("event"))
    if line["level"] in _WARNINGS and event != "log_repeated":
        key = tuple(sorted((name, repr(value)) for name, value in line.items() if name != "timestamp"))
        if not _repeats.is_new(key, event):
            raise structlog.DropEvent
    return line


class _RepeatFilter(logging.Filter):
    """The same for lines of libraries."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        error = repr(record.exc_info[1]) if record.exc_info else None
        return _repeats.is_new((record.name, record.levelno, text, error), text)


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    with_trace,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _bounded,
]


def configure_logs(level: int = logging.INFO) -> None:
    """Set the form of all logs of this process, those of libraries included."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*_SHARED, _seldom, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_RepeatFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("faststream").setLevel(logging.ERROR)
    stamina.instrumentation.set_on_retry_hooks([])  # our own log lines say more
