"""Structured logs on stderr: for a person where it is a terminal, one JSON object a line where it is not."""

import logging
import sys

import structlog


def configure_logs(level: int = logging.INFO) -> None:
    """Set the form of all logs of this process."""
    human = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in ("aiokafka", "faststream"):
        logging.getLogger(name).setLevel(logging.ERROR)
