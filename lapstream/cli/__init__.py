"""The command line of Lapstream: commands, what they print, how they end.

`commands` has what can be typed; what the commands do is in modules beside it, imported when they run.
Nothing is imported here, so that Ctrl-C is taken care of before anything is.
"""

import os
import signal


def main() -> None:
    """Run the command line; exits as `docs/commands.md` says."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)
    from lapstream.cli.program import run  # noqa: PLC0415 - see above

    run()


def leave(*_: object) -> None:
    """Take Ctrl-C, where nothing was begun that must be ended: the process ends at once, without a word."""
    os._exit(130)
