"""`lapstream discover` and `lapstream backfill`: on which days there was practice, and bring them all in."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, Track
from lapstream.cli.commands.imports import RefreshMode
from lapstream.cli.later import later
from schemas.askable import fault_of_day, fault_of_months, first_of_month

if TYPE_CHECKING:
    from lapstream.cli import backfill as work
else:
    work = later("lapstream.cli.backfill")


def _month(text: str) -> dt.date:
    """The first day of a month."""
    found = first_of_month(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no month: YYYY-MM is expected, as in 2025-10")
    if fault := fault_of_day(found):
        raise typer.BadParameter(fault)
    return found


Month = Annotated[dt.date, typer.Argument(parser=_month, metavar="MONTH", help="The month, as YYYY-MM.")]


def discover(track: Track, month: Month, *, as_json: JsonFlag = False) -> None:
    """Ask the site on which days of a month a track has practice; nothing is stored but the page.

    Example: lapstream discover canberraoffroad 2025-10
    """
    work.discover(track, month, as_json=as_json)


def backfill(
    track: Track,
    *,
    first: Annotated[
        dt.date, typer.Option("--from", parser=_month, metavar="MONTH", help="The first month, as YYYY-MM.")
    ],
    last: Annotated[
        dt.date, typer.Option("--to", parser=_month, metavar="MONTH", help="The last month, as YYYY-MM.")
    ],
    refresh: Annotated[
        RefreshMode,
        typer.Option(
            help="Of days that are stored: fetch every page, those whose row changed, or missing ones."
        ),
    ] = RefreshMode.missing,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Ask for the months, say what is to be done, and import nothing."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Import all days of months, one at a time, each when nobody else waits for one.

    It may be stopped at any point: the same command goes on, and tries again what failed. Exits with 0 when
    all came in, with 3 when some days or months failed.

    Example: lapstream backfill canberraoffroad --from 2025-01 --to 2025-10
    """
    if fault := fault_of_months(first, last):
        raise typer.BadParameter(f"--from {first:%Y-%m} --to {last:%Y-%m}: {fault}")
    work.backfill(track, first, last, refresh.value, dry_run=dry_run, as_json=as_json)
