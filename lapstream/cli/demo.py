"""One practice day through the real thing, without anything installed beside it."""

import asyncio
import contextlib
import secrets
from functools import partial

from lapstream import demo as the_demo
from lapstream.cli.days import read_day, show_sessions
from lapstream.cli.imports import import_day, show_summary
from lapstream.cli.output import note, out, print_json
from lapstream.demo import DATE, PORT, TRACK, DemoOutcome
from runtime.database import connected
from runtime.settings import Settings
from sandbox.embedded import stack
from schemas.scopes import Scope
from server.http import api_keys


def demo(*, keep: bool, as_json: bool) -> None:
    """Import a sample day twice, on an embedded Kafka and PostgreSQL; then stop them, or first at Ctrl-C."""
    home = stack.default_home()
    with stack.running(home, report=note) as servers:
        logs = home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(KeyboardInterrupt) if keep else contextlib.nullcontext():
            asyncio.run(
                the_demo.run_demo(
                    bootstrap=servers.kafka_bootstrap,
                    dsn=servers.postgres_dsn,
                    logs=logs,
                    report=note,
                    import_day=import_day,
                    show=partial(_shown, keep=keep, as_json=as_json),
                )
            )


async def _shown(settings: Settings, outcome: DemoOutcome, *, keep: bool, as_json: bool) -> None:
    if as_json:
        print_json(outcome)
    else:
        await _show(settings, outcome)
    if keep:
        await _keep(settings)
    else:
        note(f"`make demo KEEP=1` shows this day's pages at {_pages(PORT)}")


async def _keep(settings: Settings) -> None:
    """Say where the pages are, and with which key a day can be imported there; then stay until Ctrl-C."""
    async with connected(settings) as connection:
        _, token = await api_keys.create(connection, f"demo {secrets.token_hex(4)}", [Scope.ingest])
    note(f"the day's page: {_pages(settings.api_port)}tracks/{TRACK}/{DATE}")
    note(f"to import days and months of {TRACK} there, follow today, or say who is one person, sign in with")
    note(token)
    note("Ctrl-C ends it")
    await asyncio.Event().wait()


def _pages(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


async def _show(settings: Settings, outcome: DemoOutcome) -> None:
    show_sessions(await read_day(settings, TRACK, DATE))
    show_summary(outcome.first)
    out.print(
        f"imported again in {outcome.second.duration_seconds:.1f} s: "
        "no row that people read has changed (`lapstream digest`)",
        soft_wrap=True,
    )
