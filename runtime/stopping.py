"""Stopping in good time: work that does not end by itself is cancelled, and at last the process ends."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any

import structlog

from store.waiting import done_in_time

STOP_SECONDS = 6.0
"""How long work may take to end by itself, after it was told to stop."""

STEP_SECONDS = 0.25
"""How long each step of its ending may take afterwards."""

LAST_SECONDS = 9.5
"""When the process ends, whatever hangs: supervisors kill after ten seconds."""

log = structlog.get_logger("lapstream.roles")


async def until_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Do work that ends when `stop` is set; what it still waits for after a while is cancelled.

    Raises what the work raises, unless it was cancelled.
    """
    working = asyncio.create_task(work)
    try:
        in_time = await done_in_time(working, stop, STOP_SECONDS)
    finally:
        await _end(working)
    if in_time:
        working.result()
    else:
        log.warning("roles_cut_short", seconds=STOP_SECONDS, error=repr(_error(working)))


def _error(ended: asyncio.Task[None]) -> BaseException | None:
    return None if ended.cancelled() else ended.exception()


async def _end(working: asyncio.Task[None]) -> None:
    """Cancel what the work waits for, and then whatever it waits for while it tidies up."""
    while not working.done():
        working.cancel()
        await asyncio.wait({working}, timeout=STEP_SECONDS)


def last_resort() -> threading.Timer:
    """Once started, ends the process after a while; cancelled by whoever ended before."""
    timer = threading.Timer(LAST_SECONDS, _end_process)
    timer.daemon = True
    return timer


def _end_process() -> None:
    log.critical("process_ended_by_force", seconds=LAST_SECONDS)
    os._exit(1)
