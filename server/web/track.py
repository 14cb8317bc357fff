"""A track: its days by month, the newest first."""

import datetime as dt
from itertools import groupby
from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from producer import catalogue
from producer.site import SOURCE
from runs import subscriptions
from schemas.askable import first_of_month
from schemas.identity import track_id
from schemas.scopes import Scope
from server.api.fields import Cursor, Source, TrackSlug, page_of, place_at
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web.live import live_today
from server.web.pages import page
from server.web.track_view import last_of_month, years_of
from store import reading
from store.pool import Connection
from store.reading import DayPlace, TrackView

DAYS = 100
"""Days of a page."""

Month = Annotated[
    str | None,
    QueryParameter(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])\Z", description="Only this month's days."),
]


@get("/tracks/{track_slug:str}", guards=[needs(Scope.read)])
async def read_track(
    request: ApiRequest,
    track_slug: TrackSlug,
    source: Source = SOURCE,
    before: Cursor = None,
    month: Month = None,
) -> Response[bytes]:
    """Show a track's days by month, the newest ones, or those of one month."""
    place = place_at(before, DayPlace)
    first = first_of_month(month) if month else None
    row = track_id(source, track_slug)
    async with connected(request) as connection:
        track = await _stored_or_listed(connection, source, track_slug)
        found = await reading.find_days(
            connection,
            source=source,
            track_id=row,
            first=first,
            last=first and last_of_month(first),
            before=place,
            limit=DAYS + 1,
        )
        stored = await reading.months_of_track(connection, row)
        live = await live_today(request, connection, source, track_slug)
        subscribed = await subscriptions.read(connection, source, track_slug)
    days = page_of(found, DAYS, lambda day: DayPlace(day.date, day.event_id))
    months = [
        list(of_month) for _, of_month in groupby(days.items, lambda day: (day.date.year, day.date.month))
    ]
    return page(
        request,
        "track.html",
        track=track,
        months=months,
        years=years_of(stored, dt.datetime.now(dt.UTC).date()),
        month=first,
        older=days.next_cursor,
        newest=before is None,
        is_sites=source == SOURCE,
        live=live,
        subscribed=subscribed is not None,
    )


async def _stored_or_listed(connection: Connection, source: str, slug: str) -> TrackView:
    """The track of a slug, also one of the site's list; raises a `Refusal` for others."""
    name = await catalogue.listed_as(connection, source, slug)
    row = track_id(source, slug)
    found = await reading.read_track(connection, row)
    if found or name is None:
        return found or await the_track(connection, source, slug)
    return TrackView(
        id=row,
        source=source,
        track_slug=slug,
        name=name,
        time_zone=None,
        days=0,
        first_day=None,
        last_day=None,
    )


async def the_track(connection: Connection, source: str, slug: str) -> TrackView:
    """The track of a slug; raises a `Refusal` where nothing of it is stored."""
    found = await reading.read_track(connection, track_id(source, slug))
    if found is None:
        raise Refusal.not_found(f"nothing of the track {slug} is stored")
    return found
