"""Lag as tests look at it: over connections that are kept, and a broker that is away is an error."""

import contextlib
from collections.abc import AsyncGenerator

from ops.lag.figures import GroupLag
from ops.lag.looking import Lag, looking
from runtime.database import database
from runtime.settings import Settings


class Looking:
    """Looks at the lag of all groups."""

    def __init__(self, lag: Lag) -> None:
        self._lag = lag

    async def look(self) -> list[GroupLag]:
        found = await self._lag.look()
        assert found.trouble is None
        return found.groups


@contextlib.asynccontextmanager
async def watching(settings: Settings) -> AsyncGenerator[Looking]:
    """What looks, with its connections, for the length of a block."""
    async with database(settings, size=1) as pool, looking(settings.broker, settings.topics, pool) as lag:
        yield Looking(lag)
