"""`python -m tests.fuzz`: mutated records go through a broker to every projection; says what became of them.

Everything runs on an embedded broker and database in a temporary folder. Exits with 1 where a record is not
accounted for, a projection failed on one, or a rebuild makes other tables.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator

import msgspec
from rich.console import Console

from bench.stage import stage
from broker import topics
from runtime import migrate
from runtime.logs import configure_logs
from runtime.settings import Settings
from tests.fuzz import trial
from tests.fuzz.trial import Outcome

err = Console(stderr=True, highlight=False)


async def _run(settings: Settings, records: int, seed: int) -> Outcome:
    settings = msgspec.structs.replace(settings, log_topics=trial.LOG)
    await migrate.apply(settings.postgres_dsn)
    await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
    return await trial.run(settings, records, seed)


def _lines(outcome: Outcome) -> Iterator[str]:
    for name, fate in outcome.fates.items():
        parked = ", ".join(f"{count} {code}" for code, count in sorted(fate.parked.items()))
        yield (
            f"{name}: {fate.sent} sent = {fate.applied} applied + {fate.ignored} ignored "
            f"+ {sum(fate.parked.values())} parked ({parked}); "
            f"{', '.join(fate.differing) or 'tables equal after a rebuild'}"
        )
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items())
    yield f"seed {outcome.seed}; {took}"


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args()
    configure_logs(logging.CRITICAL)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with stage(err.print) as found:
        outcome = asyncio.run(_run(found.settings, options.records, options.seed))
    lines = [msgspec.json.encode(outcome).decode()] if options.json else _lines(outcome)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.exit(0 if all(fate.sound for fate in outcome.fates.values()) else 1)


if __name__ == "__main__":
    main()
