"""What a projection is: which topic it reads, how its records are read, and how they become rows.

Each has a consumer group and a schema of its own; in that schema lies a table `positions` beside its rows.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from schemas.records import Decoded, Record
from schemas.topics import Topics
from store.parking import ParkedRecord
from store.pool import Connection

EventT = TypeVar("EventT")


AfterCommit = Callable[[], None]
"""Tells what is true as soon as a transaction is committed: log lines, counts."""


async def nothing_to_settle(
    connection: Connection, events: Sequence[object], parked: Sequence[ParkedRecord], projected: object
) -> None:
    """For a projection that only writes its own rows."""


class Projection(Struct, Generic[EventT], frozen=True, kw_only=True):
    """A read model and how it is made.

    `project` applies a batch of events to the rows, in any order and any number of times, in the transaction
    that the connection is in. `settle` does at the end of the same transaction what only the live projection
    may do and a replay must not: it closes runs and announces; it is also told which records were parked, and
    what `project` returned. What it returns is to be called after the commit.
    """

    name: str
    schema: str
    topic: Callable[[Topics], str]
    decode: Callable[[Iterable[Record]], Decoded[EventT]]
    project: Callable[[Connection, Sequence[EventT]], Awaitable[object]]
    settle: Callable[
        [Connection, Sequence[EventT], Sequence[ParkedRecord], Any], Awaitable[AfterCommit | None]
    ] = nothing_to_settle
    bulk: Callable[[Connection, Sequence[EventT]], Awaitable[object]] | None = None
    """As `project`, faster, for tables of which nobody else knows; None where there is no such way."""

    lookups: tuple[str, ...] = ()
    """Indexes that `project` itself reads by, beside the tables' keys: a replay needs them from the start."""

    members: int = 1
    """Members of its group in one process: with two, one decodes while the database works for the other."""

    gather_ms: int = 60
    """How long the broker gathers records for a batch: so late are the rows, and so seldom a transaction."""

    def group(self, prefix: str) -> str:
        """The name of its consumer group."""
        return f"{prefix}{self.name}-projection"

    async def fill(self, connection: Connection, events: Sequence[EventT]) -> None:
        """As `project`, for tables that nothing else ever wrote."""
        await (self.bulk or self.project)(connection, events)
