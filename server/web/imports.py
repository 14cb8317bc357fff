"""Importing a day from the page: asked for, followed while it goes on, tried again where sessions failed."""

import datetime as dt

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, ServerSentEvent
from msgspec import Struct

from runs import changes as run_changes
from runs.run import Refresh
from schemas.scopes import Scope
from server.api.ingest import IngestRequest, begin
from server.api.run_events import stream_of
from server.api.runs_form import view_of
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web import links
from server.web.fields import Row, Words
from server.web.forms import entered, faults_of_track, form_page
from server.web.pages import go_to, page
from server.web.texts import TEXTS

_CHOICES: tuple[Refresh, ...] = ("changed", "missing", "all")


class Wanted(Struct, frozen=True, kw_only=True):
    """What was entered into the form, as it was sent."""

    track_slug: str = ""
    date: str = ""
    refresh: str = _CHOICES[0]


@get("/imports/new", guards=[needs(Scope.ingest)])
async def read_import_form(request: ApiRequest, track: Words = "", date: Words = "") -> Response[bytes]:
    """Ask which day is wanted."""
    return _form(request, Wanted(track_slug=track, date=date))


@post("/imports", guards=[needs(Scope.ingest)])
async def begin_import(request: ApiRequest) -> Response[bytes] | Redirect:
    """Begin an import, or join the one that goes on, and lead to its page."""
    wanted = await entered(request, Wanted)
    faults = faults_of(wanted)
    if not faults:
        try:
            run = await begin(
                request, msgspec.convert(msgspec.structs.asdict(wanted), IngestRequest, strict=False)
            )
        except Refusal as refusal:
            if (fields := refusal.error.details.fields) is None:
                raise
            faults = {str(fault.field): fault.message for fault in fields}
        else:
            return go_to(links.run(run.id))
    return _form(request, wanted, faults)


def faults_of(wanted: Wanted) -> dict[str, str]:
    """What is wrong with the form, by the names of its fields."""
    faults = faults_of_track(wanted.track_slug)
    try:
        dt.date.fromisoformat(wanted.date)
    except ValueError:
        faults["date"] = TEXTS("imports.bad_date")
    if wanted.refresh not in _CHOICES:
        faults["refresh"] = TEXTS("imports.bad_refresh")
    return faults


def _form(request: ApiRequest, wanted: Wanted, faults: dict[str, str] | None = None) -> Response[bytes]:
    return form_page(request, "new_import.html", wanted, faults, choices=_CHOICES)


@get("/imports/{run_id:uuid}", guards=[needs(Scope.read)])
async def read_import(request: ApiRequest, run_id: Row) -> Response[bytes]:
    """Show how far an import is, or what it came to."""
    async with connected(request) as connection:
        view = await view_of(connection, await run_changes.the_run(connection, run_id))
    return page(request, "import.html", run=view, progress=view.progress)


@get("/imports/{run_id:uuid}/events", media_type="text/event-stream", guards=[needs(Scope.read)])
async def follow_import(request: ApiRequest, run_id: Row) -> ServerSentEvent:
    """Follow an import as the API's stream does, for those who are signed in by a cookie."""
    return await stream_of(request, run_id)


@post("/imports/{run_id:uuid}/retry", guards=[needs(Scope.ingest)])
async def retry_import(request: ApiRequest, run_id: Row) -> Redirect:
    """Fetch the sessions that failed again."""
    async with connected(request) as connection:
        run = await run_changes.retry_failed(connection, run_id)
    return go_to(links.run(run.id))
