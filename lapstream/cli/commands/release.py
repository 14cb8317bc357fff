"""`lapstream verify-release`: a release's checklist, gone through."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, askable_date, slug
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import release as work
else:
    work = later("lapstream.cli.release")


def verify_release(
    *,
    track: Annotated[
        str | None, typer.Option(parser=slug, metavar="SLUG", help="Import a day of this track, with --date.")
    ] = None,
    date: Annotated[
        dt.date | None,
        typer.Option(parser=askable_date, metavar="DATE", help="The day, as YYYY-MM-DD; not a future one."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Go through the checklist of a release, and tell of each point what was found, and what to do.

    Migrations, topics, a day imported, its counts and practice stats, imported again, lag, and tables equal
    to the events. By default the day is the sample site's: roles of this command import it into a database
    and topics that it makes and removes. With --track and --date your installation imports that day, twice.

    Exits with 0 when all points passed, with 1 when not.

    Example: lapstream verify-release --track canberraoffroad --date 2025-10-25
    """
    if track is None and date is None:
        work.verify_sample_day(as_json=as_json)
    elif track is None or date is None:
        raise typer.BadParameter("--track and --date go together")
    else:
        work.verify_own_day(track, date, as_json=as_json)
