"""Where a consumer group stands in its topics: kept beside the rows, and moved with them.

A member takes a partition over under a new epoch. It moves the position from where it last wrote, under that
epoch; a member that was overtaken moves nothing, and so writes nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.errors import LapstreamError
from store.pool import Connection
from store.statements import statement


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


async def claim(connection: Connection, group: str, place: Place) -> Claim:
    """Take a partition over."""
    row = await connection.fetchrow(statement("claim_position"), group, *place)
    if row is None:
        raise Fenced(f"group {group}: no position for {place.topic}[{place.partition}]")
    return Claim(row["next_offset"], row["epoch"])


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
