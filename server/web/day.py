"""A practice day: best laps of each class, who drove when, every session, and the page's own totals."""

import datetime as dt
from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from laps import days
from laps.days import DayReport
from producer.site import SOURCE
from runs import run as runs
from runs.following import DayName, FollowedDay
from runs.run import Run, RunFailure
from schemas.identity import track_id
from schemas.scopes import Scope
from server.api.fields import Date, Source, TrackSlug
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web import day_view
from server.web.live import Live, live_of
from server.web.mine import mine_of
from server.web.mine_view import mine_among
from server.web.pages import page
from store import days as stored_days
from store import reading
from store.days import DayView
from store.people import people_of
from store.pool import Connection


@get("/tracks/{track_slug:str}/{date:date}", guards=[needs(Scope.read)])
async def read_day(
    request: ApiRequest,
    track_slug: TrackSlug,
    date: Date,
    source: Source = SOURCE,
    every: Annotated[bool, QueryParameter(name="all", description="Also sessions of others.")] = False,  # noqa: FBT002 - a parameter of the address
) -> Response[bytes]:
    """Show a practice day; of its sessions only one's own, where names were chosen."""
    words = mine_of(request)
    async with connected(request) as connection:
        live = await live_of(request, connection, DayName(source, track_slug, date))
        if live.day and live.is_followed and not await stored_days.is_known(connection, live.day.event_id):
            return _waiting(request, live.day, live)
        day = await the_day(connection, source, track_slug, date)
        track = await reading.read_track(connection, track_id(source, track_slug))
        run, failures = await _last_import(connection, day)
        people = await people_of(connection, [one.driver_id for one in day.sessions]) if words else []
    mine = mine_among(day.sessions, people, words)
    shown = [one for one in day.sessions if one.id in mine] if words and not every else day.sessions
    missing = day_view.missing_of(day, failures)
    return page(
        request,
        "day.html",
        day=day,
        time_zone=track and track.time_zone,
        missing=missing,
        retried=run.id if run and failures and run.state != "running" else None,
        boards=day.leaderboards,
        shared_names=day_view.shared_names(day.sessions),
        timeline=day_view.timeline_of(day.sessions, mine),
        classes=day_view.classes_of(shown),
        mine=mine,
        chosen=", ".join(words),
        every=every,
        totals=day_view.totals_of(day),
        stats_known=day.stats is not None,
        is_sites=source == SOURCE,
        live=live,
    )


def _waiting(request: ApiRequest, day: FollowedDay, live: Live) -> Response[bytes]:
    """The page of a day that is followed, and of which nothing is stored yet."""
    return page(request, "day_waiting.html", live=live, day=day)


async def the_day(connection: Connection, source: str, slug: str, date: dt.date) -> DayReport:
    """A practice day; raises a `Refusal` where nothing of it is stored."""
    day = await days.read_day(connection, source, slug, date)
    if day is None:
        raise Refusal.not_found(f"nothing is stored of {slug} on {date}")
    return day


async def _last_import(connection: Connection, day: DayView) -> tuple[Run | None, list[RunFailure]]:
    """The day's newest import, and the sessions whose page it failed to fetch."""
    if day.sessions_with_detail == day.sessions_ingested:
        return None, []
    run = await runs.newest_of(connection, day.event_id)
    return run, await runs.failures(connection, run.id) if run else []
