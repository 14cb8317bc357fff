"""`python -m bench.sizes`: bytes, CPU and memory of imported days, and what that makes of larger numbers.

Days of one shape are imported from the sample site, without pace, by all roles in one process. Then the
segments of the topics and the tables of the database are measured, indexes with them, less what they were
before. How fast a rebuild is comes from `bench.rebuild`.
"""

import argparse
import asyncio
import datetime as dt
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import psutil
from rich.console import Console

from bench.sizes.arithmetic import SCALES, Measured, Needs, needs
from bench.stage import Stage, process, sample_site, stage
from broker import topics
from ops.imports import follow
from producer.site import SOURCE
from runtime import migrate
from runtime.database import connected
from runtime.settings import Settings, environment
from store.pool import Connection

TRACK = "bench-track"
FIRST_DAY = dt.date(2025, 1, 1)
LISTED = 16
"""Topics and tables that are named, the largest first."""

RUNS = ("ingest_runs", "ingest_run_sessions")
SIZES = """
SELECT n.nspname || '.' || c.relname AS name, pg_total_relation_size(c.oid) AS bytes
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('practice_days', 'track_records', 'page_index', 'lapstream')
    AND c.relname NOT IN ('outbox', 'fleet_looks', 'sites', 'robots')
"""
"""The tables that grow, with their indexes and what is stored beside their rows."""
err = Console(stderr=True, highlight=False)


class Imported(NamedTuple):
    """What imports took and left: bytes by topic and by table, seconds, and the memory of the roles."""

    topics: dict[str, int]
    tables: dict[str, int]
    cpu: float
    seconds: float
    memory: int


async def imported(at: Stage, days: int, sessions: int, laps: int) -> Imported:
    """Import days of one shape, and measure what they took and left."""
    async with sample_site() as site:
        settings = msgspec.structs.replace(
            at.settings, site=site.site_template, site_interval_seconds=0, api_port=0
        )
        await migrate.apply(settings.postgres_dsn)
        await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
        async with (
            connected(settings) as connection,
            process("lapstream.cli", "run", "all", env=environment(settings)) as roles,
        ):
            await _import(settings, site.control_url, FIRST_DAY - dt.timedelta(days=1), 1, 1)  # warm
            before, cpu, began = await _tables(connection), _cpu(roles.pid), time.perf_counter()
            for number in range(days):
                date = FIRST_DAY + dt.timedelta(days=number)
                await _import(settings, site.control_url, date, sessions, laps)
                err.print(f"{number + 1} of {days} days")
            seconds, cpu = time.perf_counter() - began, _cpu(roles.pid) - cpu
            memory = psutil.Process(roles.pid).memory_info().rss
            grown = {name: size - before[name] for name, size in (await _tables(connection)).items()}
    return Imported(_segments(at.home), grown, cpu, seconds, memory)


def measured(found: Imported, all_sessions: int, shape: tuple[int, int], rebuild_rate: float) -> Measured:
    """The same for one session."""
    logs = {name: size / all_sessions for name, size in found.topics.items()}
    tables = {name: size / all_sessions for name, size in found.tables.items()}
    for name, size in sorted((logs | tables).items(), key=lambda one: -one[1])[:LISTED]:
        err.print(f"{size:10,.0f} bytes a session in {name}")
    runs = sum(tables[f"lapstream.{name}"] for name in RUNS)
    return Measured(
        sessions_a_day=shape[0],
        laps_a_session=shape[1],
        log_bytes=logs["practice-days"],
        archive_bytes=logs["pages"],
        outcome_bytes=logs["practice-day-outcomes"],
        table_bytes=sum(tables.values()) - runs,
        run_bytes=runs,
        cpu_seconds=found.cpu / all_sessions,
        seconds=found.seconds / all_sessions,
        role_mib=found.memory / 2**20,
        rebuild_laps_a_second=rebuild_rate,
    )


async def _import(settings: Settings, control: str, date: dt.date, sessions: int, laps: int) -> None:
    order = {"track_slug": TRACK, "date": date.isoformat(), "sessions": sessions, "laps_per_session": laps}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        (await client.post(f"{control}/days", json=order)).raise_for_status()
    summary = await follow.ingest(settings, follow.request(SOURCE, TRACK, date), follow.unseen)
    if (summary.status, summary.laps_ingested) != ("completed", sessions * laps):
        raise SystemExit(f"the import did not bring everything in: {summary}")


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def _tables(connection: Connection) -> dict[str, int]:
    return {row["name"]: row["bytes"] for row in await connection.fetch(SIZES)}


def _segments(home: Path) -> dict[str, int]:
    """Bytes of each topic's records on the broker's disk."""
    found: dict[str, int] = {}
    for segment in home.rglob("*.log"):
        topic, _, partition = segment.parent.name.rpartition("-")
        if partition.isdigit():
            found[topic] = found.get(topic, 0) + segment.stat().st_size
    return found


def _told(one: Needs) -> Iterator[str]:
    yield f"{one.name}: {one.days:,} days, {one.sessions:,} sessions, {one.laps:,} laps"
    yield f"  pages, one a second: {one.fetch_days:,.1f} days; new ones: {one.new_pages_a_day:,.0f} a day"
    yield f"  Kafka, each replica: {one.kafka_gb:,.1f} GB, {one.kafka_mb_a_day:,.2f} MB a day"
    yield f"  PostgreSQL: {one.postgres_gb:,.1f} GB, of which runs {one.runs_gb:,.1f} GB"
    yield f"  a rebuild: {one.rebuild_hours:,.1f} hours; CPU of all imports: {one.import_cpu_days:,.1f} days"


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizes", description=__doc__)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--shape", default="56x9", help="sessions a day x laps a session")
    parser.add_argument("--rebuild-rate", type=float, default=50_000, help="laps a second of bench.rebuild")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sessions, laps = (int(part) for part in options.shape.split("x"))
    with stage(err.print) as at:
        found = asyncio.run(imported(at, options.days, sessions, laps))
    figures = measured(found, options.days * sessions, (sessions, laps), options.rebuild_rate)
    if options.json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
        return
    print(msgspec.json.format(msgspec.json.encode(figures)).decode())
    for scale in SCALES:
        print("\n".join(_told(needs(scale, figures))))


if __name__ == "__main__":
    main()
