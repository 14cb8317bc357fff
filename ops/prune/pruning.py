"""Pruning: a time goes in, and numbers of what was deleted come out."""

import asyncio
import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping

from ops.prune import queries
from ops.prune.queries import BATCH, Cut, What
from runtime.settings import LEAST_PRUNE_DAYS
from schemas.errors import LapstreamError
from schemas.topics import Topics
from store.faults import said_by
from store.pool import TRANSIENT, Connection
from telemetry import metrics


class TooYoung(LapstreamError):
    """What is so young may still be needed."""

    exit_code = 2


class PruneStopped(LapstreamError):
    """The pruning could not go on; what was deleted is deleted."""


def cut_at(before: dt.datetime, topics: Topics) -> Cut:
    """What ended before this; raises `TooYoung`."""
    youngest = dt.datetime.now(dt.UTC) - dt.timedelta(days=LEAST_PRUNE_DAYS)
    if before > youngest:
        raise TooYoung(
            f"{before:%Y-%m-%d %H:%M} UTC is too late: what ended within {LEAST_PRUNE_DAYS} days is kept, "
            f"for a work queue may bring its request again; give {LEAST_PRUNE_DAYS}d, or a time before "
            f"{youngest:%Y-%m-%d %H:%M}"
        )
    return Cut(before, (topics.requests, topics.details))


async def prune(connection: Connection, cut: Cut, show: Callable[[int], None]) -> Mapping[What, int]:
    """Prune; `show` is told of each batch's size. Raises `PruneStopped`."""
    try:
        return await delete(connection, cut, show, asyncio.Event())
    except TRANSIENT as error:
        raise PruneStopped(
            f"the database is away ({said_by(error)}); what was pruned until then is, and the same command "
            "goes on"
        ) from error


async def delete(
    connection: Connection, cut: Cut, show: Callable[[int], None], stop: asyncio.Event
) -> Mapping[What, int]:
    """Prune batch by batch until told to stop; what is left goes the next time."""
    pruned = Counter[What](dict.fromkeys(BATCH, 0))
    async with contextlib.aclosing(queries.batches(connection, cut)) as batches:
        async for what, rows in batches:
            pruned[what] += rows
            metrics.rows_pruned(what, rows)
            show(rows)
            if stop.is_set():
                break
    return pruned
