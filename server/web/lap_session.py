"""A session: its laps as a line and as a table, and its figures beside the site's."""

from uuid import UUID

from litestar import Response, get

from laps import sessions
from laps.sessions import SessionReport
from runs import run as runs
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web import formats, lap_view, links
from server.web.fields import Row
from server.web.pages import page
from store.pool import Connection


@get("/sessions/{session:uuid}", guards=[needs(Scope.read)])
async def read_session(request: ApiRequest, session: Row) -> Response[bytes]:
    """Show a session."""
    async with connected(request) as connection:
        found = await the_session(connection, session)
        reason = None if found.has_detail else await _reason(connection, found)
    return page(
        request,
        "session.html",
        session=found,
        reason=reason,
        address=links.elsewhere(found.session_url),
        figures=found.figures,
        chart=lap_view.chart_of(found),
        beside=lap_view.beside_of(found),
        laps=lap_view.rows_of(found),
    )


async def the_session(connection: Connection, session: UUID) -> SessionReport:
    """A session by its row's id; raises a `Refusal` where none is stored."""
    found = await sessions.read_session(connection, session)
    if found is None:
        raise Refusal.not_found(f"no session {session} is stored")
    return found


async def _reason(connection: Connection, session: SessionReport) -> str | None:
    """Why the newest import of the day failed to fetch the session's page."""
    run = await runs.newest_of(connection, session.event_id)
    failures = await runs.failures(connection, run.id) if run else []
    return next((formats.reason(one) for one in failures if one.session_id == session.session_id), None)
