"""The program `lapstream`: the command that was typed, and every expected error as one line on stderr."""

import logging
import os
import sys
import traceback
from types import TracebackType

from ops.cli.later import before_work
from ops.secrets import without_secrets
from schemas.errors import LapstreamError

INTERRUPTED = 130
TRACEBACK = "LAPSTREAM_TRACEBACK"


def main() -> None:
    """Run the command line; exits with 1 on an expected error, 2 on wrong usage, 130 on Ctrl-C."""
    sys.excepthook = _show_traceback
    from ops.cli.tree import app  # noqa: PLC0415 - the commands are loaded where errors are told

    before_work(_configure_logs)
    try:
        app(prog_name="lapstream")
    except LapstreamError as error:
        _say_error(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        _say_error(f"a fault of our own: {error!r}; with {TRACEBACK}=1 it says where. Please report it")
        sys.exit(1)


def _configure_logs() -> None:
    """Set up the logs of a command, whose errors say what its clients would say of a server that is away."""
    from ops.logs import configure_logs  # noqa: PLC0415 - nothing that `--help` needs

    configure_logs(logging.WARNING)
    for client in ("aiokafka", "asyncpg"):
        logging.getLogger(client).setLevel(logging.CRITICAL)


def _say_error(message: str) -> None:
    from ops.cli.output import say_error  # noqa: PLC0415 - nothing that `--help` needs

    say_error(message)


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(without_secrets("".join(traceback.format_exception(kind, error, trace))))
