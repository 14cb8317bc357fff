"""`lapstream reparse`: the present parsers over archived pages."""

import calendar
import contextlib
import datetime as dt
import re
from collections.abc import Generator
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from ops.cli.arguments import run, slug
from ops.cli.output import JsonFlag, clean, note, out, print_json, progress_bar
from ops.garbage import collect_seldom
from ops.reparse.finding import Order
from ops.reparse.report import Report, lines
from ops.reparse.running import Show, Standing
from ops.reparse.running import reparse as parse_again
from ops.settings import read_settings
from producer.pages import PARSER_VERSION
from producer.site import SOURCE
from store.reparse import Scope

TROUBLE = 3
"""The exit code where somebody has to look at a page."""

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


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
        typer.Option(
            min=1, max=PARSER_VERSION, metavar="V", help="Only what parsers of this version or newer read."
        ),
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
    collect_seldom()
    order = Order(Scope(SOURCE, track, first, last), since_parser, dry_run)
    with _screen() as show:
        report = run(parse_again(read_settings(), order, show))
    print_json(report) if as_json else _tell(report)
    if report.trouble:
        raise typer.Exit(TROUBLE)


def _tell(report: Report) -> None:
    for line in lines(report):
        out.print(clean(line), soft_wrap=True)
    if report.dry_run:
        note("nothing was published; without --dry-run it is")
    else:
        note(f"{report.published} observations published; the projector brings them into the tables")


@contextlib.contextmanager
def _screen() -> Generator[Show]:
    """Progress on stderr: days, pages, and the time that is left."""
    columns = (
        TextColumn("parsing again"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("days, {task.fields[pages]} pages"),
        TimeRemainingColumn(),
    )
    with progress_bar(*columns) as progress:
        task = progress.add_task("", total=None, pages=0)

        def show(standing: Standing) -> None:
            progress.update(
                task, total=standing.days_in_all, completed=standing.days, pages=standing.pages_read
            )

        yield show
