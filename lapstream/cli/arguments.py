"""The arguments that several commands share, checked where they are read."""

import datetime as dt
import re
from typing import Annotated

import typer

from producer.site import BadAddress, checked_slug
from schemas.askable import fault_of_day
from schemas.fields import SOURCE_NAME


def slug(text: str) -> str:
    """The track's slug, for an option that takes one."""
    try:
        return checked_slug(text)
    except BadAddress as error:
        raise typer.BadParameter(str(error)) from error


def _source(text: str) -> str:
    if not re.fullmatch(SOURCE_NAME, text):
        raise typer.BadParameter(f"{text!r} is no source: a-z, 0-9, _ and -, at most 32, as in liverc")
    return text


def day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date: YYYY-MM-DD is expected, as in 2025-10-25") from error


def askable_date(text: str) -> dt.date:
    """A day that can be asked for."""
    found = day(text)
    if fault := fault_of_day(found):
        raise typer.BadParameter(fault)
    return found


def moment(text: str) -> dt.datetime:
    """A moment, in UTC unless an offset is given."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time: 2025-10-25T18:00, in UTC unless an offset is given"
        ) from error
    return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)


Track = Annotated[
    str,
    typer.Argument(parser=slug, metavar="TRACK", help="The track's slug: the first part of its address."),
]
Date = Annotated[dt.date, typer.Argument(parser=day, metavar="DATE", help="The day, as YYYY-MM-DD.")]
AskableDate = Annotated[
    dt.date,
    typer.Argument(parser=askable_date, metavar="DATE", help="The day, as YYYY-MM-DD; not a future one."),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source", parser=_source, metavar="SOURCE", help="Only of this timing service, as `liverc`."
    ),
]
AnyTrack = Annotated[
    str | None, typer.Option("--track", parser=slug, metavar="TRACK", help="Only at this track, by its slug.")
]
FirstDay = Annotated[
    dt.date | None,
    typer.Option("--from", parser=day, metavar="DATE", help="Only from this day on, as YYYY-MM-DD."),
]
LastDay = Annotated[
    dt.date | None,
    typer.Option("--to", parser=day, metavar="DATE", help="Only to this day, as YYYY-MM-DD."),
]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]
ClassOption = Annotated[
    str | None, typer.Option("--class", metavar="CLASS", help="Only in this class, by its whole name.")
]
CsvFlag = Annotated[bool, typer.Option("--csv", help="Print CSV only, with a header.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON only.")]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
