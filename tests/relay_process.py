"""A relay in a process of its own: `python -m tests.relay_process LEASE_SECONDS`, settings as elsewhere.

Works until SIGTERM; its log is on stderr, a JSON object a line.
"""

import asyncio
import signal
import sys

from lapstream.relay import run_relay
from outbox import lease
from runtime.logs import configure_logs
from runtime.settings import read_settings


async def main(lease_seconds: float) -> None:
    """Run the relay with a lease of this length."""
    configure_logs()
    lease.LEASE_SECONDS = lease_seconds
    lease.RENEW_SECONDS = lease_seconds / 5
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_relay(read_settings(), stop)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
