"""Apache Kafka and PostgreSQL on this machine, without Docker.

In: a folder for their data. Out: on stdout the addresses, as shell lines or JSON; progress on stderr.
"""

import shlex
import sys
from pathlib import Path

import typer

from lapstream.cli.output import clean, err, out, print_json
from sandbox.embedded import stack
from sandbox.embedded.stack import Addresses, ServerStatus


def _report(message: str) -> None:
    err.print(clean(message), style="dim", soft_wrap=True)


def shell_lines(addresses: Addresses) -> str:
    """The addresses as lines that sh, bash, zsh and fish take."""
    variables = {
        "LAPSTREAM_KAFKA_BOOTSTRAP": addresses.kafka_bootstrap,
        "LAPSTREAM_POSTGRES_DSN": addresses.postgres_dsn,
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def up(home: Path | None, *, as_json: bool) -> None:
    """Start both servers, or find them running, and print their addresses as lines for a shell."""
    with stack.ending_by_signal(), err.status("working…"):
        addresses = stack.up(home or stack.default_home(), report=_report)
    if as_json:
        print_json(addresses)
        return
    shown = "; set these:" if sys.stdout.isatty() else ""
    err.print(f"Apache Kafka and PostgreSQL are running{shown}", soft_wrap=True)
    sys.stdout.write(shell_lines(addresses))


def down(home: Path | None, *, wipe: bool, yes: bool, as_json: bool) -> None:
    """Stop both servers; removes their data where that is asked for and confirmed."""
    place = home or stack.default_home()
    if wipe and not yes:
        question = f"Remove all data of Apache Kafka and PostgreSQL in {clean(str(place))}?"
        typer.confirm(question, abort=True, err=True)
    with err.status("stopping…"):
        stopped = stack.down(place, report=_report)
        if wipe:
            stack.wipe(place)
    if as_json:
        print_json({"home": str(place.resolve()), "stopped": stopped, "wiped": wipe})
    else:
        what = "stopped" if stopped else "nothing was running"
        data = "its data is removed" if wipe else "its data is kept"
        out.print(f"{what}; {data}: {place.resolve()}", soft_wrap=True)


def status(home: Path | None, *, as_json: bool) -> None:
    """Show whether both servers run and answer; exits with 0 when they do, with 1 when not."""
    found = stack.status(home or stack.default_home())
    if as_json:
        print_json(found)
    else:
        _print_server("Apache Kafka", found.kafka)
        _print_server("PostgreSQL", found.postgres)
    raise typer.Exit(0 if found.running else 1)


def _print_server(name: str, server: ServerStatus | None) -> None:
    if server is None:
        out.print(f"{name:<12}  never started")
        return
    pid = f"  pid {server.pid}" if server.pid else ""
    out.print(f"{name:<12}  {server.state:<7}  {server.address}{pid}  log {server.log}", soft_wrap=True)
