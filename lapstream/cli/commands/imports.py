"""`lapstream ingest` and `lapstream day`: bring a practice day in, and look at it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import AskableDate, Date, JsonFlag, SourceOption, Track
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import days, imports
else:
    days, imports = later("lapstream.cli.days"), later("lapstream.cli.imports")


class RefreshMode(StrEnum):
    """Which sessions' pages are fetched."""

    all = "all"
    changed = "changed"
    missing = "missing"


def ingest(
    track: Track,
    date: AskableDate,
    *,
    refresh: Annotated[
        RefreshMode,
        typer.Option(help="Fetch every session's page, those whose row changed, or those that are missing."),
    ] = RefreshMode.all,
    as_json: JsonFlag = False,
) -> None:
    """Import a practice day: its list, every session's page, all laps.

    A fetcher, a projector and a relay must be at work (`lapstream run all`). Exits with 0 when all came in,
    with 3 when some sessions failed, with 1 when the day's list failed to be fetched.

    Example: lapstream ingest canberraoffroad 2025-10-25 --refresh changed
    """
    imports.ingest(track, date, refresh.value, as_json=as_json)


def day(track: Track, date: Date, *, source: SourceOption = None, as_json: JsonFlag = False) -> None:
    """Show a practice day as the tables have it; without --source, that of liverc.

    Example: lapstream day canberraoffroad 2025-10-25 --json
    """
    days.day(track, date, source, as_json=as_json)
