"""Whom and what people mean: a driver or a session, by name, transponder, id at the source or of a row."""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from projections.names import normalize_name
from schemas.errors import LapstreamError
from store.finding import BY_NAME, Called, FoundDriver, SessionRef, find_drivers, find_sessions
from store.pool import Connection
from store.reading import EVERYWHERE, Scope

CANDIDATES = 20
"""The most drivers or sessions that are listed where several are meant."""


class NotFound(LapstreamError):
    """Nobody and nothing is called so."""


class Ambiguous(LapstreamError):
    """Several are called so; the message lists them."""


def called(text: str) -> Called:
    """What people call somebody, in all forms in which it is looked for."""
    return Called(text, row_id(text), normalize_name(text) or text)


def row_id(text: str) -> UUID | None:
    """The id of a row that a text may be."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def the_driver(
    connection: Connection, text: str, *, source: str | None = None, within: Scope = EVERYWHERE
) -> FoundDriver:
    """The one driver who is called so; raises `NotFound` and `Ambiguous`.

    An id or a transponder counts before a name, a whole name before a part of one.
    """
    return the_one(text, await best_matches(connection, text, source=source, within=within))


async def best_matches(
    connection: Connection, text: str, *, source: str | None = None, within: Scope = EVERYWHERE
) -> list[FoundDriver]:
    """Those who are called so, as far as none is called so better; raises `NotFound`.

    Of several, those who drove on the days of a scope, if any did.
    """
    find = partial(find_drivers, connection, called(text), source=source, limit=CANDIDATES)
    best = _best(await find(within=Scope(track_id=within.track_id)))
    if not best:
        raise NotFound(f"no driver is called {text!r}: `lapstream drivers` lists those that are known")
    if len(best) == 1 or within.first is within.last is None:
        return best
    there = _best(await find(within=within))
    return there if there and there[0].match == best[0].match else best


def _best(found: Sequence[FoundDriver]) -> list[FoundDriver]:
    return [driver for driver in found if driver.match == found[0].match]


def the_one(text: str, best: Sequence[FoundDriver]) -> FoundDriver:
    """The only one of those who are called so; raises `Ambiguous` where there are more."""
    if len(best) > 1:
        raise Ambiguous(_choice(text, "drivers", map(_driver, best), whole=best[0].match <= BY_NAME))
    return best[0]


async def the_session(connection: Connection, text: str, *, source: str | None = None) -> UUID:
    """The id of the row of the one session that is meant; raises `NotFound` and `Ambiguous`."""
    if session := row_id(text):
        return session
    match await find_sessions(connection, text, source=source, limit=CANDIDATES):
        case []:
            raise NotFound(f"no session has the id {text!r}: `lapstream day` shows a day's sessions")
        case [session]:
            return session.id
        case several:
            raise Ambiguous(_choice(text, "sessions", map(_session, several), whole=True))


def _choice(text: str, what: str, candidates: Iterable[str], *, whole: bool) -> str:
    name = "is the name or id of" if whole else "is a part of the names of"
    listed = "\n".join(f"  {one}" for one in candidates)
    return f"{text!r} {name} several {what}: say which, by one of these ids\n{listed}"


def _driver(driver: FoundDriver) -> str:
    names = ", ".join(driver.names) or "no name"
    sessions = f"{driver.sessions} session{'' if driver.sessions == 1 else 's'}"
    return f"{driver.source_driver_id}  {names} ({driver.source}, {sessions})  {driver.id}"


def _session(session: SessionRef) -> str:
    return f"{session.id}  {session.source}/{session.track_slug} on {session.date}"
