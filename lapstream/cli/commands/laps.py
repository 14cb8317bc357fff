"""`lapstream days`, `laps`, `drivers`, `records`, `compare` and `export`: what racers look at."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import (
    AnyTrack,
    ClassOption,
    CsvFlag,
    FirstDay,
    JsonFlag,
    LastDay,
    LimitOption,
    SourceOption,
    Track,
    day,
    slug,
)
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import compare as comparing
    from lapstream.cli import day_list, driver_list, lap_list, record_list, where
    from lapstream.cli import export as exporting
else:
    comparing, exporting = later("lapstream.cli.compare"), later("lapstream.cli.export")
    day_list, driver_list = later("lapstream.cli.day_list"), later("lapstream.cli.driver_list")
    lap_list, record_list = later("lapstream.cli.lap_list"), later("lapstream.cli.record_list")
    where = later("lapstream.cli.where")

DayOption = Annotated[
    dt.date | None,
    typer.Option("--date", parser=day, metavar="DATE", help="Only on this day, as YYYY-MM-DD."),
]
SIDES = "A session's id, or a driver: a name or a part of it, a transponder, an id. Two to four."


def days(
    track: Annotated[
        str | None,
        typer.Argument(
            parser=slug, metavar="TRACK", help="The track's slug; without it, the days of all tracks."
        ),
    ] = None,
    *,
    first: FirstDay = None,
    last: LastDay = None,
    source: SourceOption = None,
    limit: LimitOption = 50,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """List the practice days that are stored, of a track or all, the newest first.

    Example: lapstream days canberraoffroad --from 2025-10-01
    """
    day_list.days(track, (first, last), source, limit, as_json=as_json, as_csv=as_csv)


def laps(  # noqa: PLR0913 - each is a filter that people asked for
    sessions: Annotated[
        list[str] | None, typer.Argument(metavar="SESSION", help="Sessions, by their ids.")
    ] = None,
    *,
    driver: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="Only of this driver: a name, a part of it, a transponder, an id."),
    ] = None,
    track: AnyTrack = None,
    date: DayOption = None,
    class_name: ClassOption = None,
    source: SourceOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many sessions at most.")] = 20,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """Show the laps of sessions with their figures, and where the site's figures differ.

    Which sessions: those that are named, or else a driver's newest, or those of a day (--track and --date).
    Times are on the track's clock.

    Example: lapstream laps --driver "Abel Thornwick" --track canberraoffroad --date 2025-10-25
    """
    wanted = lap_list.Wanted(
        sessions=sessions or [], driver=driver, track=track, date=date, class_name=class_name, source=source
    )
    lap_list.laps(wanted, limit, as_json=as_json, as_csv=as_csv)


def drivers(
    who: Annotated[
        str | None, typer.Argument(help="A name or a part of it, a transponder, or an id; without it, all.")
    ] = None,
    *,
    sessions: Annotated[bool, typer.Option("--sessions", help="List the one driver's sessions.")] = False,
    track: AnyTrack = None,
    source: SourceOption = None,
    limit: LimitOption = 50,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """Find drivers, or list the sessions of one, the newest first.

    A driver is known by the transponder: one that is lent has several names.

    Example: lapstream drivers thornwick --sessions
    """
    work = driver_list.sessions if sessions else driver_list.drivers
    work(who, track, source, limit, as_json=as_json, as_csv=as_csv)


def records(
    track: Track,
    *,
    class_name: ClassOption = None,
    history: Annotated[bool, typer.Option("--history", help="Also those that were broken since.")] = False,
    source: SourceOption = None,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """Show a track's records: the fastest lap of each class, who drove it, and when.

    Example: lapstream records canberraoffroad --history
    """
    record_list.records(track, class_name, source, history=history, as_json=as_json, as_csv=as_csv)


def export(
    track: Annotated[
        str | None, typer.Argument(parser=slug, metavar="TRACK", help="The track's slug; or --all.")
    ] = None,
    *,
    parquet: Annotated[Path, typer.Option("--parquet", metavar="DIR", help="The folder for the files.")],
    everything: Annotated[bool, typer.Option("--all", help="Every track.")] = False,
    source: SourceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a track's sessions and laps, or all, as Parquet files, for DuckDB, Spark, Trino and the like.

    Folders are named by source, track and year. Run again, it replaces the files; one that was interrupted
    leaves none that is half written.

    Example: lapstream export canberraoffroad --parquet laps
    """
    exporting.export(track, parquet, source, everything=everything, as_json=as_json)


def compare(
    who: Annotated[list[str], typer.Argument(metavar="WHO", help=SIDES)],
    *,
    track: AnyTrack = None,
    date: DayOption = None,
    class_name: ClassOption = None,
    source: SourceOption = None,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """Compare two to four sessions, lap by lap and in figures; the first is what the others are measured by.

    A driver stands for the session with the driver's fastest lap, on a day, at a track, in a class or at all.

    Example: lapstream compare thornwick 9783013 --track canberraoffroad --class "1/10 Open"
    """
    place = where.Where(track=track, date=date, class_name=class_name, source=source)
    comparing.compare(who, place, as_json=as_json, as_csv=as_csv)
