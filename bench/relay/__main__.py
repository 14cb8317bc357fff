"""`python -m bench.relay`: rows a second from a backlog, and the delay from commit to topic, in one run.

The yardstick is a bare idempotent producer of the same records. Everything runs on an embedded broker and
database in a temporary folder, which are started and stopped here; the relay runs in a process of its own.
A delay ends when a consumer received the record; it begins before COMMIT, or the producer's send, is called.
"""

import argparse
import asyncio
import contextlib
import gc
import signal
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

import msgspec
from msgspec import Struct
from rich.console import Console

from bench.relay.load import CONTEXT, events
from bench.relay.topic import Topic, outcomes
from bench.stage import stage
from broker import topics
from broker.types import Producer
from outbox import adding as outbox
from outbox import rows as relay
from outbox.adding import Entry
from runtime import migrate
from runtime.database import database
from runtime.settings import Settings, environment
from runtime.wiring import producing
from schemas.envelope import Outgoing, pack
from schemas.events import Event
from schemas.identity import event_id
from schemas.topics import Topics
from store.pool import Pool

ROUNDS = 3
RATE_SECONDS = 10
WRITERS = 4
LOOK_SECONDS = 0.01
err = Console(stderr=True, highlight=False)

Publish = Callable[[Event], Awaitable[float]]
"""Publishes an event, and returns the moment that its delay begins at."""


class Speed(Struct, frozen=True, kw_only=True):
    """Records a second, of a backlog."""

    rows: int
    bytes_a_row: int
    relay: float
    bare: float
    ratio: float


class Delay(Struct, frozen=True, kw_only=True):
    """The delay from commit, or a bare send, to a consumer, in milliseconds, at a rate a second."""

    what: str
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float


class Figures(Struct, frozen=True, kw_only=True):
    """What was measured."""

    speed: Speed
    delays: list[Delay]


class Bench(Struct):
    """A benchmark under way: its servers, and how far its events got."""

    settings: Settings
    pool: Pool
    producer: Producer
    topic: Topic
    used: int = 0

    def events(self, count: int) -> list[Event]:
        """The next events, none of which was published before."""
        found = list(events(count, self.used))
        self.used += count
        return found

    async def send(self, record: Outgoing) -> Awaitable[object]:
        """Send a record as a bare producer does."""
        return await self.producer.send(
            self.settings.topics.outcomes, key=record.key, value=record.value, headers=list(record.headers)
        )


async def measure(settings: Settings, rows: int, rate: int) -> Figures:
    """All figures."""
    await migrate.apply(settings.postgres_dsn)
    await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
    async with (
        database(settings, size=WRITERS) as pool,
        producing(settings.broker) as producer,
        outcomes(settings) as topic,
        _relay(settings),
    ):
        bench = Bench(settings, pool, producer, topic)
        speed = await _speed(bench, rows)
        async with topic.receiving():
            delays = [await _delay(bench, "bare producer", rate, _sender(bench))]
            delays.append(await _delay(bench, "relay", rate, _committer(bench)))
    return Figures(speed=speed, delays=delays)


@contextlib.asynccontextmanager
async def _relay(settings: Settings) -> AsyncGenerator[None]:
    """A relay in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.relay.member", env=environment(settings)
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _speed(bench: Bench, rows: int) -> Speed:
    """Both in turn, several times: the median of each, and of the rounds' ratios."""
    bare: list[float] = []
    relayed: list[float] = []
    for _ in range(ROUNDS):
        bare.append(rows / await _bare(bench, [pack(event, CONTEXT) for event in bench.events(rows)]))
        err.print(f"bare producer: {bare[-1]:,.0f} records/s")
        relayed.append(rows / await _backlog(bench, bench.events(rows)))
        err.print(f"relay: {relayed[-1]:,.0f} rows/s")
    sizes = [len(pack(event, CONTEXT).value) for event in events(1_000)]
    return Speed(
        rows=rows,
        bytes_a_row=round(statistics.mean(sizes)),
        relay=statistics.median(relayed),
        bare=statistics.median(bare),
        ratio=round(statistics.median(one / other for one, other in zip(relayed, bare, strict=True)), 3),
    )


async def _bare(bench: Bench, records: list[Outgoing]) -> float:
    gc.collect()
    gc.freeze()  # the load lies in this process, and would be looked through for cycles again and again
    began = time.perf_counter()
    pending = [await bench.send(record) for record in records]
    await asyncio.gather(*pending)
    seconds = time.perf_counter() - began
    gc.unfreeze()
    return seconds


async def _backlog(bench: Bench, load: list[Event]) -> float:
    """Seconds from a commit of all these events until the last of them is in the topic."""
    end = await bench.topic.records() + len(load)
    async with bench.pool.acquire() as connection:
        async with connection.transaction():
            await outbox.add(connection, [Entry(Topics().outcomes, event, CONTEXT) for event in load])
            began = time.perf_counter()
        while await bench.topic.records() < end:  # noqa: ASYNC110 - what is waited for lies in servers
            await asyncio.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - began
        while (await relay.backlog(connection)).rows:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(LOOK_SECONDS)
    assert await bench.topic.records() == end
    return seconds


def _sender(bench: Bench) -> Publish:
    async def publish(event: Event) -> float:
        record = pack(event, CONTEXT)
        began = time.perf_counter()
        await bench.send(record)
        return began

    return publish


def _committer(bench: Bench) -> Publish:
    async def publish(event: Event) -> float:
        async with bench.pool.acquire() as connection, connection.transaction():
            await outbox.add(connection, [Entry(Topics().outcomes, event, CONTEXT)])
            return time.perf_counter()

    return publish


async def _delay(bench: Bench, what: str, rate: int, publish: Publish) -> Delay:
    """Publish at a steady rate, and compare when each event came with when it was published."""
    load = bench.events(rate * RATE_SECONDS)
    began = time.perf_counter()
    turns = iter([(began + number / rate, event) for number, event in enumerate(load)])
    noted: dict[str, float] = {}
    await asyncio.gather(*(_publish(turns, publish, noted) for _ in range(WRITERS)))
    seconds = time.perf_counter() - began
    while not noted.keys() <= bench.topic.received.keys():  # noqa: ASYNC110 - likewise
        await asyncio.sleep(LOOK_SECONDS)
    delays = [1_000 * (bench.topic.received[one] - at) for one, at in noted.items()]
    return _as_delay(what, len(load) / seconds, delays)


async def _publish(turns: Iterable[tuple[float, Event]], publish: Publish, noted: dict[str, float]) -> None:
    """Publish the events that are this writer's turn, each when it is due."""
    for due, event in turns:
        await asyncio.sleep(due - time.perf_counter())
        noted[event_id(event)] = await publish(event)


def _as_delay(what: str, rate: float, delays: list[float]) -> Delay:
    cuts = statistics.quantiles(delays, n=100)
    return Delay(what=what, rate=rate, p50_ms=cuts[49], p99_ms=cuts[98], max_ms=max(delays))


def _run(rows: int, rate: int) -> Figures:
    with stage(err.print) as found:
        return asyncio.run(measure(found.settings, rows, rate))


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=500, help="commits a second, for the delay")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = _run(options.rows, options.rate)
    if options.json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
        return
    speed = figures.speed
    print(f"backlog of {speed.rows:,} rows of {speed.bytes_a_row} bytes")
    print(f"bare producer {speed.bare:>10,.0f} records/s")
    print(f"relay         {speed.relay:>10,.0f} rows/s, {speed.ratio:.2f} of the bare producer")
    for delay in figures.delays:
        print(
            f"{delay.what:13} at {delay.rate:,.0f} a second: p50 {delay.p50_ms:.1f} ms, "
            f"p99 {delay.p99_ms:.1f} ms, longest {delay.max_ms:.1f} ms"
        )


if __name__ == "__main__":
    main()
