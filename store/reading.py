"""What people read: tracks, days, sessions with laps, drivers; a driver whom no session refers to is hidden.

Lists are paged by where the page before ended, so that a row that comes or goes shifts no page. Times are in
seconds; `start_time`, `end_time` and `lapped_at` are on the track's local clock, without offset.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from schemas import fields as f
from schemas.times import lap_range
from store.pool import Connection, Record
from store.statements import statements_of

statement = statements_of(__file__)

MAX_BESTS = 500
"""The most classes, over all tracks, that a driver's bests are told of."""

MAX_NAMES = 500
"""The most names of a driver that are told."""


class TrackView(Struct, frozen=True, kw_only=True):
    """A track and the days of it that are stored; `time_zone` is an IANA name that somebody gave."""

    id: UUID
    source: str
    track_slug: str
    name: str | None
    time_zone: str | None
    days: int
    first_day: dt.date | None
    last_day: dt.date | None


class StoredMonth(Struct, frozen=True, kw_only=True):
    """A month, by its first day, and how many days of it are stored."""

    month: dt.date
    days: int


class DayHead(Struct, frozen=True, kw_only=True):
    """A practice day in a list."""

    event_id: UUID
    source: str
    source_event_id: str
    track_slug: str
    track_name: str | None
    date: dt.date
    sessions: int
    sessions_with_detail: int


class SessionStats(Struct, frozen=True, kw_only=True):
    """What a session's page says beside its laps; times in seconds, also of the range of valid laps."""

    top_3_consecutive: float | None
    avg_top_5: float | None
    avg_top_10: float | None
    avg_top_15: float | None
    std_deviation: float | None
    valid_lap_range: tuple[float, float] | None


class LapView(Struct, frozen=True, kw_only=True):
    """A lap; `elapsed_race_time` is derived, the sum of the lap times so far."""

    lap_number: int
    position_on_lap: int | None
    lap_time_raw: str | None
    lap_time_seconds: float | None
    is_valid: bool | None
    lapped_at: f.LocalTime | None
    pace_string: str | None
    elapsed_race_time: float | None
    segments: list[float | None] | None


class SessionDetail(Struct, frozen=True, kw_only=True):
    """A session with its result and laps; without `has_detail`, only its row in the day's list is known.

    `run` counts the driver's sessions of its class on the day, in the order in which they began, from 1.
    """

    id: UUID
    session_id: str
    event_id: UUID
    source: str
    source_event_id: str
    track_slug: str
    track_name: str | None
    time_zone: str | None
    date: dt.date
    class_name: str | None
    run: int
    driver_id: UUID
    source_driver_id: str
    driver_name: str | None
    transponder_number: str | None
    session_url: str | None
    start_time: f.LocalTime | None
    start_time_utc: f.Instant | None
    end_time: f.LocalTime | None
    duration_seconds: int | None
    has_detail: bool
    laps_completed: int | None
    fast_lap_time: float | None
    avg_lap_time: float | None
    consistency: float | None
    person_id: UUID | None
    stats: SessionStats | None
    laps: list[LapView]


class DriverView(Struct, frozen=True, kw_only=True):
    """A driver, with the number of sessions that are stored, and the names that these have.

    Who drives is known by the transponder: one that is lent has several names. `display_name` is the newest.
    """

    id: UUID
    source: str
    source_driver_id: str
    display_name: str | None
    normalized_name: str | None
    transponder_number: str | None
    sessions: int
    names: list[str]


class Best(Struct, frozen=True, kw_only=True):
    """A driver's fastest lap of a class at a track, with the session it was driven in."""

    track_slug: str
    track_name: str | None
    class_name: str | None
    fast_lap_time: float
    date: dt.date
    session: UUID


class DriverSession(Struct, frozen=True, kw_only=True):
    """A session in a driver's list, with the driver's name and transponder as it has them.

    `run` counts the driver's sessions of its class on the day, in the order in which they began, from 1.
    """

    id: UUID
    session_id: str
    event_id: UUID
    source: str
    track_slug: str
    track_name: str | None
    date: dt.date
    class_name: str | None
    run: int
    driver_id: UUID
    source_driver_id: str
    driver_name: str | None
    transponder_number: str | None
    start_time: f.LocalTime | None
    duration_seconds: int | None
    laps_completed: int | None
    fast_lap_time: float | None
    avg_lap_time: float | None
    consistency: float | None
    has_detail: bool
    person_id: UUID | None


class DayPlace(NamedTuple):
    """Where a page of days ended."""

    date: dt.date
    event_id: UUID


class SessionPlace(NamedTuple):
    """Where a page of a driver's sessions ended."""

    date: dt.date
    start_time: f.LocalTime
    id: UUID

    @classmethod
    def of(cls, session: DriverSession) -> "SessionPlace":
        """Where a session stands among its driver's."""
        midnight = dt.datetime.combine(session.date, dt.time())
        return cls(session.date, session.start_time or midnight, session.id)


class Scope(NamedTuple):
    """Which sessions are meant: of a track, of a class, from and to a day; None for all."""

    track_id: UUID | None = None
    class_name: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None


EVERYWHERE = Scope()


class Whose(NamedTuple):
    """Whose sessions are meant: of all these drivers, or what of them is a person's (`store.people`)."""

    drivers: Sequence[UUID]
    person: UUID | None = None


class TrackPlace(NamedTuple):
    """Where a page of tracks ended."""

    track_slug: f.TrackSlug
    source: Annotated[str, Meta(pattern=f.NO_NUL)] = ""


BEFORE_ALL = TrackPlace("")


async def find_tracks(
    connection: Connection, *, source: str | None = None, after: TrackPlace = BEFORE_ALL, limit: int
) -> list[TrackView]:
    """Tracks in the order of their slugs, those of one slug by their sources; of one source, or all."""
    rows = await connection.fetch(statement("find_tracks"), source, *after, limit)
    return [TrackView(**row) for row in rows]


async def read_track(connection: Connection, track_id: UUID) -> TrackView | None:
    """A track with the days of it that are stored."""
    row = await connection.fetchrow(statement("read_track"), track_id)
    return TrackView(**row) if row else None


class TrackName(NamedTuple):
    """A track by its natural key."""

    source: str
    track_slug: str


async def track_name_of(connection: Connection, track_id: UUID) -> TrackName | None:
    """The natural key of a track that is stored."""
    row = await connection.fetchrow(statement("track_name_of"), track_id)
    return TrackName(*row) if row else None


async def months_of_track(connection: Connection, track_id: UUID) -> list[StoredMonth]:
    """The months of which any day of a track is stored, the newest first."""
    return [StoredMonth(**row) for row in await connection.fetch(statement("months_of_track"), track_id)]


async def find_days(
    connection: Connection,
    *,
    source: str | None = None,
    track_id: UUID | None = None,
    first: dt.date | None = None,
    last: dt.date | None = None,
    before: DayPlace | None = None,
    limit: int,
) -> list[DayHead]:
    """Practice days of a source and a track or all, the newest first, each of the two dates included."""
    place = before or (None, None)
    rows = await connection.fetch(statement("find_days"), track_id, first, last, *place, limit, source)
    return [DayHead(**row) for row in rows]


async def read_session(connection: Connection, session: UUID) -> SessionDetail | None:
    """A session with its laps, by its row's id."""
    return next(iter(await read_each(connection, [session])), None)


async def read_each(connection: Connection, sessions: Sequence[UUID]) -> list[SessionDetail]:
    """Those of these sessions that are stored, with their laps, by their rows' ids and in their order."""
    rows = await connection.fetch(statement("read_each"), sessions)
    found = {session.id: session for session in await _with_laps(connection, rows)}
    return [found[session] for session in sessions if session in found]


async def read_sessions(connection: Connection, event_id: UUID) -> list[SessionDetail]:
    """The sessions of a day with their laps, by the day's row's id, in the order in which they began."""
    return await _with_laps(connection, await connection.fetch(statement("read_sessions"), event_id))


async def _with_laps(connection: Connection, rows: Sequence[Record]) -> list[SessionDetail]:
    laps = await laps_of(connection, [row["id"] for row in rows])
    return [_session(row, laps.get(row["id"], [])) for row in rows]


def _session(row: Record, laps: list[LapView]) -> SessionDetail:
    values = dict(row)
    values["end_time"] = values["end_time"] and dt.datetime.fromisoformat(values["end_time"])
    values["stats"] = values["stats"] and _stats(values["stats"])
    return SessionDetail(laps=laps, **values)


def _stats(text: str) -> SessionStats:
    values: dict[str, Any] = msgspec.json.decode(text)
    if isinstance(values["valid_lap_range"], str):  # as older releases wrote it
        values["valid_lap_range"] = lap_range(values["valid_lap_range"])
    return msgspec.convert(values, SessionStats)


def _lap(values: dict[str, Any]) -> LapView:
    values["segments"] = values["segments"] and msgspec.json.decode(values["segments"])
    return LapView(**values)


async def read_driver(connection: Connection, driver: UUID) -> DriverView | None:
    """A driver; None also for one whom no session refers to."""
    row = await connection.fetchrow(statement("read_driver"), driver)
    return DriverView(**row, names=await names_of(connection, driver)) if row else None


async def names_of(connection: Connection, driver: UUID) -> list[str]:
    """The names that a driver's sessions have, in alphabetical order; at most `MAX_NAMES`."""
    rows = await connection.fetch(statement("driver_names"), driver, MAX_NAMES)
    return [row["display_name"] for row in rows]


async def bests_of(connection: Connection, whose: Whose) -> list[Best]:
    """The fastest lap of each class at each track, at most `MAX_BESTS`."""
    rows = await connection.fetch(statement("driver_bests"), whose.drivers, MAX_BESTS, whose.person)
    return [Best(**row) for row in rows]


async def sessions_of(
    connection: Connection,
    whose: Whose,
    *,
    within: Scope = EVERYWHERE,
    before: SessionPlace | None = None,
    limit: int,
) -> list[DriverSession]:
    """Sessions, of all drivers that are meant together, the newest first."""
    place = before or (None, None, None)
    rows = await connection.fetch(
        statement("driver_sessions"), whose.drivers, *place, limit, *within, whose.person
    )
    return [DriverSession(**row) for row in rows]


async def fastest_session(connection: Connection, whose: Whose, within: Scope = EVERYWHERE) -> UUID | None:
    """The session with the fastest lap, of those that have laps."""
    return await connection.fetchval(statement("fastest_session"), *whose, *within)


async def laps_of(connection: Connection, sessions: Sequence[UUID]) -> dict[UUID, list[LapView]]:
    """The laps of sessions, by the ids of the sessions' rows; those without laps are left out."""
    found: dict[UUID, list[LapView]] = {}
    for row in await connection.fetch(statement("laps_of_sessions"), sessions):
        values = dict(row)
        found.setdefault(values.pop("session"), []).append(_lap(values))
    return found
