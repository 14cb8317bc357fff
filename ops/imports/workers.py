"""The roles that an import needs, and whether they are at work."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from aiokafka.errors import KafkaError

from broker.access import BrokerAccess
from broker.clients import Admin, administering, describe_group
from outbox import adding as outbox
from runtime.wiring import detail_group, list_group, projection_group
from schemas.errors import LapstreamError
from schemas.topics import Topics
from store.pool import Connection

PATIENCE_SECONDS = 15.0
"""How long an import waits for a fetcher, a projector and a relay to come."""

QUIET_SECONDS = 2.0
"""So long a run may not move before it is asked what it waits for."""

LOOK_SECONDS = 0.1


class RoleNotRunning(LapstreamError):
    """A role that the import needs is not at work."""


class Workers(NamedTuple):
    """The roles by what shows them: the members of their groups at the broker, the relay in the database."""

    broker: BrokerAccess
    topics: Topics

    async def come(self, connection: Connection, wait: Callable[[str], None]) -> None:
        """Return when all are at work; raises `RoleNotRunning` after a while, and KafkaError.

        Until then, `wait` is told which one is missing.
        """
        begin = time.monotonic()
        async with administering(self.broker) as admin:
            while missing := await self._missing(admin, connection):
                waited = time.monotonic() - begin
                if waited > PATIENCE_SECONDS:
                    raise RoleNotRunning(f"no {missing} is at work: start `lapstream run all` beside this")
                if waited > QUIET_SECONDS:
                    wait(_waits_for(missing))
                await asyncio.sleep(LOOK_SECONDS)

    async def lacking(self, connection: Connection) -> str | None:
        """Which role is not at work, or that the broker can't tell."""
        try:
            async with administering(self.broker) as admin:
                role = await self._missing(admin, connection)
        except KafkaError:
            return "the broker does not answer"
        return role and _waits_for(role)

    async def _missing(self, admin: Admin, connection: Connection) -> str | None:
        topics = self.topics
        for role, group in (("fetcher", list_group(topics)), ("projector", projection_group(topics))):
            if not (await describe_group(admin, group))[1]:
                return role
        if (await describe_group(admin, detail_group(topics)))[0] != "Stable":
            return "fetcher"  # its pool still forms: what it begins now would be begun again
        return None if await outbox.is_relayed(connection) else "relay"


def _waits_for(role: str) -> str:
    return f"no {role} is at work: start `lapstream run {role}`, or `lapstream run all`"
