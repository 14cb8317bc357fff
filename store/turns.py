"""Work that is done in turns until the process is told to stop, however long the database is away."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from store.faults import said_by
from store.pool import TRANSIENT
from store.waiting import set_within, until_stopping
from telemetry import health


async def take_turns(
    turn: Callable[[], Coroutine[Any, Any, None]],
    stop: asyncio.Event,
    *,
    every_seconds: float,
    end_seconds: float,
    finish_seconds: float = 0,
    away: Callable[[str], object],
) -> None:
    """Take a turn, and another one so many seconds after its end, until told to stop.

    What is left of a turn then has the other two times, as `until_stopping` has it. A turn that ends because
    the database is away is reported to `away`, with why, and as what the work lacks; other errors are raised.
    """
    while not stop.is_set():
        try:
            await until_stopping(turn(), stop, finish_seconds=finish_seconds, end_seconds=end_seconds)
        except TRANSIENT as error:
            away(said_by(error))
            health.lacks(f"the database is away: {said_by(error)}")
        else:
            health.lacks(None)
        await set_within(stop, every_seconds)
