"""The records of a track: of each class the fastest lap, and those that it broke."""

from litestar import Response, get

from producer.site import SOURCE
from schemas.scopes import Scope
from server.api.fields import Source, TrackSlug
from server.http.callers import needs
from server.http.services import ApiRequest, connected
from server.web.pages import page
from server.web.records_view import classes_of
from server.web.track import the_track
from store import records


@get("/tracks/{track_slug:str}/records", guards=[needs(Scope.read)])
async def read_records(
    request: ApiRequest, track_slug: TrackSlug, source: Source = SOURCE
) -> Response[bytes]:
    """Show a track's records with their history."""
    async with connected(request) as connection:
        track = await the_track(connection, source, track_slug)
        steps = await records.read_history(connection, source, track_slug)
    return page(request, "records.html", track=track, classes=classes_of(steps))
