"""Which sessions are meant by what somebody types: sessions, or drivers and where and when they drove."""

from uuid import UUID

from laps.naming import Ambiguous, NotFound, called, row_id, the_session
from laps.people import whose_called
from laps.sessions import SessionReport, read_session
from store import reading
from store.finding import BY_ID, find_drivers, find_sessions
from store.pool import Connection
from store.reading import EVERYWHERE, Scope


async def chosen_session(
    connection: Connection, text: str, *, source: str | None = None, within: Scope = EVERYWHERE
) -> SessionReport:
    """The session of this id, or the fastest one in a scope of the driver or person who is called so.

    Raises `NotFound` and `Ambiguous`.
    """
    if await _is_session(connection, text, source):
        session = await the_session(connection, text, source=source)
    else:
        session = await _fastest(connection, text, source, within)
    report = await read_session(connection, session)
    if report is None:
        raise NotFound(f"no session {session} is stored")
    return report


async def _is_session(connection: Connection, text: str, source: str | None) -> bool:
    """Whether a text is a session's id and no driver's; raises `Ambiguous` where it is both."""
    if session := row_id(text):
        return await reading.read_session(connection, session) is not None
    sessions = await find_sessions(connection, text, source=source, limit=1)
    drivers = await find_drivers(connection, called(text), source=source, limit=1)
    if sessions and drivers and drivers[0].match == BY_ID:
        raise Ambiguous(
            f"{text!r} is the id of a session and a driver's: name one by its row's id\n"
            f"  {sessions[0].id}  the session, on {sessions[0].date}\n  {drivers[0].id}  the driver"
        )
    return bool(sessions)


async def _fastest(connection: Connection, text: str, source: str | None, within: Scope) -> UUID:
    whose = await whose_called(connection, text, source=source, within=within)
    session = await reading.fastest_session(connection, whose, within)
    if session is None:
        raise NotFound(f"{text!r} has no session with laps where and when you asked for")
    return session
