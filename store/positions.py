"""Where a consumer group stands in its topics: kept beside the rows, and moved with them.

A member takes partitions over under a new epoch. It moves a position from where it last wrote, under that
epoch; a member that was overtaken moves nothing, and so writes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg

from schemas.errors import LapstreamError
from store.pool import Connection, limit_lock_wait
from store.statements import statements_of

statement = statements_of(__file__)

PATIENCE_SECONDS = 5.0
"""How long a take-over waits for the member before it to end its transaction, before it ends that itself."""


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Claim(NamedTuple):
    """What a member holds of a partition: the offset that comes next, under the epoch of its assignment."""

    next_offset: int
    epoch: int


class Fenced(LapstreamError):
    """Another member took a partition over, or the position moved: this member's batch was not written."""


async def claim(connection: Connection, group: str, places: Sequence[Place]) -> dict[Place, Claim]:
    """Take partitions over.

    A transaction of the member before this one is waited for; when it lasts longer than `PATIENCE_SECONDS`,
    its connection is ended (that member was stopped, or its machine is gone), and `LockNotAvailableError`
    raised: a second attempt finds the way free.
    """
    columns = ([place.topic for place in places], [place.partition for place in places])
    try:
        async with connection.transaction():
            await limit_lock_wait(connection, f"{PATIENCE_SECONDS}s")
            rows = await connection.fetch(statement("claim_positions"), group, *columns)
    except asyncpg.LockNotAvailableError:
        await connection.execute(statement("end_writers"), group, *columns)
        raise
    return {Place(row["topic"], row["partition"]): Claim(row["next_offset"], row["epoch"]) for row in rows}


async def move(
    connection: Connection, group: str, held: Mapping[Place, Claim], to: Mapping[Place, int]
) -> None:
    """Move the group's position to these offsets; raises `Fenced` where it is not what this member holds."""
    places = sorted(to)
    status = await connection.execute(
        statement("move_position"),
        group,
        [place.topic for place in places],
        [place.partition for place in places],
        [held[place].next_offset for place in places],
        [to[place] for place in places],
        [held[place].epoch for place in places],
    )
    if status != f"UPDATE {len(places)}":
        raise Fenced(f"group {group}: another member holds one of {', '.join(map(str, places))}")


async def read(connection: Connection, group: str) -> dict[Place, int]:
    """The offset that comes next in each partition that the group ever read."""
    rows = await connection.fetch(statement("read_positions"), group)
    return {Place(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def announced(connection: Connection, group: str) -> dict[Place, int]:
    """Up to where a group announced in each partition, when its tables were last exchanged."""
    rows = await connection.fetch(statement("read_announced"), group)
    return {Place(row["topic"], row["partition"]): row["next_offset"] for row in rows}
