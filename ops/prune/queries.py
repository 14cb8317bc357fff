"""What ended before a time, counted and deleted batch by batch.

Each batch is a transaction of its own, and holds what it deletes: what is taken up again meanwhile stays.
"""

import datetime as dt
from collections.abc import AsyncGenerator, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import Struct

from store.pool import Connection, fetch_one, rows_changed
from store.statements import statements_of

statement = statements_of(__file__)

What = Literal["backfills", "runs", "parked_records", "parked_bytes", "rebuilds", "idempotency_keys"]

BATCH: Mapping[What, int] = {
    "backfills": 10,  # each with a day for each of its months' days
    "runs": 100,  # each with all sessions of its day; as `next_runs` has it
    "parked_records": 100,  # each with up to 4 MiB
    "parked_bytes": 100,
    "rebuilds": 5,  # each with as many records as it refused
    "idempotency_keys": 1_000,
}
"""What is pruned, in this order, and how much of it in one transaction.

Backfills go before the runs that brought their days in.
"""

_OF_PLACES = ("parked_records", "parked_bytes")
_BEFORE_ALL = (dt.datetime.min.replace(tzinfo=dt.UTC), UUID(int=0))


class Cut(NamedTuple):
    """What is pruned: what ended before this; `queues` are the topics that don't keep their records."""

    before: dt.datetime
    queues: tuple[str, ...]


class Prunable(Struct, frozen=True, kw_only=True):
    """How much goes, and how much that is as old stays, for it is needed."""

    rows: int
    kept: int


async def count(connection: Connection, cut: Cut) -> dict[What, Prunable]:
    """How much there is to prune."""
    found: dict[What, Prunable] = {}
    for what in BATCH:
        row = await fetch_one(connection, statement(f"count_{what}"), *_arguments(what, cut))
        found[what] = Prunable(rows=row["old"] - row["needed"], kept=row["needed"])
    return found


async def batches(connection: Connection, cut: Cut) -> AsyncGenerator[tuple[What, int]]:
    """Delete batch by batch; gives what went, and how many, once that is committed."""
    for what, most in BATCH.items():
        going = _runs(connection, cut) if what == "runs" else _each(connection, what, cut, most)
        async for rows in going:
            yield what, rows


async def _each(connection: Connection, what: What, cut: Cut, most: int) -> AsyncGenerator[int]:
    while rows := await rows_changed(connection, statement(f"prune_{what}"), *_arguments(what, cut), most):
        yield rows


async def _runs(connection: Connection, cut: Cut) -> AsyncGenerator[int]:
    """Runs, in the order of their requests: those that are kept are looked at once."""
    after = _BEFORE_ALL
    while found := await connection.fetch(statement("next_runs"), cut.before, *after):
        ids = [row["id"] for row in found]
        yield await rows_changed(connection, statement("prune_runs"), cut.before, ids)
        after = tuple(found[-1])


def _arguments(what: What, cut: Cut) -> tuple[object, ...]:
    return (cut.before, list(cut.queues)) if what in _OF_PLACES else (cut.before,)
