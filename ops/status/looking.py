"""The looks of a status: at the database, at the broker, at the API; a server that is away is a line."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import httpx

from broker.topics import TopicState, check_topics
from ops.fleet.state import state_of
from ops.lag.figures import GroupLag
from ops.status import lines
from ops.status.lines import Line, Status, Stored
from outbox import adding as outbox
from outbox import rows
from runtime.database import connected
from runtime.faults import explained
from runtime.migrate import Standing, standing_on
from runtime.projections import PROJECTIONS
from runtime.settings import Settings, SettingsError
from schemas.errors import LapstreamError
from store.pool import Connection

ANSWER_SECONDS = 8.0
"""How long the API may take to answer: where its database does not, it says so after 7 s."""

FoundT = TypeVar("FoundT")

Database = tuple[Standing, Stored | None]
"""The migrations, and what is in the tables, where none is missing."""


async def look(settings: Settings, lag: Callable[[], Coroutine[Any, Any, Sequence[GroupLag]]]) -> Status:
    """The status now; `lag` looks at the lag of every group. Raises `SettingsError`."""
    database, topics, api, lags = await asyncio.gather(
        _told(_database(settings)),
        _told(check_topics(settings.broker, settings.topics)),
        of_api(settings.api_host, settings.api_port),
        _told(lag()),
    )
    found = [*of_database(database), *_of_broker(topics), *of_roles(lags, database), api]
    found += [] if isinstance(lags, LapstreamError) else map(lines.of_group, lags)
    return lines.status([*found, *of_tables(database)])


async def _told(work: Coroutine[Any, Any, FoundT]) -> FoundT | LapstreamError:
    """What is found, or what kept it from being found."""
    try:
        return await work
    except SettingsError:
        raise
    except Exception as error:
        if told := explained(error):
            return told
        raise


async def _database(settings: Settings) -> Database:
    async with connected(settings) as connection:
        return await stored_in(connection, settings.site)


async def stored_in(connection: Connection, site: str) -> Database:
    """What the database has."""
    standing = await standing_on(connection)
    if standing.missing:
        return standing, None
    schemas = [projection.schema for projection in PROJECTIONS]
    return standing, Stored(
        backlog=await rows.backlog(connection),
        state=await state_of(connection, site, schemas),
        relayed=await outbox.is_relayed(connection),
    )


async def of_api(host: str, port: int, answer_seconds: float = ANSWER_SECONDS) -> Line:
    """The API where the settings say that it listens; it may be elsewhere, or there may be none."""
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=answer_seconds) as client:
            answer = await client.get(f"{address}/readyz")
    except httpx.ReadTimeout:
        return lines.unwell("api", f"does not answer at {address} within {answer_seconds:.0f} s")
    except (httpx.HTTPError, httpx.InvalidURL):
        return lines.unknown("api", f"none answers at {address}, where the settings say that it is")
    if answer.is_success:
        return lines.well("api", f"answers at {address}")
    return lines.unwell("api", f"not ready at {address}: status {answer.status_code}")


def of_database(found: Database | LapstreamError) -> Iterator[Line]:
    """The database and its migrations."""
    if isinstance(found, LapstreamError):
        yield lines.unwell("database", str(found))
        yield lines.unknown("migrations", "the database can't be asked")
    else:
        yield lines.well("database", "answers")
        yield lines.of_migrations(found[0])


def _of_broker(found: list[TopicState] | LapstreamError) -> Iterator[Line]:
    if isinstance(found, LapstreamError):
        yield lines.unwell("broker", str(found))
        yield lines.unknown("topics", "the broker can't be asked")
    else:
        yield lines.well("broker", "answers")
        yield lines.of_topics(found)


def of_roles(
    lags: Sequence[GroupLag] | LapstreamError, database: Database | LapstreamError
) -> Iterator[Line]:
    """The roles at work: by the members of their groups, and by the lease."""
    for role, projects in (("fetcher", False), ("projector", True)):
        if isinstance(lags, LapstreamError):
            yield lines.unknown(role, "it is not known who is at work")
        else:
            yield lines.of_members(role, [one for one in lags if bool(one.projection) == projects])
    stored = _stored(database)
    yield (
        lines.unknown("relay", stored) if isinstance(stored, str) else lines.of_relay(relayed=stored.relayed)
    )


def of_tables(found: Database | LapstreamError) -> Iterator[Line]:
    """What is in the tables."""
    stored = _stored(found)
    if isinstance(stored, str):
        yield lines.unknown("outbox, parked, site, runs, rebuilds", stored)
    else:
        yield from lines.of_stored(stored)


def _stored(found: Database | LapstreamError) -> Stored | str:
    """What the database has, or why that can't be told."""
    if isinstance(found, LapstreamError):
        return "the database can't be asked"
    return found[1] or "migrations are missing"
