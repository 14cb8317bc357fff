"""`python -m bench.rebuild`: laps a second from topic to swapped tables, against COPY and index build.

Everything runs on an embedded broker and database in a temporary folder, which are started and stopped here.
The live tables are filled by the projector first; its time is told, and counts nowhere. COPY gets the rows of
all tables as prebuilt tuples, into bare tables, which then get the same keys and indexes.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from msgspec import Struct
from rich.console import Console

from bench.projection.events import Shape, records
from bench.projection.load import produce
from bench.stage import output_of, stage
from broker import topics
from consumers.live import PRACTICE_DAYS
from ops.rebuild import shadow
from runtime import migrate
from runtime.database import database
from runtime.settings import Settings
from store.pool import Connection, Pool

CHUNK = 100_000
BARE = "bare_copy"
err = Console(stderr=True, highlight=False)


class Told(Struct):
    """What the rebuild's process told."""

    state: str
    seconds: dict[str, float]
    peak_mib: float


class Figures(Struct, kw_only=True):
    """One size; times in seconds, a wait in milliseconds. `ratio` is COPY's time against the rebuild's."""

    laps: int
    projector: float
    copy: float
    indexes: float
    replay: float
    verify: float
    swap: float
    ratio: float
    laps_a_second: float
    peak_mib: float
    reads: int
    longest_wait_ms: float
    longest_wait_during_swap_ms: float


class Readers(Struct):
    """What somebody who reads all the time waited for: when each read began, and how long it took."""

    waits: list[tuple[float, float]]

    def longest(self, begin: float, end: float) -> float:
        """The longest wait, in seconds, of a read that was under way between these moments."""
        return max((took for at, took in self.waits if at + took >= begin and at <= end), default=0.0)


@contextlib.asynccontextmanager
async def reading(pool: Pool) -> AsyncGenerator[Readers]:
    """Somebody who reads a session's laps, again and again, with a prepared statement."""
    seen, over = Readers([]), asyncio.Event()

    async def read() -> None:
        async with pool.acquire() as connection:
            result = await connection.fetchval("SELECT id FROM race_results LIMIT 1")
            while not over.is_set():
                began = time.perf_counter()
                await connection.fetch("SELECT * FROM laps WHERE race_result_id = $1", result)
                seen.waits.append((began, time.perf_counter() - began))
                await asyncio.sleep(0.001)

    task = asyncio.create_task(read())
    try:
        yield seen
    finally:
        over.set()
        await task


async def measure(settings: Settings, shape: Shape, laps: int) -> Figures:
    """Fill topic and live tables, then COPY, then rebuild and swap."""
    days = max(1, laps // shape.laps_a_day)
    await migrate.apply(settings.postgres_dsn)
    await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
    await produce(settings, records(shape, days))
    filled = await output_of(settings, "bench.projection.member", str(days * (shape.sessions + 1)))
    async with database(settings, size=3) as pool:
        async with pool.acquire() as connection:
            await connection.execute("ANALYZE")
            copied, indexed = await _copy_all(connection)
        async with reading(pool) as readers:
            output = await output_of(settings, "bench.rebuild.member")
            end = time.perf_counter()
    told = msgspec.json.decode(output, type=Told)
    replay = told.seconds["prepared"] + told.seconds["replaying"]
    swap = told.seconds["verified"]
    return Figures(
        laps=days * shape.laps_a_day,
        projector=msgspec.json.decode(filled)["seconds"],
        copy=copied,
        indexes=indexed,
        replay=replay,
        verify=told.seconds["catching_up"],
        swap=swap,
        ratio=round((copied + indexed) / (replay + swap), 3),
        laps_a_second=days * shape.laps_a_day / (replay + swap),
        peak_mib=told.peak_mib,
        reads=len(readers.waits),
        longest_wait_ms=1000 * readers.longest(0, end),
        longest_wait_during_swap_ms=1000 * readers.longest(end - swap - 1, end),
    )


async def _copy_all(connection: Connection) -> tuple[float, float]:
    """Seconds to copy the live tables' rows into bare tables, and to build keys and indexes on them."""
    live = PRACTICE_DAYS.schema
    untyped: Any = connection
    await connection.execute(f"CREATE SCHEMA {BARE}")
    copied = 0.0
    for table in await shadow.tables(connection, live):
        await connection.execute(f"CREATE TABLE {BARE}.{table} (LIKE {live}.{table} INCLUDING CONSTRAINTS)")
        offset = 0.0
        async with connection.transaction():
            cursor = await untyped.cursor(f"SELECT * FROM {live}.{table}")
            while rows := [tuple(row) for row in await cursor.fetch(CHUNK)]:
                began = time.perf_counter()
                await untyped.copy_records_to_table(table, schema_name=BARE, records=rows)
                offset += time.perf_counter() - began
        copied += offset
    await connection.execute(f"CREATE TABLE {BARE}.positions (LIKE {live}.positions)")
    began = time.perf_counter()
    async with connection.transaction():
        await shadow.finish(connection, live, BARE)
    indexed = time.perf_counter() - began
    await connection.execute(f"DROP SCHEMA {BARE} CASCADE")
    return copied, indexed


def _run(shape: Shape, laps: int) -> Figures:
    with stage(err.print) as found:
        return asyncio.run(measure(found.settings, shape, laps))


def main() -> None:
    """Read the options, measure each size, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuild", description=__doc__)
    parser.add_argument("--shape", default="500x30", help="sessions a day x laps a session")
    parser.add_argument("--laps", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    shape = Shape(*(int(part) for part in options.shape.split("x")))
    for laps in options.laps:
        found = _run(shape, laps)
        if options.json:
            sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        else:
            print(_line(found))


def _line(found: Figures) -> str:
    parts = (
        f"{found.laps:>9,} laps: COPY {found.copy:.1f} s + indexes {found.indexes:.1f} s",
        f"rebuild {found.replay:.1f} s + swap {found.swap:.1f} s, {found.laps_a_second:,.0f} laps/s",
        f"{found.ratio:.2f} of COPY",
        f"verified in {found.verify:.1f} s",
        f"{found.peak_mib:.0f} MiB",
        f"longest read {found.longest_wait_ms:.0f} ms",
        f"{found.longest_wait_during_swap_ms:.0f} ms around the swap",
        f"the projector took {found.projector:.1f} s",
    )
    return "; ".join(parts)


if __name__ == "__main__":
    main()
