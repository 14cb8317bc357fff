"""`lapstream dev`, `lapstream demo` and `lapstream sample-site`: servers of one's own, without Docker."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, YesFlag
from lapstream.cli.later import later
from sandbox.embedded.errors import Unsupported

if TYPE_CHECKING:
    from lapstream.cli import demo as demo_work
    from lapstream.cli import dev as work
    from lapstream.cli import sample_site as site_work
else:
    demo_work = later("lapstream.cli.demo")
    work = later("lapstream.cli.dev")
    site_work = later("lapstream.cli.sample_site")

app = typer.Typer(
    help="Run real Apache Kafka and PostgreSQL on this machine, without Docker.",
    no_args_is_help=True,
)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="The folder for data and logs; by default LAPSTREAM_HOME, else .lapstream in this directory.",
        show_default=False,
    ),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")]
Seed = Annotated[int, typer.Option(help="The same seed invents the same days.")]
Latency = Annotated[float, typer.Option(min=0, max=600_000, help="Milliseconds before each page.")]


@app.callback()
def _check_system() -> None:
    if sys.platform == "win32":
        raise Unsupported("Windows")


@app.command()
def up(*, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Start both servers, or find them running, and print their addresses as lines for your shell.

    They run on until `lapstream dev down`. The first time fetches Apache Kafka (about 45 MB).

    Example: eval "$(lapstream dev up)"
    """
    work.up(home, as_json=as_json)


@app.command()
def down(
    *,
    home: HomeOption = None,
    wipe: Annotated[bool, typer.Option("--wipe", help="Also remove all data and logs.")] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Stop both servers; their data stays, unless --wipe.

    Exits with 0 also when they were not running, with 1 when you don't confirm --wipe.

    Example: lapstream dev down --wipe --yes
    """
    work.down(home, wipe=wipe, yes=yes, as_json=as_json)


@app.command()
def status(*, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Show whether both servers run and answer; exits with 0 when they do, with 1 when not.

    Example: lapstream dev status --json
    """
    work.status(home, as_json=as_json)


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Serve the day's pages until Ctrl-C.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Import a sample day of 56 sessions, twice, on an embedded Kafka and PostgreSQL; then stop them.

    Data and logs are kept in .lapstream/ (or LAPSTREAM_HOME).

    Example: lapstream demo --keep
    """
    demo_work.demo(keep=keep, as_json=as_json)


def sample_site(
    port: Port = 0, seed: Seed = 1, latency_ms: Latency = 0.0, *, as_json: JsonFlag = False
) -> None:
    """Serve an invented timing site on this machine, with practice on every day of every track.

    Its pages look like the real site's. Give the printed site template to an import in place of the real
    address. Faults and corrections are set under the printed control address.

    Example: [bold]lapstream sample-site --port 8090 --latency-ms 100[/bold]
    """
    site_work.serve(port, seed, latency_ms, as_json=as_json)
