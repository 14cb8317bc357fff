"""The site as a process of its own.

In: an address, a seed, a latency, what to say when it is up. Out: nothing; returns after SIGTERM or SIGINT.
"""

import asyncio
import signal
from collections.abc import Callable

import msgspec

from sandbox.sample_site.server import RunningSite, serve
from sandbox.sample_site.site import SampleSite, Settings


def run(
    *, host: str, port: int, seed: int, latency_ms: float, announce: Callable[[RunningSite], None]
) -> None:
    """Serve until the process is asked to stop; `announce` is called once, when pages can be had.

    Raises:
        OSError: the port is taken.
    """
    site = SampleSite(seed=seed, settings=Settings(latency_seconds=latency_ms / 1000))
    asyncio.run(_run(site, host, port, announce))


async def _run(site: SampleSite, host: str, port: int, announce: Callable[[RunningSite], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve(site, host=host, port=port) as running:
        announce(running)
        await stop.wait()


def addresses(running: RunningSite) -> str:
    """The running site's addresses as one line of JSON."""
    found = {
        "base_url": running.base_url,
        "site_template": running.site_template,
        "control_url": running.control_url,
    }
    return msgspec.json.encode(found).decode()
