"""The fleet's looks: who takes them, and how each process that has metrics shows them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from ops.fleet.observing import USUAL, observe
from ops.fleet.showing import Shown
from ops.fleet.state import STATE, StateLooker
from ops.lag.looker import LagLooker
from ops.lag.metrics import LAG_SHOWN
from runtime.database import database
from runtime.projections import PROJECTIONS
from runtime.settings import Settings
from runtime.wiring import groups
from store.pool import Pool
from telemetry.metrics import REGISTRY

KINDS = (LAG_SHOWN, STATE)
"""Every kind of look."""

SHOWN = Shown(KINDS)
"""What this process shows of the fleet."""

REGISTRY.register(SHOWN)


def observers(settings: Settings, pool: Pool, stop: asyncio.Event) -> dict[str, Coroutine[Any, Any, None]]:
    """What takes the looks, one for each kind, until told to stop."""
    lag = LagLooker(pool, settings.broker, settings.topics, USUAL.window)
    names = [group.name for group in groups(settings.topics)]
    state = StateLooker(pool, settings.site, names, [projection.schema for projection in PROJECTIONS])
    return {f"observer of {looker.kind}": observe(pool, looker, stop, USUAL) for looker in (lag, state)}


async def show_the_fleet(settings: Settings, stop: asyncio.Event) -> None:
    """Have this process's metrics show the newest looks, until told to stop."""
    async with database(settings, size=1) as pool:
        await SHOWN.keep_reading(pool, stop)
