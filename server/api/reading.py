"""What is stored: tracks, practice days, sessions with their laps, drivers."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from laps import days, naming, sessions
from laps.days import DayReport
from laps.rows import LapRow, day_rows, lap_rows
from laps.sessions import SessionReport
from producer.site import SOURCE
from schemas import fields as f
from schemas.identity import track_id
from schemas.scopes import Scope
from server.api.fields import (
    PAGE,
    SLUG,
    AnySource,
    Cursor,
    Date,
    Limit,
    Source,
    TrackSlug,
    page_of,
    place_at,
)
from server.http.answers import Page, Success, success
from server.http.callers import needs
from server.http.csv_answers import or_csv
from server.http.refusals import Refusal
from server.http.responses import refusals
from server.http.services import ApiRequest, connected
from store import finding, people, reading, records
from store.finding import FIRST, DriverPlace, FoundDriver
from store.reading import (
    BEFORE_ALL,
    Best,
    DayHead,
    DayPlace,
    DriverSession,
    DriverView,
    SessionPlace,
    TrackPlace,
    TrackView,
    Whose,
)
from store.records import RecordStep, TrackRecord

TrackName = Annotated[
    str | None, QueryParameter(pattern=SLUG, description="Only this track's; without a source, of liverc.")
]


class TrackRecords(Struct, frozen=True, kw_only=True):
    """A track's records, one for each class; sessions without a class have one of their own, the last."""

    source: str
    track_slug: f.TrackSlug
    records: list[TrackRecord]


class RecordHistory(Struct, frozen=True, kw_only=True):
    """The records that were broken at a track, by class; the last of a class stands."""

    source: str
    track_slug: f.TrackSlug
    records: list[RecordStep]


class DriverProfile(DriverView, frozen=True, kw_only=True):
    """A driver with bests by class and track, and a page of sessions, the newest first.

    `person_id` is the person to whom the driver belongs, whatever the name; `GET /people` has all of it.
    """

    bests: list[Best]
    history: Page[DriverSession]
    person_id: UUID | None


@get(
    "/tracks",
    operation_id="listTracks",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
async def list_tracks(
    request: ApiRequest, source: AnySource = None, cursor: Cursor = None, limit: Limit = PAGE
) -> Success[Page[TrackView]]:
    """List the tracks of which anything is stored, by their slugs."""
    after = place_at(cursor, TrackPlace) or BEFORE_ALL
    async with connected(request) as connection:
        found = await reading.find_tracks(connection, source=source, after=after, limit=limit + 1)
    return success(page_of(found, limit, lambda track: TrackPlace(track.track_slug, track.source)))


@get(
    "/practice-days/search",
    operation_id="searchPracticeDays",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
@or_csv(DayHead, lambda page: page.items, lambda page: page)
async def search_days(
    request: ApiRequest,
    track: TrackName = None,
    source: AnySource = None,
    from_: Annotated[dt.date | None, QueryParameter(name="from", description="The first day.")] = None,
    to: Annotated[dt.date | None, QueryParameter(description="The last day.")] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[Page[DayHead]]:
    """Find practice days that are stored, the newest first."""
    before = place_at(cursor, DayPlace)
    async with connected(request) as connection:
        found = await reading.find_days(
            connection,
            source=source,
            track_id=track_id(source or SOURCE, track) if track else None,
            first=from_,
            last=to,
            before=before,
            limit=limit + 1,
        )
    return success(page_of(found, limit, lambda day: DayPlace(day.date, day.event_id)))


@get(
    "/practice-days/{track_slug:str}/{date:date}",
    operation_id="readPracticeDay",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
@or_csv(DriverSession, day_rows)
async def read_day(
    request: ApiRequest,
    track_slug: TrackSlug,
    date: Date,
    source: Source = SOURCE,
) -> Success[DayReport]:
    """Read a practice day: its totals, sessions, results, and a leaderboard of each class."""
    async with connected(request) as connection:
        view = await days.read_day(connection, source, track_slug, date)
    if view is None:
        advice = "import it first" if source == SOURCE else f"is anything of {source} published?"
        raise Refusal.not_found(f"nothing is stored of {source}/{track_slug} on {date}: {advice}")
    return success(view)


@get(
    "/sessions/{session:uuid}",
    operation_id="readSession",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
@or_csv(LapRow, lap_rows)
async def read_session(
    request: ApiRequest,
    session: Annotated[UUID, PathParameter(description="The session's `id` in a practice day.")],
) -> Success[SessionReport]:
    """Read a session with all its laps, and the figures that we compute from them."""
    async with connected(request) as connection:
        found = await sessions.read_session(connection, session)
    if found is None:
        raise Refusal.not_found(f"no session {session} is stored")
    return success(found)


@get(
    "/drivers",
    operation_id="findDrivers",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
@or_csv(FoundDriver, lambda page: page.items, lambda page: page)
async def find_drivers(
    request: ApiRequest,
    called: Annotated[
        str | None,
        QueryParameter(
            min_length=1,
            max_length=200,
            pattern=f.NO_NUL,
            description="Only who is called so: a name or a part of it, a transponder, an id.",
        ),
    ] = None,
    track: TrackName = None,
    source: AnySource = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[Page[FoundDriver]]:
    """Find drivers, the best matches first, else by name."""
    after = place_at(cursor, DriverPlace) or FIRST
    async with connected(request) as connection:
        found = await finding.find_drivers(
            connection,
            naming.called(called) if called else None,
            source=source,
            within=reading.Scope(track_id(source or SOURCE, track) if track else None),
            after=after,
            limit=limit + 1,
        )
    return success(page_of(found, limit, DriverPlace.of))


@get(
    "/drivers/{driver:uuid}",
    operation_id="readDriver",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 422, 429, 503),
)
@or_csv(DriverSession, lambda driver: driver.history.items, lambda driver: driver.history)
async def read_driver(
    request: ApiRequest,
    driver: Annotated[UUID, PathParameter(description="The `driver_id` of a session.")],
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[DriverProfile]:
    """Read a driver: the fastest lap of each class at each track, and the sessions, the newest first."""
    before = place_at(cursor, SessionPlace)
    async with connected(request) as connection:
        found = await reading.read_driver(connection, driver)
        if found is None:
            raise Refusal.not_found(f"no driver {driver} is stored")
        person = await people.person_of(connection, driver)
        bests = await reading.bests_of(connection, Whose([driver]))
        driven = await reading.sessions_of(connection, Whose([driver]), before=before, limit=limit + 1)
    history = page_of(driven, limit, SessionPlace.of)
    return success(DriverProfile(bests=bests, history=history, person_id=person, **asdict(found)))


@get(
    "/tracks/{track_slug:str}/records",
    operation_id="readTrackRecords",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 429, 503),
)
async def read_records(
    request: ApiRequest, track_slug: TrackSlug, source: Source = SOURCE
) -> Success[TrackRecords]:
    """Read a track's records: the fastest lap of each class, who drove it, and when."""
    async with connected(request) as connection:
        found = await records.read_records(connection, source, track_slug)
    return success(TrackRecords(source=source, track_slug=track_slug, records=found))


@get(
    "/tracks/{track_slug:str}/records/history",
    operation_id="readRecordHistory",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
@or_csv(RecordStep, lambda history: history.records)
async def read_history(
    request: ApiRequest,
    track_slug: TrackSlug,
    source: Source = SOURCE,
    class_name: Annotated[
        str | None,
        QueryParameter(max_length=300, pattern=f.NO_NUL, description="Only the records of this class."),
    ] = None,
) -> Success[RecordHistory]:
    """Read how a track's records fell: each session that broke the record of its class."""
    async with connected(request) as connection:
        found = await records.read_history(connection, source, track_slug, class_name)
    return success(RecordHistory(source=source, track_slug=track_slug, records=found))
