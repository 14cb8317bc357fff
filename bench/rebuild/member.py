"""A rebuild in a process of its own: `python -m bench.rebuild.member`, settings as elsewhere.

Prints the seconds that it was in each state, and the highest memory of the process in MiB.
"""

import asyncio
import logging
import resource
import sys
import time

import msgspec

from consumers.live import PRACTICE_DAYS
from ops.rebuild import states
from ops.rebuild.queries import State
from ops.rebuild.replaying import Progress
from runtime.garbage import collect_seldom
from runtime.logs import configure_logs
from runtime.settings import read_settings


async def main() -> None:
    """Rebuild, swap, and tell how long it took."""
    configure_logs(logging.WARNING)
    collect_seldom()
    began: dict[State, float] = {}

    def show(state: State, progress: Progress) -> None:  # noqa: ARG001 - the form of who is shown progress
        began.setdefault(state, time.perf_counter())

    start = time.perf_counter()
    found = await states.rebuild(read_settings(), PRACTICE_DAYS, "swap", show)
    ends = [*list(began.values())[1:], time.perf_counter()]
    starts = [start, *list(began.values())[1:]]
    seconds = {state: end - begin for state, begin, end in zip(began, starts, ends, strict=True)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = {"state": found.state, "seconds": seconds, "peak_mib": peak}
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")


if __name__ == "__main__":
    asyncio.run(main())
