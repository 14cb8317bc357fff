"""Looks at the whole fleet, as they are stored, for as long as a window is; the database's clock counts."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)


class Look(NamedTuple):
    """What was found, as JSON, and how many seconds ago."""

    kind: str
    looked_at: dt.datetime
    age: float
    found: str


async def add(connection: Connection, kind: str, found: bytes, keep_seconds: float) -> None:
    """Store a look that was taken now; those of its kind that are older than this are deleted."""
    await connection.execute(statement("add_look"), kind, found.decode(), keep_seconds)


async def since(
    connection: Connection, kind: str, seconds: float, after: dt.datetime | None = None
) -> list[Look]:
    """The looks of a kind that are younger than this, and newer than a moment, the oldest first."""
    return [Look(*row) for row in await connection.fetch(statement("looks_since"), kind, seconds, after)]


async def newest(connection: Connection, kinds: Sequence[str]) -> list[Look]:
    """The newest look of each of these kinds of which there is any."""
    return [Look(*row) for row in await connection.fetch(statement("newest_looks"), list(kinds))]
