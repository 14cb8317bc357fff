"""What the relay does in the database: the lease says who is at work, rows are read, and taken away."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from store.pool import Connection, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

CHANNEL = "lapstream_outbox"
"""Where rows that were added are told of, and with the payload `FREE` that a lease was given back."""

FREE = "free"

LEASE = "outbox"
"""The name of the lease of the relay that publishes."""


class Row(NamedTuple):
    """A row of the outbox; payload and headers are JSON, the topic's name has no prefix."""

    seq: int
    id: str
    topic: str
    key: str
    type: str
    payload: str
    headers: str


class Backlog(NamedTuple):
    """What waits to be published: rows, and the age of the oldest in seconds (0 where there is none)."""

    rows: int
    oldest_seconds: float


async def take(connection: Connection, lease: str, holder: UUID, seconds: float) -> bool:
    """Take a lease, or hold it longer, for so many seconds from now; False while another holds it."""
    return await connection.fetchval(statement("take_lease"), lease, holder, seconds) is not None


async def give_back(connection: Connection, lease: str, holder: UUID) -> None:
    """End a lease, if it is this holder's, and tell those who stand by."""
    await connection.execute(statement("give_lease_back"), lease, holder)


async def read(connection: Connection, rows: int, size: int) -> list[Row]:
    """The oldest rows that are committed: at most so many, of about `size` bytes together, in their order."""
    return [Row(*found) for found in await connection.fetch(statement("read_outbox"), rows, size)]


async def delete(connection: Connection, seqs: Sequence[int]) -> None:
    """Take rows away; those that are gone already are no error."""
    await connection.execute(statement("delete_from_outbox"), seqs)


async def backlog(connection: Connection) -> Backlog:
    """What waits to be published."""
    return Backlog(*await fetch_one(connection, statement("outbox_backlog")))
