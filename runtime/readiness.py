"""Whether a role can do its work now: the database with its tables is there, the broker with its topics.

A look asks the servers; it is made when a probe comes, and counts for a moment, so that probes cost the same
however many there are. What it finds is said without addresses: anyone may read a probe.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as NotInTime
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Literal

import asyncpg
from aiokafka.errors import KafkaError
from msgspec import Struct

from broker.access import BrokerAccess
from broker.topics import check_topics, differing
from runtime import migrate
from runtime.secrets import without_secrets
from runtime.settings import Settings
from schemas.errors import LapstreamError
from schemas.topics import Topics
from store.faults import said_by
from store.pool import TRANSIENT, Connection, connect
from telemetry import health

FRESH_SECONDS = 5.0
"""For so long a look counts."""

ANSWER_SECONDS = 5.0
"""How long a server may take to answer."""

LOOP_SECONDS = 6.0
"""How long the event loop may take to make a look, for who asks from another thread."""

Look = Callable[[], Awaitable[str | None]]
"""Asks a server; returns what is wrong there, or None."""

Opening = Callable[[], AbstractAsyncContextManager[Connection]]
"""Opens a connection for the length of a block."""


class Ready(Struct, frozen=True, kw_only=True):
    """Whether a process can do its work; where not, what is missing."""

    status: Literal["ok", "not_ready"]
    reasons: list[str]


def ready(reasons: list[str]) -> Ready:
    """Ready, unless there is a reason not to be."""
    return Ready(status="not_ready" if reasons else "ok", reasons=reasons)


class Readiness:
    """Looks at servers, by the names that they are told under; one look at a time, for all who ask."""

    def __init__(self, looks: Mapping[str, Look]) -> None:
        self._looks = looks
        self._lock = asyncio.Lock()
        self._looked_at: float | None = None
        self._wrong: list[str] = []

    async def now(self) -> Ready:
        """What was found just now, or a moment ago."""
        async with self._lock:
            if self._looked_at is None or time.monotonic() > self._looked_at + FRESH_SECONDS:
                found = await asyncio.gather(*(_wrong(name, look) for name, look in self._looks.items()))
                self._wrong = [wrong for wrong in found if wrong]
                self._looked_at = time.monotonic()
        return ready(self._wrong)


async def _wrong(name: str, look: Look) -> str | None:
    """What is wrong at a server, an error of asking it included."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await look()
    except (LapstreamError, KafkaError, asyncpg.PostgresError, *TRANSIENT) as error:
        return f"{name} can't be used: {without_secrets(said_by(error))}"


async def look_at_database(opening: Opening) -> str | None:
    """Whether the tables are those of this release; those of a newer one do, too."""
    async with opening() as connection:
        missing = (await migrate.standing_on(connection)).missing
    if missing:
        return f"the database lacks migrations, {missing[0]} the first: run `lapstream migrate up`"
    return None


async def look_at_broker(access: BrokerAccess, topics: Topics) -> str | None:
    """Whether the topics are as declared."""
    return differing(await check_topics(access, topics))


@contextlib.asynccontextmanager
async def _one_connection(dsn: str) -> AsyncGenerator[Connection]:
    connection = await connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def readiness_of(settings: Settings, roles: Sequence[str]) -> Readiness:
    """What says whether these roles can do their work; the API does its own without a broker."""
    looks: dict[str, Look] = {
        "the database": partial(look_at_database, partial(_one_connection, settings.postgres_dsn))
    }
    if set(roles) - {"api"}:
        looks["the broker"] = partial(look_at_broker, settings.broker, settings.topics)
    return Readiness(looks)


def ready_by(readiness: Readiness, loop: asyncio.AbstractEventLoop) -> Ready:
    """What is found in an event loop, for another thread, and what the work there lacks."""
    asked = asyncio.run_coroutine_threadsafe(readiness.now(), loop)
    try:
        found = asked.result(LOOP_SECONDS)
    except NotInTime:
        asked.cancel()
        return ready([f"the event loop did not answer within {LOOP_SECONDS:.0f} s"])
    return ready([*found.reasons, *health.lacking()])
