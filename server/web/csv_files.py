"""The tables of the pages as CSV files: the columns of the commands, with nothing in them that is run."""

import re
from collections.abc import AsyncGenerator, Iterable
from uuid import UUID

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Struct

from laps.csv_text import csv_lines
from laps.people import whose_person
from laps.rows import ComparedLapRow, LapRow, compared_rows, day_rows, lap_rows
from laps.sessions import read_session
from producer.site import SOURCE
from schemas.scopes import Scope
from server.api.fields import Date, Source, TrackSlug
from server.api.people import the_person
from server.http.callers import needs
from server.http.csv_answers import CSV
from server.http.services import ApiRequest, connected
from server.web.compare import Chosen, compared, few_enough
from server.web.csv_stream import streamed
from server.web.day import the_day
from server.web.driver import the_driver
from server.web.drivers import found_drivers
from server.web.fields import Row, Words
from server.web.lap_session import the_session
from server.web.pages import sent
from server.web.track import the_track
from store import reading, records
from store.finding import FoundDriver
from store.reading import DayHead, DriverSession, Whose
from store.records import RecordStep

MOST_ROWS = 10_000
"""The newest days of a track, or sessions of a driver; the best matches of a search."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def csv_file(
    request: ApiRequest, kind: type[Struct], rows: Iterable[Struct], *name: object
) -> Response[bytes]:
    """Rows as a file, named by these parts; 304 where the client has it already."""
    body = "".join(csv_lines(kind, rows)).encode("utf-8", "replace")
    headers = {"Content-Disposition": f'attachment; filename="{file_name(*name)}"'}
    return sent(request, body, media_type=CSV, headers=headers)


def file_name(*parts: object) -> str:
    """A name that every system takes: letters, digits, hyphens and underscores."""
    return _UNSAFE.sub("-", "-".join(map(str, parts)))[:100].strip("-") + ".csv"


@get("/tracks/{track_slug:str}/days.csv", guards=[needs(Scope.read)])
async def track_days(request: ApiRequest, track_slug: TrackSlug, source: Source = SOURCE) -> Response[bytes]:
    """The newest days of a track."""
    async with connected(request) as connection:
        track = await the_track(connection, source, track_slug)
        found = await reading.find_days(connection, track_id=track.id, limit=MOST_ROWS)
    return csv_file(request, DayHead, found, track_slug, "days")


@get("/tracks/{track_slug:str}/records.csv", guards=[needs(Scope.read)])
async def track_records(
    request: ApiRequest, track_slug: TrackSlug, source: Source = SOURCE
) -> Response[bytes]:
    """The records of a track with their history."""
    async with connected(request) as connection:
        await the_track(connection, source, track_slug)
        steps = await records.read_history(connection, source, track_slug)
    return csv_file(request, RecordStep, steps, track_slug, "records")


@get("/tracks/{track_slug:str}/{date:date}/sessions.csv", guards=[needs(Scope.read)])
async def day_sessions(
    request: ApiRequest, track_slug: TrackSlug, date: Date, source: Source = SOURCE
) -> Response[bytes]:
    """The sessions of a day."""
    async with connected(request) as connection:
        day = await the_day(connection, source, track_slug, date)
    return csv_file(request, DriverSession, day_rows(day), track_slug, date, "sessions")


@get("/tracks/{track_slug:str}/{date:date}/laps.csv", guards=[needs(Scope.read)])
async def day_laps(request: ApiRequest, track_slug: TrackSlug, date: Date, source: Source = SOURCE) -> Stream:
    """The laps of all sessions of a day, in pieces; each session as it is when its turn comes."""
    async with connected(request) as connection:
        day = await the_day(connection, source, track_slug, date)
    parts = _laps_of(request, [session.id for session in day.sessions])
    return streamed(request, LapRow, parts, file_name(track_slug, date, "laps"))


async def _laps_of(request: ApiRequest, sessions: Iterable[UUID]) -> AsyncGenerator[Iterable[LapRow]]:
    """The laps of each session, one after the other; no connection is held in between."""
    for session in sessions:
        async with connected(request) as connection:
            found = await read_session(connection, session)
        if found:
            yield lap_rows(found)


@get("/sessions/{session:uuid}/laps.csv", guards=[needs(Scope.read)])
async def session_laps(request: ApiRequest, session: Row) -> Response[bytes]:
    """The laps of a session."""
    async with connected(request) as connection:
        found = await the_session(connection, session)
    name = (found.track_slug, found.date, found.session_id, "laps")
    return csv_file(request, LapRow, lap_rows(found), *name)


@get("/drivers/{driver:uuid}/sessions.csv", guards=[needs(Scope.read)])
async def driver_sessions(request: ApiRequest, driver: Row) -> Response[bytes]:
    """The newest sessions of a driver."""
    async with connected(request) as connection:
        found = await the_driver(connection, driver)
        sessions = await reading.sessions_of(connection, Whose([driver]), limit=MOST_ROWS)
    return csv_file(request, DriverSession, sessions, found.source_driver_id, "sessions")


@get("/people/{person:uuid}/sessions.csv", guards=[needs(Scope.read)])
async def person_sessions(request: ApiRequest, person: Row) -> Response[bytes]:
    """The newest sessions of a person."""
    async with connected(request) as connection:
        found = await the_person(connection, person)
        meant = await whose_person(connection, person)
        sessions = await reading.sessions_of(connection, meant, limit=MOST_ROWS)
    return csv_file(request, DriverSession, sessions, found.display_name or person, "sessions")


@get("/drivers.csv", guards=[needs(Scope.read)])
async def driver_list(request: ApiRequest, q: Words = "") -> Response[bytes]:
    """Who is called so."""
    async with connected(request) as connection:
        found = await found_drivers(connection, q, limit=MOST_ROWS)
    return csv_file(request, FoundDriver, found, "drivers")


@get("/compare/laps.csv", guards=[needs(Scope.read)])
async def compared_laps(request: ApiRequest, chosen: Chosen = None) -> Response[bytes]:
    """The laps of two to four sessions."""
    each = few_enough(chosen)
    async with connected(request) as connection:
        found = await compared(connection, each)
    return csv_file(request, ComparedLapRow, compared_rows(found), "compared", "laps")


CSV_FILES: tuple[HTTPRouteHandler, ...] = (
    track_days,
    track_records,
    day_sessions,
    day_laps,
    session_laps,
    driver_sessions,
    person_sessions,
    driver_list,
    compared_laps,
)
