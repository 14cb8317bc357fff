"""`python -m bench.kills`: disturb projectors under load so many times, and compare the tables they leave.

Everything runs on an embedded broker and database in a temporary folder. Exits with 1 where the tables differ
from those of an undisturbed projector of the same topic, or from a rebuild's, by one byte.
"""

import argparse
import asyncio
import logging
import random
import sys

import msgspec
from rich.console import Console

from bench.kills import trial
from bench.kills.disturbances import draw
from bench.kills.trial import Outcome, Plan
from bench.stage import stage
from runtime.logs import configure_logs

err = Console(stderr=True, highlight=False)


def _run(options: argparse.Namespace) -> Outcome:
    plan = Plan(
        kinds=draw(random.Random(options.seed), options.kills),
        projectors=options.projectors,
        seed=options.seed,
    )
    with stage(err.print) as found:
        return asyncio.run(trial.run(found.settings, found.home, plan, err.print))


def _print(outcome: Outcome) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.disturbances.items()))
    print(f"{sum(outcome.disturbances.values())} disturbances: {kinds}")
    print(f"{outcome.in_open_transaction} were aimed at an open transaction and met it")
    ended = ", ".join(f"{count} {end}" for end, count in sorted(outcome.transactions.items()))
    print(f"transactions of producers: {ended}")
    print(
        f"{outcome.records} records, {outcome.seconds:.0f} s, caught up in {outcome.catch_up_seconds:.0f} s"
    )
    print("tables equal" if outcome.equal else f"tables differ: {', '.join(outcome.differing)}")


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many disturbances")
    parser.add_argument("--projectors", type=int, default=2, help="processes at work")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    configure_logs(logging.CRITICAL)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    outcome = _run(options)
    if options.json:
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    else:
        _print(outcome)
    sys.exit(0 if outcome.equal else 1)


if __name__ == "__main__":
    main()
