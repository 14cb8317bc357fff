"""How an error is told: in one line on stderr, by what was found and what to do."""

import os
import sys
import traceback

from lapstream.cli import streams
from lapstream.cli.output import say_error
from lapstream.cli.streams import OutputLost
from runtime.secrets import without_secrets
from schemas.errors import LapstreamError

TRACEBACK = "LAPSTREAM_TRACEBACK"
INTERNAL_ERROR = 1


def report_error(error: Exception) -> int:
    """Tell of an error that ended a command; returns the code that the process is to end with."""
    if os.environ.get(TRACEBACK):
        sys.stderr.write(without_secrets("".join(traceback.format_exception(error))))
    told = _explained(error)
    if told is None:
        say_error(
            "internal error: this is a mistake in Lapstream. Please report the command, and what it prints "
            f"when {TRACEBACK}=1 is set"
        )
        return INTERNAL_ERROR
    if isinstance(told, OutputLost):
        streams.discard(streams.OUTPUT)
        if told.reader_gone:
            return told.exit_code
    say_error(str(told))
    return told.exit_code


def _explained(error: Exception) -> LapstreamError | None:
    if isinstance(error, LapstreamError):
        return error
    from runtime.faults import explained  # noqa: PLC0415 - the clients' errors, which most commands never meet

    return explained(error)
