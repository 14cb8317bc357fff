"""`/catalogue`: the site's own list of its tracks, searched by name, and asked for."""

from http import HTTPStatus
from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter

from producer import catalogue
from producer.catalogue import BEFORE_ALL, Catalogue, ListedPlace, ListedTrack
from producer.site import SOURCE
from schemas import fields as f
from schemas.scopes import Scope
from schemas.searching import words_of
from server.api.fields import PAGE, Cursor, Limit, page_of, place_at
from server.http.answers import Page, Success, success
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.responses import refusals
from server.http.services import ApiRequest, connected


@get(
    "/catalogue",
    operation_id="readCatalogue",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
async def read_catalogue(request: ApiRequest) -> Success[Catalogue]:
    """Look at what is known of the site's list of tracks: how many, how old it is, when it is due again."""
    async with connected(request) as connection:
        found = await catalogue.read(connection, SOURCE)
    if found is None:
        raise Refusal.not_found("nobody asked for the site's list of tracks yet: POST /catalogue/refresh")
    return success(found)


@get(
    "/catalogue/tracks",
    operation_id="findCatalogueTracks",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
async def find_tracks(
    request: ApiRequest,
    called: Annotated[
        str,
        QueryParameter(
            max_length=200,
            pattern=f.NO_NUL,
            description="Only tracks with all of these words in name or slug; case and accents don't count.",
        ),
    ] = "",
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[Page[ListedTrack]]:
    """Find tracks in the site's own list of them, by their slugs, stored or not."""
    after = place_at(cursor, ListedPlace) or BEFORE_ALL
    async with connected(request) as connection:
        found = await catalogue.find(connection, SOURCE, words_of(called), after=after, limit=limit + 1)
    return success(page_of(found, limit, lambda track: ListedPlace(track.track_slug)))


@post(
    "/catalogue/refresh",
    operation_id="refreshCatalogue",
    tags=["import"],
    status_code=HTTPStatus.ACCEPTED,
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 413, 429, 503),
)
async def refresh(request: ApiRequest) -> Success[Catalogue]:
    """Ask for the site's list of tracks: a fetcher fetches it now, and each week from then on."""
    async with connected(request) as connection:
        return success(await catalogue.ask_for(connection, SOURCE))
