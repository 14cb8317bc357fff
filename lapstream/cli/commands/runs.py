"""`lapstream runs`: the imports that were asked for, what came of them, and what to do about one."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, YesFlag
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import runs as work
else:
    work = later("lapstream.cli.runs")

app = typer.Typer(help="Look at imports, try failed sessions again, or cancel one.", no_args_is_help=True)

FEWEST_DIGITS = 4


def _digits(text: str) -> str:
    """The first hexadecimal digits of a run's id, or all of them."""
    digits = text.replace("-", "").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{FEWEST_DIGITS},32}}", digits):
        raise typer.BadParameter(f"{text!r} is no run's id, nor its first {FEWEST_DIGITS} digits or more")
    return digits


RunId = Annotated[
    str,
    typer.Argument(parser=_digits, metavar="RUN", help="The run's id, or so much of it as no other run has."),
]


class StateChoice(StrEnum):
    """The states of a run."""

    running = "running"
    completed = "completed"
    partial = "partial"
    failed = "failed"
    cancelled = "cancelled"


@app.command("list")
def list_runs(
    *,
    track: Annotated[str | None, typer.Option(help="Only those of this track.")] = None,
    state: Annotated[
        StateChoice | None,
        typer.Option(metavar="STATE", help=f"Only those in this state: {', '.join(StateChoice)}."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """List imports, the newest first.

    Example: lapstream runs list --state failed
    """
    work.list_runs(track, None if state is None else state.value, limit, as_json=as_json)


@app.command("show")
def show_run(run: RunId, *, as_json: JsonFlag = False) -> None:
    """Show an import: how far it is or what it came to, and each session that failed.

    Example: lapstream runs show ed629a62
    """
    work.show_run(run, as_json=as_json)


@app.command("retry")
def retry_run(run: RunId, *, as_json: JsonFlag = False) -> None:
    """Try the failed sessions of an import again, in the same run; or its list, where that failed.

    Exits as `lapstream ingest` does.

    Example: lapstream runs retry ed629a62
    """
    work.retry_run(run, as_json=as_json)


@app.command("cancel")
def cancel_run(run: RunId, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Cancel an import: what it has not fetched yet is not fetched; what came stays.

    Example: lapstream runs cancel ed629a62 --yes
    """
    if not yes:
        typer.confirm(f"Cancel run {run}?", abort=True, err=True)
    work.cancel_run(run, as_json=as_json)
