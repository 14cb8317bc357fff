"""The fleet's looks: who takes them, and how each process that has metrics shows them."""

import asyncio

from ops.fleet.showing import Shown
from ops.lag.metrics import LAG_SHOWN
from runtime.database import database
from runtime.settings import Settings
from telemetry.metrics import REGISTRY

KINDS = (LAG_SHOWN,)
"""Every kind of look."""

SHOWN = Shown(KINDS)
"""What this process shows of the fleet."""

REGISTRY.register(SHOWN)


async def show_the_fleet(settings: Settings, stop: asyncio.Event) -> None:
    """Have this process's metrics show the newest looks, until told to stop."""
    async with database(settings, size=1) as pool:
        await SHOWN.keep_reading(pool, stop)
