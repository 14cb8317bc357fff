"""A lease: of all processes that could do some work, the one that holds it does it.

It is a row in the database, and ends by the database's clock. Its holder reckons by its own monotonic clock,
from before the statement was sent: whatever happens, it stops before the database lets another one in.
"""

import asyncio
import time
from uuid import uuid4

import structlog

from outbox import rows
from schemas.errors import LapstreamError
from store.pool import TRANSIENT, Pool

LEASE_SECONDS = 10.0
"""How long a relay that is gone without a word keeps the others waiting."""

RENEW_SECONDS = 2.0

log = structlog.get_logger("lapstream.relay")


class LeaseLost(LapstreamError):
    """The lease ended, or another relay has it: nothing more may be sent."""


class Lease:
    """One process's view of a lease, which ends so many seconds after it was last taken."""

    def __init__(self, pool: Pool, name: str, seconds: float) -> None:
        self._pool = pool
        self._name = name
        self._seconds = seconds
        self._until = 0.0
        self.holder = uuid4()

    async def take(self) -> bool:
        """Take the lease, or hold it longer; False while another process holds it."""
        asked = time.monotonic()
        async with self._pool.acquire() as connection:
            taken = await rows.take(connection, self._name, self.holder, self._seconds)
        if taken:
            self._until = asked + self._seconds
        return taken

    def check(self) -> None:
        """Raise `LeaseLost` unless the lease is surely held at this moment."""
        if time.monotonic() >= self._until:
            raise LeaseLost(f"relay {self.holder}: the lease of {self._seconds} s was not renewed in time")

    async def keep(self) -> None:
        """Renew the lease until cancelled; raises `LeaseLost` when it is no more."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            self.check()
            try:
                async with asyncio.timeout(self._until - time.monotonic()):
                    await self._renew()
            except TRANSIENT as error:
                log.warning("relay_lease_not_renewed", error=repr(error))

    async def _renew(self) -> None:
        if not await self.take():
            raise LeaseLost(f"relay {self.holder}: another relay holds the lease")

    async def give_back(self) -> None:
        """Let another process begin at once."""
        self._until = 0.0
        async with self._pool.acquire() as connection:
            await rows.give_back(connection, self._name, self.holder)
