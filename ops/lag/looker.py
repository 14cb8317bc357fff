"""Lag as the observer looks at it."""

import contextlib

import msgspec

from broker.access import BrokerAccess
from ops.lag.looking import Kept, Lag
from ops.lag.window import KIND, Window
from schemas.topics import Topics
from store.pool import Pool

LOOK_SECONDS = 8.0
"""How long the broker may take at a look of the observer, who looks every ten seconds."""


class LagLooker:
    """Looks at the lag of all groups, and judges it by the looks that are stored."""

    kind = KIND

    def __init__(self, pool: Pool, broker: BrokerAccess, topics: Topics, window: float) -> None:
        self._pool = pool
        kept = Kept(lambda: contextlib.nullcontext(pool))
        self._lag = Lag(broker, topics, kept, seconds=LOOK_SECONDS)
        self._window = Window(window)

    async def look(self) -> bytes:
        """The lag now, as JSON."""
        async with self._pool.acquire() as connection:
            await self._window.read(connection)
        return msgspec.json.encode(self._window.judged(await self._lag.look()))

    async def close(self) -> None:
        """Close the connections to the broker; the next look opens others."""
        await self._lag.close()
