"""Tracks that are subscribed to: a list of them, and forms to add, change and remove one."""

import datetime as dt

from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from producer.site import SOURCE
from runs import following, subscriptions
from runs.subscriptions import SubscribedAlready
from schemas.scopes import Scope
from schemas.zones import is_zone
from server.api.fields import TrackSlug
from server.http.callers import needs
from server.http.services import ApiRequest, connected
from server.web import links
from server.web.forms import entered, faults_of_track, form_page
from server.web.live import zone_of
from server.web.live_view import MOST_SHOWN
from server.web.pages import go_to
from server.web.texts import TEXTS
from store.pool import Connection

LIVE = "live"
NIGHTLY = "nightly"


class Wanted(Struct, frozen=True, kw_only=True):
    """What was entered into the form, as it was sent."""

    track_slug: str = ""
    time_zone: str = ""
    follow: str = LIVE


@get("/subscriptions", guards=[needs(Scope.read)])
async def read_subscriptions(request: ApiRequest) -> Response[bytes]:
    """Show the tracks that are subscribed to, and the days that are followed now."""
    return await _list(request, Wanted())


async def _list(request: ApiRequest, wanted: Wanted, faults: dict[str, str] | None = None) -> Response[bytes]:
    async with connected(request) as connection:
        followed = await following.followed_now(connection, dt.datetime.now(dt.UTC), limit=MOST_SHOWN + 1)
        tracks = await following.subscribed(connection, limit=MOST_SHOWN + 1)
    return form_page(
        request,
        "subscriptions.html",
        wanted,
        faults,
        followed=followed,
        tracks=tracks,
        most=MOST_SHOWN,
        known=False,
    )


@get("/subscriptions/{track_slug:str}", guards=[needs(Scope.ingest)])
async def read_subscription(request: ApiRequest, track_slug: TrackSlug) -> Response[bytes]:
    """Show a subscription, or the form for a new one."""
    async with connected(request) as connection:
        known = await subscriptions.read(connection, SOURCE, track_slug)
        time_zone = await zone_of(request, connection, SOURCE, track_slug)
    follow = NIGHTLY if known and not known.follow else LIVE
    wanted = Wanted(track_slug=track_slug, time_zone=time_zone or "", follow=follow)
    return form_page(request, "subscription.html", wanted, known=known is not None)


@post("/subscriptions", guards=[needs(Scope.ingest)])
async def save_subscription(request: ApiRequest) -> Response[bytes] | Redirect:
    """Add a subscription, or change the one that is there, and lead to all of them."""
    wanted = await entered(request, Wanted)
    if faults := faults_of(wanted):
        return await _list(request, wanted, faults)
    async with connected(request) as connection:
        await _save(connection, wanted)
    return go_to(links.subscriptions())


async def _save(connection: Connection, wanted: Wanted) -> None:
    slug, zone, follow = wanted.track_slug, wanted.time_zone, wanted.follow == LIVE
    now = dt.datetime.now(dt.UTC)
    try:
        await following.subscribe(connection, SOURCE, slug, zone, follow=follow, now=now)
    except SubscribedAlready:
        await following.change(connection, SOURCE, slug, zone, follow=follow, now=now)


@post("/subscriptions/{track_slug:str}/remove", guards=[needs(Scope.ingest)])
async def remove_subscription(request: ApiRequest, track_slug: TrackSlug) -> Redirect:
    """End a subscription, and lead to the others; one that is gone is none."""
    async with connected(request) as connection:
        if await subscriptions.read(connection, SOURCE, track_slug):
            await following.unsubscribe(connection, SOURCE, track_slug)
    return go_to(links.subscriptions())


def faults_of(wanted: Wanted) -> dict[str, str]:
    """What is wrong with the form, by the names of its fields."""
    faults = faults_of_track(wanted.track_slug)
    if not is_zone(wanted.time_zone):
        faults["time_zone"] = TEXTS("subscriptions.bad_zone")
    return faults
