"""How the lag of groups has been: what the looks of the window saw, of a group and of its partitions.

The looks are taken apart in the database: a fleet of many partitions has large ones.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from ops.fleet.observing import WINDOW_SECONDS
from ops.lag.figures import Verdict
from ops.lag.window import KIND
from store.pool import Connection
from store.positions import Place
from store.statements import statements_of

statement = statements_of(__file__)

SLOT_SECONDS = 120.0
"""Of so many seconds the newest look counts, where each partition is told."""

SLOTS = int(WINDOW_SECONDS / SLOT_SECONDS)


class PastLag(Struct, frozen=True, kw_only=True):
    """A group at one look, `age` seconds ago."""

    group: str
    looked_at: dt.datetime
    age: float
    verdict: Verdict
    behind: int | None
    oldest_seconds: float | None


async def of_groups(connection: Connection, group: str | None = None) -> dict[str, list[PastLag]]:
    """What the looks of the window saw of each group, or of one, the oldest first."""
    rows = await connection.fetch(statement("group_history"), KIND, WINDOW_SECONDS, group)
    found: dict[str, list[PastLag]] = defaultdict(list)
    for row in rows:
        found[row["group"]].append(msgspec.convert(dict(row), PastLag))
    return found


async def of_partitions(connection: Connection, group: str) -> Mapping[Place, list[int | None]]:
    """How far a group was behind in each partition, in each slot of the window, the oldest first."""
    rows = await connection.fetch(statement("partition_history"), KIND, WINDOW_SECONDS, group, SLOT_SECONDS)
    found: dict[Place, list[int | None]] = defaultdict(lambda: [None] * SLOTS)
    for row in rows:
        if row["slot"] < SLOTS:
            found[Place(row["topic"], row["partition"])][SLOTS - 1 - row["slot"]] = row["behind"]
    return found
