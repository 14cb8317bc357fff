"""What the tables hold, as one checksum for each: equal digests mean the same rows, to the last column.

A row's digest is taken over all its columns by name, with their values as PostgreSQL writes them; the sum of
them depends neither on the order of the rows nor on where they lie.
"""

from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from store.pool import Connection, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

READ_TABLES = ("tracks", "events", "races", "drivers", "race_drivers", "race_results", "laps")
"""The tables that people read."""

OBSERVATION_TABLES = ("observations", "track_observations", "driver_observations")
"""What the tables are a function of: when it was seen, and by which event."""


RECORD_TABLES = ("track_records.fastest_laps", "track_records.observations")
"""The second read model's rows, and what they are a function of; named with their schema."""


class TableDigest(Struct, frozen=True, kw_only=True):
    """A table's number of rows, and the checksum over all columns of all of them."""

    table: str
    rows: int
    digest: str


async def digest(connection: Connection, tables: tuple[str, ...]) -> list[TableDigest]:
    """The digest of each table, all of one moment."""
    async with connection.transaction(isolation="repeatable_read"):
        return [await _digest(connection, table) for table in tables]


async def digest_day(connection: Connection, event_id: UUID) -> list[TableDigest]:
    """The digest of those rows of each of `READ_TABLES` that are a day's, or that its sessions refer to."""
    rows = await connection.fetch(statement("digest_day"), event_id)
    found = {row["name"]: _as_digest(row["name"], row["rows"], row["total"]) for row in rows}
    return [found.get(table) or _as_digest(table, 0, 0) for table in READ_TABLES]


async def _digest(connection: Connection, table: str) -> TableDigest:
    row = await fetch_one(connection, statement("digest_table").replace("{table}", table))
    return _as_digest(table, row["rows"], row["total"])


def _as_digest(table: str, rows: int, total: Decimal | int) -> TableDigest:
    return TableDigest(table=table, rows=rows, digest=f"{int(total) % 2**128:032x}")
