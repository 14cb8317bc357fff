"""Lag as the observer looks at it: its connections are kept from one look to the next."""

import contextlib

import msgspec
from aiokafka.errors import KafkaError

from broker.access import BrokerAccess
from broker.clients import administering, make_reader, reading
from ops.lag.metrics import LAG, Found
from ops.lag.watching import Lag
from schemas.errors import LapstreamError
from schemas.topics import Topics
from store.pool import Pool


class LagLooker:
    """Looks at the lag of all groups."""

    kind = LAG.name

    def __init__(self, pool: Pool, broker: BrokerAccess, topics: Topics) -> None:
        self._pool = pool
        self._broker = broker
        self._topics = topics
        self._lag: Lag | None = None
        self._stack = contextlib.AsyncExitStack()

    async def look(self) -> bytes:
        """The lag now, as JSON; a broker that is away is said in words."""
        try:
            return msgspec.json.encode(Found(groups=await (await self._opened()).look()))
        except (KafkaError, LapstreamError) as error:
            await self.close()
            return msgspec.json.encode(Found(groups=[], trouble=str(error)))

    async def _opened(self) -> Lag:
        if self._lag is None:
            admin = await self._stack.enter_async_context(administering(self._broker))
            consumer = await self._stack.enter_async_context(
                reading(make_reader(self._broker, reset="earliest"))
            )
            self._lag = Lag(self._broker, self._topics, self._pool, admin, consumer)
        return self._lag

    async def close(self) -> None:
        """Close the connections to the broker; the next look opens others."""
        self._lag = None
        await self._stack.aclose()
