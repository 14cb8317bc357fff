"""One relay in a process of its own: `python -m bench.relay.member`, settings as elsewhere, until SIGTERM."""

import asyncio
import logging
import signal

from lapstream.relay import run_relay
from runtime.logs import configure_logs
from runtime.settings import read_settings


async def main() -> None:
    """Run the relay."""
    configure_logs(logging.WARNING)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_relay(read_settings(), stop)


if __name__ == "__main__":
    asyncio.run(main())
