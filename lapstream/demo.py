"""The demo: the real broker and database, a sample site over HTTP, and one practice day through all of it.

A data folder goes in; the summaries of two imports of the same day and the tables' digests come out, and are
shown while the roles still work. All that it starts, it stops.
"""

import asyncio
import contextlib
import datetime as dt
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from broker import topics
from ops.imports.follow import ImportSummary
from ops.imports.workers import RoleNotRunning, Workers
from runtime import migrate
from runtime.database import connected
from runtime.settings import Settings, environment
from sandbox.embedded import ports
from schemas.errors import LapstreamError
from store.digest import READ_TABLES, TableDigest, digest

TRACK = "sample-track"
DATE = dt.date(2025, 10, 25)
START_SECONDS = 30.0
PORT = 8080
"""Where the pages are served, unless another program is there."""

Report = Callable[[str], None]
Import = Callable[[Settings, str, dt.date], Awaitable[ImportSummary]]
Show = Callable[[Settings, "DemoOutcome"], Awaitable[None]]


class DemoFailed(LapstreamError):
    """A part of the demo did not start, or the second import changed what the first one left."""


class DemoOutcome(Struct, frozen=True, kw_only=True):
    """What the demo saw: both imports, and the digests after each."""

    first: ImportSummary
    second: ImportSummary
    digests: list[TableDigest]
    digests_again: list[TableDigest]

    @property
    def unchanged(self) -> bool:
        """Whether the second import left every table that people read as it was."""
        return self.digests == self.digests_again


class _SiteAddresses(Struct):
    site_template: str
    control_url: str


async def run_demo(
    *, bootstrap: str, dsn: str, logs: Path, report: Report, import_day: Import, show: Show
) -> None:
    """Import the sample day twice, on servers that run already; its pages are served while it is shown."""
    async with _sample_site(logs) as site:
        settings = Settings(
            kafka_bootstrap=bootstrap,
            postgres_dsn=dsn,
            site=site.site_template,
            site_interval_seconds=0,
            api_port=PORT if ports.is_free(PORT) else ports.choose(),
        )
        report("creating tables and topics…")
        await migrate.apply(dsn)
        await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
        report("starting the roles…")
        async with _roles(settings, logs):
            await _at_work(settings)
            await show(settings, await _imported_twice(settings, report, import_day))


async def _at_work(settings: Settings) -> None:
    """Let the roles come, which takes some seconds; the import says which is missing still after a while."""
    with contextlib.suppress(RoleNotRunning):
        async with connected(settings) as connection:
            await Workers(settings.broker, settings.topics).come(connection, lambda _: None)


async def _imported_twice(settings: Settings, report: Report, import_day: Import) -> DemoOutcome:
    first = await import_day(settings, TRACK, DATE)
    digests = await _digests(settings)
    report("importing the same day a second time…")
    second = await import_day(settings, TRACK, DATE)
    outcome = DemoOutcome(first=first, second=second, digests=digests, digests_again=await _digests(settings))
    if not outcome.unchanged:
        raise DemoFailed(f"the second import of an unchanged day changed the tables: {outcome}")
    return outcome


@contextlib.asynccontextmanager
async def _sample_site(logs: Path) -> AsyncGenerator[_SiteAddresses]:
    """The sample site in a process of its own, with a day of the real one's shape."""
    with (logs / "sample-site.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox.sample_site", stdout=PIPE, stderr=log
        )
        async with _stopped_in_the_end(process):
            line = await asyncio.wait_for(_first_line(process), START_SECONDS)
            if not line:
                raise DemoFailed(f"the sample site did not start: see {log.name}")
            site = msgspec.json.decode(line, type=_SiteAddresses)
            async with httpx.AsyncClient(trust_env=False, timeout=START_SECONDS) as client:
                day = {"track_slug": TRACK, "date": DATE.isoformat(), "preset": "real_shape"}
                (await client.post(f"{site.control_url}/days", json=day)).raise_for_status()
            yield site


async def _first_line(process: Process) -> bytes:
    return await process.stdout.readline() if process.stdout else b""


@contextlib.asynccontextmanager
async def _roles(settings: Settings, logs: Path) -> AsyncGenerator[None]:
    """All roles in a process of their own, as `lapstream run all` starts them."""
    with (logs / "roles.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lapstream.cli", "run", "all"),
            env=environment(settings),
            stdout=log,
            stderr=log,
        )
        async with _stopped_in_the_end(process):
            yield


@contextlib.asynccontextmanager
async def _stopped_in_the_end(process: Process) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), START_SECONDS)
            except TimeoutError:
                process.kill()


async def _digests(settings: Settings) -> list[TableDigest]:
    async with connected(settings) as connection:
        return await digest(connection, READ_TABLES)
