"""The records of a track: of each class the fastest lap, and those that it broke."""

from litestar import Response, get

from lapstream.api.fields import Source, TrackSlug
from lapstream.http.callers import needs
from lapstream.http.services import ApiRequest, connected
from lapstream.web.pages import page
from lapstream.web.records_view import classes_of
from lapstream.web.track import the_track
from producer.site import SOURCE
from schemas.scopes import Scope
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
