"""`lapstream dev`: Apache Kafka and PostgreSQL on this machine, without Docker.

In: a folder for their data. Out: on stdout the addresses, as shell lines or JSON; progress on stderr.
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embedded.errors import ExtraMissing, Unsupported
from ops.cli.output import JsonFlag, clean, err, out, print_json

if TYPE_CHECKING:
    from embedded.stack import Addresses, ServerStatus

app = typer.Typer(
    name="dev",
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


def _stack():  # noqa: ANN202 - the module itself, which has no name as a type
    """The module of the verbs, loaded when it is needed: its packages are an extra."""
    if sys.platform == "win32":
        raise Unsupported("Windows")
    try:
        from embedded import stack  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        raise ExtraMissing(missing.name or "jgo") from missing
    return stack


def _report(message: str) -> None:
    err.print(clean(message), style="dim", soft_wrap=True)


def _environment(addresses: "Addresses") -> dict[str, str]:
    return {
        "LAPSTREAM_KAFKA_BOOTSTRAP": addresses.kafka_bootstrap,
        "LAPSTREAM_POSTGRES_DSN": addresses.postgres_dsn,
    }


@app.command()
def up(*, home: HomeOption = None, json: JsonFlag = False) -> None:
    """Start both servers, or find them running, and print their addresses as lines for your shell.

    They run on until `lapstream dev down`. The first time fetches Apache Kafka (about 45 MB).

    Example: eval "$(lapstream dev up)"
    """
    stack = _stack()
    with err.status("working…"):
        addresses = stack.up(home or stack.default_home(), report=_report)
    if json:
        print_json(addresses)
        return
    err.print("Apache Kafka and PostgreSQL are running; set these:", soft_wrap=True)
    for name, value in _environment(addresses).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def down(
    *,
    home: HomeOption = None,
    wipe: Annotated[bool, typer.Option("--wipe", help="Also remove all data and logs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before removing.")] = False,
    json: JsonFlag = False,
) -> None:
    """Stop both servers; their data stays, unless --wipe.

    Exits with 0 also when they were not running, with 1 when you don't confirm --wipe.

    Example: lapstream dev down --wipe --yes
    """
    stack = _stack()
    place = home or stack.default_home()
    if wipe and not yes:
        typer.confirm(f"Remove all data of Apache Kafka and PostgreSQL in {place}?", abort=True, err=True)
    with err.status("stopping…"):
        stopped = stack.down(place, report=_report)
        if wipe:
            stack.wipe(place)
    if json:
        print_json({"home": str(place.resolve()), "stopped": stopped, "wiped": wipe})
    else:
        data = "its data is removed" if wipe else "its data is kept"
        out.print(f"{'stopped' if stopped else 'was not running'}; {data}: {place.resolve()}", soft_wrap=True)


@app.command()
def status(*, home: HomeOption = None, json: JsonFlag = False) -> None:
    """Show whether both servers run and answer; exits with 0 when they do, with 1 when not.

    Example: lapstream dev status --json
    """
    stack = _stack()
    found = stack.status(home or stack.default_home())
    if json:
        print_json(found)
    else:
        _print_server("Apache Kafka", found.kafka)
        _print_server("PostgreSQL", found.postgres)
    raise typer.Exit(0 if found.running else 1)


def _print_server(name: str, server: "ServerStatus | None") -> None:
    if server is None:
        out.print(f"{name:<12}  never started")
        return
    pid = f"  pid {server.pid}" if server.pid else ""
    out.print(f"{name:<12}  {server.state:<7}  {server.address}{pid}  log {server.log}", soft_wrap=True)
