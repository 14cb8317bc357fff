"""The program `lapstream`: the command that was typed, and the code that the process ends with.

What is imported here costs every command: what tells of errors is imported where there is one.
"""

import logging
import sys
from collections.abc import Callable
from typing import NoReturn

from lapstream.cli import interrupts, streams
from lapstream.cli.later import before_work
from lapstream.cli.old_spellings import renewed


def run() -> NoReturn:
    """Run the command that was typed, and end the process."""
    streams.prepare()
    code = _exit_code(_command)
    sys.exit(_exit_code(sys.stdout.flush) or code)


def _command() -> None:
    from lapstream.cli.tree import tree_for  # noqa: PLC0415 - Ctrl-C is taken care of before all commands are imported

    before_work(_configure_logs)
    with interrupts.as_exception():
        words = renewed(sys.argv[1:])
        tree_for(words)(words, prog_name="lapstream")


def _exit_code(work: Callable[[], object]) -> int:
    """What the process is to end with after this work, whose errors are told."""
    try:
        work()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except KeyboardInterrupt:
        return interrupts.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - no error goes further than this
        from lapstream.cli.errors import report_error  # noqa: PLC0415 - see above

        return report_error(error)
    return 0


def _configure_logs() -> None:
    """Set up the logs of a command, whose error says what its clients would say of a server that is away."""
    from runtime.logs import configure_logs  # noqa: PLC0415 - see above

    configure_logs(logging.WARNING)
    for client in ("aiokafka", "asyncio", "asyncpg"):
        logging.getLogger(client).setLevel(logging.CRITICAL)
