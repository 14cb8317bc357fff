"""One projector in a process of its own: `python -m bench.projection.member END`, settings as elsewhere.

Works until the group's positions add up to END records; prints the seconds from the moment at which it held
partitions, its CPU's seconds since then, and the highest memory of the process in MiB. With a port for
metrics, it shows those of the fleet, too.
"""

import asyncio
import logging
import resource
import sys
import time

import msgspec

from consumers.live import PRACTICE_DAYS
from lapstream.fleet import show_the_fleet
from lapstream.roles import run_projector
from runtime.database import connected
from runtime.logs import configure_logs
from runtime.settings import Settings, read_settings
from runtime.telemetry import observed
from runtime.wiring import projection_group
from store import positions
from store.pool import Connection

LOOK_SECONDS = 0.01


async def main(end: int) -> None:
    """Run the projector to the end."""
    configure_logs(logging.WARNING)
    settings = read_settings()
    with observed(settings, ["projector"]):
        found = await _worked(settings, end)
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")


async def _worked(settings: Settings, end: int) -> dict[str, float]:
    stop, group = asyncio.Event(), projection_group(settings.topics)
    async with connected(settings) as connection:
        epochs = await _epochs(connection)
        working = asyncio.create_task(run_projector(settings, stop, [PRACTICE_DAYS]))
        showing = asyncio.create_task(show_the_fleet(settings, stop)) if settings.metrics_port else None
        while await _epochs(connection) == epochs:  # noqa: ASYNC110 - the table is what says so
            await asyncio.sleep(LOOK_SECONDS)
        began, used = time.perf_counter(), time.process_time()
        while sum((await positions.read(connection, group)).values()) < end:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(LOOK_SECONDS)
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
        stop.set()
        await asyncio.gather(*filter(None, (working, showing)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu": cpu, "peak_mib": peak}


async def _epochs(connection: Connection) -> int:
    return await connection.fetchval("SELECT coalesce(sum(epoch), 0) FROM positions")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
