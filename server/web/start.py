"""The start: tracks found by name, those that are stored and all others of the site, and the newest days."""

import datetime as dt
from itertools import islice

from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from laps.people import newest_sessions
from producer import catalogue
from producer.catalogue import ListedTrack
from producer.site import SOURCE
from runs import following
from schemas.scopes import Scope
from schemas.searching import searched, words_of
from server.http.callers import needs
from server.http.services import ApiRequest, connected
from server.web.fields import Words
from server.web.live_view import MOST_SHOWN
from server.web.mine import mine_of
from server.web.pages import go_to, page
from store import reading
from store.reading import TrackView

NEWEST_DAYS = 12
NEWEST_SESSIONS = 12
MOST_TRACKS = 2_000
"""Tracks that are looked through; LiveRC has some 1,100."""

SHOWN_TRACKS = 100


class FoundTracks(Struct, frozen=True, kw_only=True):
    """The tracks that are shown, those that are stored first, and how many were found."""

    stored: list[TrackView]
    others: list[ListedTrack]
    found: int


@get("/", guards=[needs(Scope.read)])
async def read_start(request: ApiRequest, q: Words = "") -> Response[bytes]:
    """Show the tracks that are stored, or all of the site whose name has these words, and the newest days."""
    words, chosen = words_of(q), mine_of(request)
    async with connected(request) as connection:
        stored = await reading.find_tracks(connection, limit=MOST_TRACKS)
        listed = await catalogue.find(connection, SOURCE, words, limit=MOST_TRACKS) if words else []
        listing = await catalogue.read(connection, SOURCE)
        days = await reading.find_days(connection, limit=NEWEST_DAYS)
        followed = await following.followed_now(connection, dt.datetime.now(dt.UTC), limit=MOST_SHOWN + 1)
        mine = await newest_sessions(connection, chosen, limit=NEWEST_SESSIONS) if not words else []
    tracks = found_tracks(stored, listed, words)
    return page(
        request,
        "start.html",
        q=q,
        tracks=tracks,
        listing=listing,
        days=days,
        followed=followed,
        most=MOST_SHOWN,
        chosen=", ".join(chosen),
        mine=mine,
    )


@post("/tracks/refresh", guards=[needs(Scope.ingest)])
async def refresh_tracks(request: ApiRequest) -> Redirect:
    """Ask for the site's list of tracks, and lead back to the start."""
    async with connected(request) as connection:
        await catalogue.ask_for(connection, SOURCE)
    return go_to("/")


def found_tracks(stored: list[TrackView], listed: list[ListedTrack], words: list[str]) -> FoundTracks:
    """As many tracks with these words as are shown; the site's list was searched for them already.

    A track that is stored is shown as such, also where only the site's list calls it so.
    """
    known = {track.track_slug for track in stored if track.source == SOURCE}
    named = known & {track.track_slug for track in listed}
    mine = [
        track
        for track in stored
        if _is_called(track, words) or (track.source == SOURCE and track.track_slug in named)
    ]
    others = [track for track in listed if track.track_slug not in known]
    shown = mine[:SHOWN_TRACKS]
    return FoundTracks(
        stored=shown,
        others=list(islice(others, SHOWN_TRACKS - len(shown))),
        found=len(mine) + len(others),
    )


def _is_called(track: TrackView, words: list[str]) -> bool:
    """Whether all of these words stand in its name or address, in any case and without accents."""
    text = searched(f"{track.name or ''} {track.track_slug}")
    return all(word in text for word in words)
