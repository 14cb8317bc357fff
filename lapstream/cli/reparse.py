"""The present parsers over archived pages."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Generator

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from lapstream.cli.output import clean, note, out, print_json, progress_bar
from ops.reparse.finding import Order
from ops.reparse.queries import Scope
from ops.reparse.report import ReparseReport, lines
from ops.reparse.running import ReparseProgress, Show
from ops.reparse.running import reparse as parse_again
from producer.pages import PARSER_VERSION
from producer.site import SOURCE
from runtime.garbage import collect_seldom
from runtime.settings import read_settings

TROUBLE = 3
"""The exit code where a page needs a person's decision."""


def reparse(
    track: str | None,
    first: dt.date | None,
    last: dt.date | None,
    since_parser: int | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run the present parsers over archived pages; exits with 3 where a page needs a person's decision."""
    if since_parser is not None and since_parser > PARSER_VERSION:
        raise typer.BadParameter(f"--since-parser {since_parser}: the newest version is {PARSER_VERSION}")
    collect_seldom()
    order = Order(Scope(SOURCE, track, first, last), since_parser, dry_run)
    with _screen() as show:
        report = asyncio.run(parse_again(read_settings(), order, show))
    print_json(report) if as_json else _tell(report)
    if report.trouble:
        raise typer.Exit(TROUBLE)


def _tell(report: ReparseReport) -> None:
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

        def show(standing: ReparseProgress) -> None:
            progress.update(
                task, total=standing.days_in_all, completed=standing.days, pages=standing.pages_read
            )

        yield show
