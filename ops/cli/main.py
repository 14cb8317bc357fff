"""The entry point: the commands in one tree, and every expected error as one line on stderr."""

import logging
import os
import sys
import traceback
from types import TracebackType

import typer

from ops.cli import (
    api_keys,
    backfill,
    config,
    demo,
    dev,
    imports,
    log,
    operate,
    output,
    parked,
    parse,
    runs,
    sample_site,
    schemas,
)
from ops.cli.lag import lag
from ops.cli.rebuild import rebuild, verify
from ops.cli.reparse import reparse
from ops.cli.why import why
from ops.logs import configure_logs
from ops.secrets import without_secrets
from schemas.errors import LapstreamError

INTERRUPTED = 130
TRACEBACK = "LAPSTREAM_TRACEBACK"

app = typer.Typer(
    name="lapstream",
    help="Import practice days from the timing site into PostgreSQL, through Kafka.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command("ingest")(imports.ingest)
app.command("backfill")(backfill.backfill)
app.command("discover")(backfill.discover)
app.command("day")(imports.day)
app.command("config")(config.config)
app.command("demo")(demo.demo)
app.command("sample-site")(sample_site.sample_site)
app.command("schemas")(schemas.schemas)
app.add_typer(parse.app, name="parse")
app.add_typer(dev.app, name="dev")
app.add_typer(parked.app, name="parked")
app.add_typer(runs.app, name="runs")
app.add_typer(api_keys.app, name="keys")
app.add_typer(log.app, name="log")
app.command("lag")(lag)
app.command("rebuild")(rebuild)
app.command("verify")(verify)
app.command("reparse")(reparse)
app.command("why")(why)
operate.register(app)


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(without_secrets("".join(traceback.format_exception(kind, error, trace))))


def main() -> None:
    """Run the command line; exits with 1 on an expected error, 2 on wrong usage, 130 on Ctrl-C."""
    configure_logs(logging.WARNING)
    sys.excepthook = _show_traceback
    for client in ("aiokafka", "asyncpg"):  # what they say of a server that is away, our errors say, too
        logging.getLogger(client).setLevel(logging.CRITICAL)
    try:
        app()
    except LapstreamError as error:
        output.say_error(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        output.say_error("interrupted")
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        output.say_error(f"a fault of our own: {error!r}; with {TRACEBACK}=1 it says where. Please report it")
        sys.exit(1)
