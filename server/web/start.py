"""The start: tracks that are known, found by name, and the newest days."""

from litestar import Response, get

from schemas.scopes import Scope
from server.http.callers import needs
from server.http.services import ApiRequest, connected
from server.web.fields import Words
from server.web.pages import page
from store import reading
from store.reading import TrackView

NEWEST_DAYS = 12
MOST_TRACKS = 2_000
"""Tracks that are looked through; LiveRC has some 1,100."""

SHOWN_TRACKS = 100


@get("/", guards=[needs(Scope.read)])
async def read_start(request: ApiRequest, q: Words = "") -> Response[bytes]:
    """Show the tracks that are known, or those whose name has these words, and the newest days."""
    async with connected(request) as connection:
        tracks = await reading.find_tracks(connection, limit=MOST_TRACKS)
        days = await reading.find_days(connection, limit=NEWEST_DAYS)
    found = matching(tracks, q)
    return page(request, "start.html", q=q, tracks=found[:SHOWN_TRACKS], found=len(found), days=days)


def matching(tracks: list[TrackView], words: str) -> list[TrackView]:
    """The tracks in whose name or address all of these words stand, in any case."""
    wanted = words.casefold().split()
    return [track for track in tracks if all(word in _searched(track) for word in wanted)]


def _searched(track: TrackView) -> str:
    return f"{track.name or ''} {track.track_slug}".casefold()
