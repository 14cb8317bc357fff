"""The tables in PostgreSQL: batches go in as a projector applies them, tables come out as the model's."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

from consumers.practice_days import apply as project
from schemas.envelope import Received
from store.digest import OBSERVATION_TABLES, READ_TABLES, TableDigest, digest
from store.pool import TRANSIENT, Connection
from tests.model.tables import NATURAL_KEYS, Tables, natural

EVERYTHING = READ_TABLES + OBSERVATION_TABLES


async def empty(connection: Connection) -> None:
    """Throw away the rows of all tables; groups keep their positions. For a few rows faster than TRUNCATE."""
    for name in reversed(EVERYTHING):
        await connection.execute(f"DELETE FROM {name}")


Project = Callable[[Connection, Sequence[Received]], Awaitable[object]]


async def apply(
    connection: Connection, batches: Iterable[Sequence[Received]], project: Project = project
) -> None:
    """Apply each batch in a transaction of its own; one that the database gave up is applied again."""
    for batch in batches:
        while not await _applied(connection, batch, project):
            pass


async def _applied(connection: Connection, batch: Sequence[Received], project: Project) -> bool:
    try:
        async with connection.transaction():
            await project(connection, batch)
    except TRANSIENT:
        return False
    return True


async def apply_by_turns(
    connection: Connection, batches: Iterable[Sequence[Received]], rng: random.Random
) -> None:
    """As `apply`, but let others go first now and then."""
    for batch in batches:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        await apply(connection, [batch])


async def tables(connection: Connection) -> Tables:
    """All rows by natural key."""
    return natural(
        {name: map(dict, await connection.fetch(f"SELECT * FROM {name}")) for name in NATURAL_KEYS}
    )


async def digests(connection: Connection) -> list[TableDigest]:
    """The digest of every table, those with the observations, too."""
    return await digest(connection, EVERYTHING)
