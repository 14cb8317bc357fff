"""The practice days that are stored, on the terminal."""

import datetime as dt
from collections.abc import Sequence
from functools import partial

from lapstream.cli.database import on_database
from lapstream.cli.forms import form_of, print_rows, text
from lapstream.cli.output import out
from lapstream.cli.tables import Listing
from lapstream.cli.where import row_of_track
from producer.site import SOURCE
from store.reading import DayHead, find_days

Days = tuple[dt.date | None, dt.date | None]
"""The first and the last day, each included."""


def days(
    track: str | None, between: Days, source: str | None, limit: int, *, as_json: bool, as_csv: bool
) -> None:
    """List practice days, of a track or all, the newest first."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    first, last = between
    at = row_of_track(track, source)
    wanted = partial(find_days, source=source, track_id=at, first=first, last=last, limit=limit)
    found = on_database(wanted)
    print_rows(DayHead, found, form, show)


def show(days: Sequence[DayHead]) -> None:
    """Print days as a table."""
    numbers = ("Sessions", "With laps")
    table = Listing("Date", "Track", "Slug", *numbers, folded={"Track"}, right=numbers)
    for day in days:
        slug = day.track_slug if day.source == SOURCE else f"{day.source}/{day.track_slug}"
        table.add(str(day.date), text(day.track_name), slug, str(day.sessions), str(day.sessions_with_detail))
    out.print(table)
