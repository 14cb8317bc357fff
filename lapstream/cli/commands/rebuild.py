"""`lapstream rebuild`, `lapstream verify` and `lapstream reparse`: tables and pages gone over once more."""

import calendar
import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, moment, slug
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import rebuild as work
    from lapstream.cli import reparse as reparse_work
else:
    work, reparse_work = later("lapstream.cli.rebuild"), later("lapstream.cli.reparse")

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


def _whole_second(text: str) -> dt.datetime:
    found = moment(text)
    if found.microsecond:
        raise typer.BadParameter(f"{text!r}: whole seconds are expected")
    return found


Projection = Annotated[str, typer.Argument(metavar="PROJECTION", help="Its name, such as practice-days.")]
CopyFolder = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="DIR",
        help="Read what the topic's beginning has lost from this folder of `lapstream log export`.",
    ),
]
Until = Annotated[
    dt.datetime | None,
    typer.Option(
        parser=_whole_second, metavar="TIME", help="Make the tables as of this moment, beside the live ones."
    ),
]
WhichUntil = Annotated[
    dt.datetime | None,
    typer.Option("--until", parser=_whole_second, metavar="TIME", help="The one as of this moment."),
]
Accept = Annotated[bool, typer.Option("--yes", help="Swap whatever the comparison finds.")]

app = typer.Typer(
    help="Make a projection's tables anew from its topic, compare them with the live ones, and swap them in.",
    no_args_is_help=True,
)


@app.command("start")
def start(
    projection: Projection,
    *,
    until: Until = None,
    yes: Accept = False,
    export: CopyFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a projection's tables anew from its topic, compare them with the live ones, and swap them in.

    Readers and the live projection go on meanwhile. It may be killed at any point: the same command goes on.
    Exits with 0 when the tables are swapped, with 3 when the swap waits for a decision (--yes swaps them).

    Example: lapstream rebuild start practice-days
    """
    work.rebuild(projection, until, resume=False, accept=yes, export=export, as_json=as_json)


@app.command("status")
def status(
    projection: Annotated[
        str | None, typer.Argument(metavar="PROJECTION", help="Only those of this projection.")
    ] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Tell of the newest rebuilds: their states, how far they are, and what stopped them.

    Example: lapstream rebuild status
    """
    work.show_recent(projection, as_json=as_json)


@app.command("pause")
def pause(projection: Projection, *, until: WhichUntil = None, as_json: JsonFlag = False) -> None:
    """Have a rebuild stop after the batch at hand.

    Example: lapstream rebuild pause practice-days
    """
    work.pause(projection, until, as_json=as_json)


@app.command("resume")
def resume(
    projection: Projection,
    *,
    until: WhichUntil = None,
    yes: Accept = False,
    export: CopyFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Go on with a rebuild that was paused, in this process.

    Example: lapstream rebuild resume practice-days
    """
    work.rebuild(projection, until, resume=True, accept=yes, export=export, as_json=as_json)


@app.command("cancel")
def cancel(
    projection: Projection,
    *,
    until: WhichUntil = None,
    verification: Annotated[
        bool, typer.Option("--verify", help="The comparison that `lapstream verify` began.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """End a rebuild, and throw its tables away.

    Example: lapstream rebuild cancel practice-days
    """
    if verification:
        work.cancel_verify(projection, as_json=as_json)
    else:
        work.cancel(projection, until, as_json=as_json)


@app.command("rollback")
def rollback(projection: Projection, *, as_json: JsonFlag = False) -> None:
    """Roll the newest swap back: the tables of before are the live ones again.

    Example: lapstream rebuild rollback practice-days
    """
    work.take_back(projection, as_json=as_json)


def verify(projection: Projection, *, export: CopyFolder = None, as_json: JsonFlag = False) -> None:
    """Tell whether a projection's tables are what its topic says, and name the rows that are not.

    Exits with 0 when they are, with 3 when some rows differ.

    Example: lapstream verify practice-days
    """
    work.verify(projection, export=export, as_json=as_json)


def _first(text: str) -> dt.date:
    """The day, or the first one of the month."""
    day = f"{text}-01" if _MONTH.fullmatch(text) else text
    try:
        return dt.date.fromisoformat(day)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r}: a month as 2025-10 or a day as 2025-10-25 is expected"
        ) from error


def _last(text: str) -> dt.date:
    """The day, or the last one of the month."""
    first = _first(text)
    if not _MONTH.fullmatch(text):
        return first
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def reparse(
    *,
    track: Annotated[
        str | None, typer.Option(parser=slug, metavar="SLUG", help="The days of this track only.")
    ] = None,
    first: Annotated[
        dt.date | None,
        typer.Option("--from", parser=_first, metavar="MONTH|DATE", help="No day before this one."),
    ] = None,
    last: Annotated[
        dt.date | None,
        typer.Option("--to", parser=_last, metavar="MONTH|DATE", help="No day after this one."),
    ] = None,
    since_parser: Annotated[
        int | None,
        typer.Option(min=1, metavar="V", help="Only what parsers of this version or newer read."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be read otherwise, and publish nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run the present parsers over archived pages, and publish what they read; the site is not asked.

    An observation keeps the moment at which its page was seen, and gets the parser's version.
    It may be stopped at any point: the same command goes on.
    Exits with 0, or with 3 when pages no longer parse, are missing, or differ by the same version.

    Example: lapstream reparse --track canberraoffroad --from 2025-01 --to 2025-10 --dry-run
    """
    if first and last and first > last:
        raise typer.BadParameter(f"--from {first} lies after --to {last}")
    reparse_work.reparse(track, first, last, since_parser, dry_run=dry_run, as_json=as_json)
