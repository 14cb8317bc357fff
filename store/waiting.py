"""Waiting: for an event, for work that was told to stop, and after errors in a row.

A step that is tried so many times is retried by stamina. This is for work that goes on until it is told to
stop: it tries for as long as a server is away, and ends at once when it is told to.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0

REFUSALS = 5
"""The work ends after so many errors in a row that no waiting mends."""


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for so many seconds at most; whether it is set."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def done_in_time(work: asyncio.Task[Any], stopping: asyncio.Event, seconds: float) -> bool:
    """Wait until the work is done, or has been told to stop so many seconds ago; whether it is done."""
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({work}, timeout=seconds)
    finally:
        told.cancel()
    return work.done()


async def cancelled(work: asyncio.Task[Any], seconds: float) -> None:
    """Cancel a task that is not done, and wait for it, but no longer than so many seconds."""
    work.cancel()
    await asyncio.wait({work}, timeout=seconds)


async def until_stopping(
    work: Coroutine[Any, Any, None], stopping: asyncio.Event, *, finish_seconds: float, end_seconds: float
) -> None:
    """Do work that ends by itself soon after `stopping` is set; raises what it raises.

    What is not done `finish_seconds` later is cancelled, and waited for `end_seconds` at most.
    """
    working = asyncio.create_task(work)
    try:
        await done_in_time(working, stopping, finish_seconds)
    finally:
        await cancelled(working, end_seconds)
    if working.done() and not working.cancelled():
        working.result()


class BackOff:
    """Waits after errors in a row, twice as long each time, unless `stopping` is set; and counts refusals."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self.worked()

    def worked(self) -> None:
        """Note that there was no error: the next wait is the shortest one again, and no refusal counts."""
        self.seconds = FIRST_WAIT_SECONDS
        self._refusals = 0

    async def wait(self) -> None:
        """Wait before the next try."""
        await set_within(self._stopping, self.seconds)
        self.seconds = min(2 * self.seconds, LONGEST_WAIT_SECONDS)

    def refused(self) -> bool:
        """Count an error that no waiting mends; whether there were too many in a row."""
        self._refusals += 1
        return self._refusals >= REFUSALS
