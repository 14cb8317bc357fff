"""One practice day through the real thing, without anything installed beside it."""

import asyncio
from typing import Any

from embedded import stack
from lapstream import demo as the_demo
from lapstream.cli.days import read_day, show_sessions
from lapstream.cli.imports import import_day, show_summary
from lapstream.cli.output import note, out, print_json
from lapstream.demo import DATE, TRACK, DemoOutcome
from runtime.settings import Settings


def demo(*, as_json: bool) -> None:
    """Import a sample day twice, on an embedded Kafka and PostgreSQL; then stop them."""
    home = stack.default_home()
    with stack.running(home, report=note) as servers:
        logs = home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        asyncio.run(
            _demo(as_json=as_json, bootstrap=servers.kafka_bootstrap, dsn=servers.postgres_dsn, logs=logs)
        )


async def _demo(*, as_json: bool, **places: Any) -> None:
    settings, outcome = await the_demo.run_demo(**places, report=note, import_day=import_day)
    if as_json:
        print_json(outcome)
    else:
        await _show(settings, outcome)


async def _show(settings: Settings, outcome: DemoOutcome) -> None:
    show_sessions(await read_day(settings, TRACK, DATE))
    show_summary(outcome.first)
    out.print(
        f"imported again in {outcome.second.duration_seconds:.1f} s: "
        "no row that people read has changed (`lapstream digest`)",
        soft_wrap=True,
    )
