"""`python -m bench.imports`: a day's import to its closed run, against bare httpx fetching the same pages.

Without pace, with as many requests at once. Broker, database, sample site and the roles (`run all`) are
processes of their own, started and stopped here. Each round takes a day of its own, whose pages the site has
made before.
"""

import argparse
import asyncio
import datetime as dt
import statistics
import sys
import time

import httpx
import msgspec
from msgspec import Struct
from rich.console import Console

from bench.stage import process, sample_site, stage
from broker import topics
from ops.imports import follow
from producer.site import SOURCE, Site
from runtime import migrate
from runtime.settings import Settings, environment

TRACK = "bench-track"
FIRST_DAY = dt.date(2025, 1, 1)
WARM_UP, ROUNDS = 2, 5
"""Rounds of a case: first those that do not count, while a broker that was just started compiles itself."""

CONCURRENCY = 5
LAPS_A_SESSION = 9
err = Console(stderr=True, highlight=False)


class Case(Struct, frozen=True):
    """A day of so many sessions at a site that answers after so many seconds; a goal is a largest ratio.

    Without a goal the figure is reported: no real site answers at once, nor is it asked without a pace.
    """

    sessions: int
    latency_seconds: float
    goal: float | None = None


CASES = (Case(56, 0.1, 1.5), Case(500, 0.0))


class Figure(Struct, frozen=True, kw_only=True):
    """Medians of the rounds, in seconds; `ratio` is the median of each round's."""

    sessions: int
    latency_seconds: float
    bare_seconds: float
    import_seconds: float
    ratio: float
    goal: float | None


async def measure(settings: Settings, control: str) -> list[Figure]:
    """The figures of all cases."""
    await migrate.apply(settings.postgres_dsn)
    await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
    async with process("lapstream.cli", "run", "all", env=environment(settings)):
        await _import(settings, control, Case(3, 0.0), FIRST_DAY - dt.timedelta(days=1))
        return [await _figure(settings, control, case, number) for number, case in enumerate(CASES)]


async def _figure(settings: Settings, control: str, case: Case, number: int) -> Figure:
    pairs: list[tuple[float, float]] = []
    for turn in range(WARM_UP + ROUNDS):
        date = FIRST_DAY + dt.timedelta(days=number * (WARM_UP + ROUNDS) + turn)
        pairs.append(await _import(settings, control, case, date))
        err.print(f"{case.sessions} sessions: bare {pairs[-1][0]:.2f} s, import {pairs[-1][1]:.2f} s")
    del pairs[:WARM_UP]
    return Figure(
        sessions=case.sessions,
        latency_seconds=case.latency_seconds,
        bare_seconds=round(statistics.median(bare for bare, _ in pairs), 3),
        import_seconds=round(statistics.median(imported for _, imported in pairs), 3),
        ratio=round(statistics.median(imported / bare for bare, imported in pairs), 2),
        goal=case.goal,
    )


async def _import(settings: Settings, control: str, case: Case, date: dt.date) -> tuple[float, float]:
    """Seconds of bare httpx, and of the import, of a new day."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        order = {"track_slug": TRACK, "date": date.isoformat(), "sessions": case.sessions}
        found = (
            await client.post(f"{control}/days", json=order | {"laps_per_session": LAPS_A_SESSION})
        ).json()
        site = Site(settings.site)
        pages = [site.session(TRACK, session_id) for session_id in found["sessions"]]
        await client.put(f"{control}/settings", json={"latency_seconds": 0})
        await _fetch(client, site.day(TRACK, date), pages)  # the site makes its pages
        await client.put(f"{control}/settings", json={"latency_seconds": case.latency_seconds})
        began = time.perf_counter()
        await _fetch(client, site.day(TRACK, date), pages)
        bare = time.perf_counter() - began
    summary = await follow.ingest(settings, follow.request(SOURCE, TRACK, date), follow.unseen)
    if (summary.status, summary.laps_ingested) != ("completed", case.sessions * LAPS_A_SESSION):
        raise SystemExit(f"the import did not bring everything in: {summary}")
    return bare, summary.duration_seconds


async def _fetch(client: httpx.AsyncClient, day: str, pages: list[str]) -> None:
    """Fetch a list, then the pages, so many at once as a fetcher does."""
    (await client.get(day)).raise_for_status()
    left = iter(pages)

    async def work() -> None:
        for url in left:
            (await client.get(url)).raise_for_status()

    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))


async def _run(servers: Settings) -> list[Figure]:
    async with sample_site() as found:
        settings = msgspec.structs.replace(
            servers,
            site=found.site_template,
            site_interval_seconds=0,
            detail_concurrency=CONCURRENCY,
            api_port=0,
        )
        return await measure(settings, found.control_url)


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with stage(err.print) as found:
        figures = asyncio.run(_run(found.settings))
    if options.json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
        return
    for one in figures:
        goal = f" (goal at most {one.goal})" if one.goal else ""
        print(
            f"{one.sessions:4} sessions, answered after {one.latency_seconds:.1f} s: "
            f"bare {one.bare_seconds:.2f} s, import {one.import_seconds:.2f} s, ratio {one.ratio:.2f}{goal}"
        )


if __name__ == "__main__":
    main()
