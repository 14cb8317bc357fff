"""`python -m bench.watched`: seconds of a projector with metrics, lag and traces, and without, in one run.

Both project the same topic from its beginning into empty tables, in turn. The one that is watched shows
metrics, which are scraped every second; an observer looks at the fleet; each batch is a span that is sent to
a collector. Everything runs on an embedded broker and database in a temporary folder, which are started and
stopped here.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import threading
import urllib.request
from collections.abc import AsyncGenerator, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console

from bench.projection.events import Shape, records
from bench.projection.load import empty, produce
from bench.stage import output_of, stage
from broker import topics
from lapstream.fleet import observers
from runtime import migrate
from runtime.database import database
from runtime.settings import Settings
from sandbox.embedded import ports
from store.pool import Pool

ROUNDS = 5
SCRAPE_SECONDS = 1.0
GOAL = 1.03

err = Console(stderr=True, highlight=False)


class Round(Struct, frozen=True):
    """The seconds of one projector: those that passed, and those of its CPU."""

    seconds: float
    cpu: float


class Figures(Struct, frozen=True, kw_only=True):
    """The medians of both, and the ratios: seconds with being watched by those without."""

    laps: int
    plain: Round
    watched: Round
    ratio: float
    cpu_ratio: float


class _Collector(BaseHTTPRequestHandler):
    """Takes spans, and forgets them."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Log nothing."""


@contextlib.contextmanager
def collector() -> Generator[str]:
    """A collector of traces for the length of a block; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.asynccontextmanager
async def watching(settings: Settings, pool: Pool) -> AsyncGenerator[None]:
    """Look at the fleet, and scrape what the projector shows, for the length of a block."""
    stop = asyncio.Event()
    work = [asyncio.create_task(one) for one in observers(settings, pool, stop).values()]
    scraping = asyncio.create_task(_scrape(settings.metrics_port))
    try:
        yield
    finally:
        stop.set()
        scraping.cancel()
        await asyncio.gather(*work, scraping, return_exceptions=True)


async def _scrape(port: int) -> None:
    while True:
        await asyncio.sleep(SCRAPE_SECONDS)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/metrics")


async def measure(plain: Settings, traces: str, laps: int) -> Figures:
    """Project the same topic in turn, unwatched and watched."""
    shape = Shape(500, 30)
    days = max(1, laps // shape.laps_a_day)
    watched = replace(plain, metrics_port=ports.choose(), otlp_endpoint=traces)
    await migrate.apply(plain.postgres_dsn)
    await topics.create_topics(plain.broker, plain.topics, replication_factor=1)
    await produce(plain, records(shape, days))
    end = days * (shape.sessions + 1)
    async with database(plain, size=3) as pool:
        await _projected(plain, pool, end)  # the first one is slower: nothing is in any cache
        rounds: list[tuple[Round, Round]] = []
        for number in range(ROUNDS):
            rounds.append(await _round(plain, watched, pool, end, watched_first=number % 2 == 1))
            err.print(
                f"round {number + 1}: {rounds[-1][0].seconds:.2f} s, watched {rounds[-1][1].seconds:.2f} s"
            )
    return _figures(days * shape.laps_a_day, rounds)


async def _round(
    plain: Settings, watched: Settings, pool: Pool, end: int, *, watched_first: bool
) -> tuple[Round, Round]:
    """Unwatched and watched; the order changes, for whichever is second finds what the first one left."""

    async def seen() -> Round:
        async with watching(watched, pool):
            return await _projected(watched, pool, end)

    if watched_first:
        second = await seen()
        return await _projected(plain, pool, end), second
    return await _projected(plain, pool, end), await seen()


async def _projected(settings: Settings, pool: Pool, end: int) -> Round:
    """Project the topic from its beginning, in a process of its own."""
    await empty(pool)
    return msgspec.json.decode(await output_of(settings, "bench.projection.member", str(end)), type=Round)


def _figures(laps: int, rounds: list[tuple[Round, Round]]) -> Figures:
    plain, watched = (
        Round(statistics.median(one.seconds for one in ones), statistics.median(one.cpu for one in ones))
        for ones in zip(*rounds, strict=True)
    )
    return Figures(
        laps=laps,
        plain=plain,
        watched=watched,
        ratio=round(watched.seconds / plain.seconds, 3),
        cpu_ratio=round(watched.cpu / plain.cpu, 3),
    )


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.watched", description=__doc__)
    parser.add_argument("--laps", type=int, default=450_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with stage(err.print) as found, collector() as traces:
        figures = asyncio.run(measure(found.settings, traces, options.laps))
    if options.json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
        return
    for what, one in (("without", figures.plain), ("watched", figures.watched)):
        print(f"{what}  {one.seconds:6.2f} s  {one.cpu:6.2f} s of CPU")
    print(f"ratio    {figures.ratio:6.3f}    {figures.cpu_ratio:6.3f}         wanted: at most {GOAL}")


if __name__ == "__main__":
    main()
