"""The role that publishes the outbox: settings go in, a relay works until it is told to stop."""

import asyncio
from typing import cast

from broker.clients import make_producer
from outbox.relay import Relay
from outbox.sending import Producer
from runtime.database import database
from runtime.settings import Settings

CONNECTIONS = 2
"""One for rows, one for the lease."""


async def run_relay(settings: Settings, stop: asyncio.Event) -> None:
    """Publish the outbox, or stand by while another relay does, until told to stop."""
    async with database(settings, size=CONNECTIONS) as pool:
        relay = Relay(
            pool=pool,
            dsn=settings.postgres_dsn,
            make_producer=lambda: cast("Producer", make_producer(settings.broker)),
            prefix=settings.topic_prefix,
        )
        watching = asyncio.create_task(_when(stop, relay))
        try:
            await relay.run()
        finally:
            watching.cancel()


async def _when(event: asyncio.Event, relay: Relay) -> None:
    await event.wait()
    relay.stop()
