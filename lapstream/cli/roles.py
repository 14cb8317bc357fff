"""Roles in this process, until Ctrl-C or SIGTERM."""

import asyncio
import signal
import threading

from lapstream.roles import run_roles
from runtime.logs import configure_logs
from runtime.settings import read_settings
from runtime.stopping import last_resort
from runtime.telemetry import observed


def run_until_stopped(names: list[str]) -> None:
    """Run these roles; the work at hand is finished first."""
    configure_logs()
    resort = last_resort()
    try:
        asyncio.run(_until_stopped(names, resort))
    finally:
        resort.cancel()


async def _until_stopped(names: list[str], resort: threading.Timer) -> None:
    stop = asyncio.Event()

    def told() -> None:
        if not stop.is_set():
            resort.start()
            stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    settings = read_settings()
    with observed(settings, names):
        await run_roles(settings, names, stop)
