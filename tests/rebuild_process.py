"""`rebuild` and `verify` in a process of their own: `python -m tests.rebuild_process rebuild …`."""

import logging
import sys

import typer

from ops.cli.output import say_error
from ops.cli.rebuild import rebuild, verify
from ops.logs import configure_logs
from schemas.errors import LapstreamError

app = typer.Typer()
app.command()(rebuild)
app.command()(verify)

if __name__ == "__main__":
    configure_logs(logging.WARNING)
    try:
        app()
    except LapstreamError as error:
        say_error(str(error))
        sys.exit(error.exit_code)
