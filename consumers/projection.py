"""What a projection is: which topics it reads, how its records are read, and how they become rows.

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
"""Reports what is true as soon as a transaction is committed: log lines, counts."""

Apply = Callable[[Connection, Sequence[EventT]], Awaitable[object]]
"""Applies a batch of events to the rows; returns what changed, for `Announce`."""

Announce = Callable[
    [Connection, Topics, Sequence[EventT], Sequence[ParkedRecord], Any], Awaitable[AfterCommit | None]
]
"""Is given the topics, the batch, what was parked of it, and what `Apply` returned."""


class Projection(Struct, Generic[EventT], frozen=True, kw_only=True):
    """A read model and how it is made, by three verbs, each in the transaction that its connection is in.

    `apply` applies a batch of events to the rows, in any order and any number of times. `fill` does the same
    faster, for tables that nothing else ever wrote and nobody reads yet; without one, `apply` does it.
    `announce` does at the end of the transaction what only the live projection may do and a replay must not:
    it closes runs, and adds to the outbox. What it returns is called after the commit.
    """

    name: str
    schema: str
    topics: Callable[[Topics], tuple[str, ...]]
    decode: Callable[[Iterable[Record], Topics], Decoded[EventT]]
    apply: Apply[EventT]
    fill: Apply[EventT] | None = None
    announce: Announce[EventT] | None = None

    lookups: tuple[str, ...] = ()
    """Indexes that `apply` itself reads by, beside the tables' keys: a replay needs them from the start."""

    members: int = 1
    """Members of its group in one process: with two, one decodes while the database works for the other."""

    gather_ms: int = 60
    """How long the broker gathers records for a batch: so late are the rows, and so seldom a transaction."""

    def group(self, prefix: str) -> str:
        """The name of its consumer group."""
        return f"{prefix}{self.name}-projection"

    async def apply_live(
        self,
        connection: Connection,
        topics: Topics,
        events: Sequence[EventT],
        parked: Sequence[ParkedRecord],
    ) -> AfterCommit | None:
        """Apply a batch that is new to the live tables, and announce what it changed."""
        changed = await self.apply(connection, events)
        return await self.announce(connection, topics, events, parked, changed) if self.announce else None
