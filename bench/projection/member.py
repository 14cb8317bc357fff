"""One projector in a process of its own: `python -m bench.projection.member END`, settings as elsewhere.

Works until the group's positions add up to END records; prints the seconds from the moment at which it held
partitions, and the highest memory of the process in MiB.
"""

import asyncio
import logging
import resource
import sys
import time

import msgspec

from consumers.live import PRACTICE_DAYS
from lapstream.roles import run_projector
from runtime.database import connected
from runtime.logs import configure_logs
from runtime.settings import read_settings
from runtime.wiring import projection_group
from store import positions
from store.pool import Connection

LOOK_SECONDS = 0.01


async def main(end: int) -> None:
    """Run the projector to the end."""
    configure_logs(logging.WARNING)
    settings, stop = read_settings(), asyncio.Event()
    group = projection_group(settings.topics)
    async with connected(settings) as connection:
        epochs = await _epochs(connection)
        working = asyncio.create_task(run_projector(settings, stop, [PRACTICE_DAYS]))
        while await _epochs(connection) == epochs:  # noqa: ASYNC110 - the table is what says so
            await asyncio.sleep(LOOK_SECONDS)
        began = time.perf_counter()
        while sum((await positions.read(connection, group)).values()) < end:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - began
        stop.set()
        await working
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(msgspec.json.encode({"seconds": seconds, "peak_mib": peak}).decode() + "\n")


async def _epochs(connection: Connection) -> int:
    return await connection.fetchval("SELECT coalesce(sum(epoch), 0) FROM positions")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
