"""`python -m bench.projection`: laps a second from the topic to committed rows, against COPY, in one run.

Everything runs on an embedded broker and database in a temporary folder, which are started and stopped here.
"""

import argparse
import asyncio
import statistics
import sys
import time
from itertools import islice

import msgspec
from msgspec import Struct
from rich.console import Console

from bench.projection.events import Shape, records
from bench.projection.load import empty, produce
from bench.stage import output_of, stage
from broker import topics
from consumers.practice_days import apply
from runtime import migrate
from runtime.database import database
from runtime.settings import Settings
from schemas.records import decode
from schemas.tables import LapRow
from schemas.topics import Topics
from store.pool import Connection, Pool

BASELINE_EVENTS = 1_000
ROUNDS = 3
err = Console(stderr=True, highlight=False)


class Figure(Struct, frozen=True, kw_only=True):
    """One measurement; `ratio` is laps a second against COPY into the same table, in the same run."""

    what: str
    laps: int
    seconds: float
    laps_a_second: float
    ratio: float | None = None
    peak_mib: float | None = None


class Record(Struct):
    """A packed record in the form that a topic's records have."""

    headers: list[tuple[str, bytes | None]]
    value: bytes | None
    key: bytes | None = None
    topic: str = "practice-days"
    partition: int = 0
    offset: int = 0
    timestamp: int = -1


class Run(Struct):
    """A benchmark under way: its servers, its load, its figures."""

    settings: Settings
    shape: Shape
    days: int
    figures: list[Figure]

    @property
    def laps(self) -> int:
        return self.days * self.shape.laps_a_day

    def add(self, what: str, laps: int, seconds: float, peak_mib: float | None = None) -> None:
        figure = Figure(
            what=what, laps=laps, seconds=seconds, laps_a_second=laps / seconds, peak_mib=peak_mib
        )
        self.figures.append(figure)
        err.print(f"{what}: {laps:,} laps in {seconds:.2f} s, {laps / seconds:,.0f} laps/s")


async def measure(settings: Settings, shape: Shape, laps: int, processes: int) -> Run:
    """All figures of one shape and size."""
    run = Run(settings, shape, max(1, laps // shape.laps_a_day), [])
    await migrate.apply(settings.postgres_dsn)
    await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
    async with database(settings, size=2) as pool:
        await _baseline(run, pool)
        await empty(pool)
        await _live(run, "live, first time", sight=0, processes=processes)
        await _analyze(pool)
        await _live(run, "live, identical again", sight=1, processes=processes)
        await _copies(run, pool)
    return run


async def _baseline(run: Run, pool: Pool) -> None:
    """One transaction for each event, decoded beforehand from the same records."""
    some = list(islice(records(run.shape, run.days), BASELINE_EVENTS))
    read = decode((Record(list(record.headers), record.value) for record in some), Topics())
    events = read.events
    laps = sum(len(getattr(received.event, "laps", ())) for received in events)
    async with pool.acquire() as connection:
        began = time.perf_counter()
        for received in events:
            async with connection.transaction():
                await apply(connection, [received])
        run.add("one transaction an event", laps, time.perf_counter() - began)


async def _analyze(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("ANALYZE")


async def _live(run: Run, what: str, *, sight: int, processes: int) -> None:
    await produce(run.settings, records(run.shape, run.days, sight=sight))
    end = (sight + 1) * run.days * (run.shape.sessions + 1)
    member = ("bench.projection.member", str(end))
    outputs = await asyncio.gather(*(output_of(run.settings, *member) for _ in range(processes)))
    found = [msgspec.json.decode(output, type=dict[str, float]) for output in outputs]
    run.add(what, run.laps, max(one["seconds"] for one in found), max(one["peak_mib"] for one in found))


async def _copies(run: Run, pool: Pool) -> None:
    """COPY of the same lap rows: into the same table with its keys, and with nothing but the primary key."""
    async with pool.acquire() as connection:
        rows = [tuple(row) for row in await connection.fetch("SELECT * FROM laps ORDER BY 1, 2")]
        await connection.execute(
            "CREATE TABLE bare_laps (LIKE laps, PRIMARY KEY (race_result_id, lap_number))"
        )
        for table, what in (("laps", "COPY, same table"), ("bare_laps", "COPY, primary key only")):
            seconds = [await _copy(connection, table, rows) for _ in range(ROUNDS)]
            run.add(what, len(rows), statistics.median(seconds))
        await connection.execute("DROP TABLE bare_laps")


async def _copy(connection: Connection, table: str, rows: list[tuple[object, ...]]) -> float:
    await connection.execute(f"TRUNCATE {table}")
    began = time.perf_counter()
    await connection.copy_records_to_table(table, records=rows, columns=LapRow._fields)
    return time.perf_counter() - began


def with_ratios(figures: list[Figure]) -> list[Figure]:
    """The figures with their ratio to COPY into the same table."""
    copy = next(figure for figure in figures if figure.what == "COPY, same table")
    return [
        msgspec.structs.replace(figure, ratio=round(figure.laps_a_second / copy.laps_a_second, 3))
        for figure in figures
    ]


def _run(shape: Shape, laps: int, processes: int) -> Run:
    with stage(err.print) as found:
        return asyncio.run(measure(found.settings, shape, laps, processes))


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.projection", description=__doc__)
    parser.add_argument("--shape", default="500x30", help="sessions a day x laps a session")
    parser.add_argument("--laps", type=int, default=300_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    shape = Shape(*(int(part) for part in options.shape.split("x")))
    figures = with_ratios(_run(shape, options.laps, options.processes).figures)
    if options.json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
        return
    for figure in figures:
        memory = "" if figure.peak_mib is None else f", {figure.peak_mib:.0f} MiB"
        print(f"{figure.what:26} {figure.laps_a_second:>10,.0f} laps/s  {figure.ratio:.2f} of COPY{memory}")


if __name__ == "__main__":
    main()
