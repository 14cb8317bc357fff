"""An export of sessions and laps, of a track or of all, day by day into Parquet files.

Each day is read at one moment. An export that is interrupted leaves whole files, of this export or of one
before; run again, it replaces them all.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from laps.parquet import Partition, remove_other_years, written
from laps.rows import LapRow, SessionRow, lap_rows, session_row
from laps.sessions import report_of
from store.folders import held
from store.pool import Connection, Pool
from store.reading import (
    BEFORE_ALL,
    DayHead,
    SessionDetail,
    TrackPlace,
    TrackView,
    find_days,
    find_tracks,
    read_sessions,
)

SESSIONS, LAPS = "sessions", "laps"
"""The two datasets."""

TRACKS = 500
"""So many tracks are looked up at a time."""

EVERY_DAY = 100_000
"""More days than a track can have."""


class Exported(Struct, kw_only=True):
    """What was exported so far."""

    tracks: int = 0
    days: int = 0
    sessions: int = 0
    laps: int = 0
    files: int = 0


async def tracks_of(connection: Connection, source: str | None) -> AsyncGenerator[TrackView]:
    """Every track, of a source or of all."""
    place = BEFORE_ALL
    while found := await find_tracks(connection, source=source, after=place, limit=TRACKS):
        for track in found:
            yield track
        place = TrackPlace(found[-1].track_slug, found[-1].source)


async def export(
    pool: Pool, tracks: Sequence[TrackView], folder: Path, show: Callable[[Exported], None]
) -> Exported:
    """Write the days of tracks into a folder; `show` is told after each day how far it is.

    Raises `FolderHeld` where another export writes into it.
    """
    with held(folder):
        return await _export(pool, tracks, folder, show)


async def _export(
    pool: Pool, tracks: Sequence[TrackView], folder: Path, show: Callable[[Exported], None]
) -> Exported:
    done = Exported()
    for track in tracks:
        async with pool.acquire() as connection:
            days = await _days_of(connection, track)
        years = {
            Partition(track.source, track.track_slug, year): list(ones)
            for year, ones in groupby(days, lambda day: day.date.year)
        }
        for dataset in (SESSIONS, LAPS):
            remove_other_years(folder, dataset, years)
        for partition, ones in years.items():
            await _export_year(pool, partition, ones, folder, done, show)
        done.tracks += 1
    return done


async def _days_of(connection: Connection, track: TrackView) -> list[DayHead]:
    """The days of a track, the oldest first."""
    return (await find_days(connection, track_id=track.id, limit=EVERY_DAY))[::-1]


async def _export_year(
    pool: Pool,
    partition: Partition,
    days: Sequence[DayHead],
    folder: Path,
    done: Exported,
    show: Callable[[Exported], None],
) -> None:
    """Write a track's year: its files are there when all its days are in them."""
    with ExitStack() as files:
        sessions = files.enter_context(written(folder, SESSIONS, partition, SessionRow))
        laps = files.enter_context(written(folder, LAPS, partition, LapRow))
        for day in days:
            reports = [report_of(one) for one in await _sessions(pool, day)]
            sessions.add(map(session_row, reports))
            laps.add(row for report in reports for row in lap_rows(report))
            done.days += 1
            done.sessions += len(reports)
            done.laps += sum(len(report.laps) for report in reports)
            show(done)
    done.files += 2


async def _sessions(pool: Pool, day: DayHead) -> list[SessionDetail]:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        return await read_sessions(connection, day.event_id)
