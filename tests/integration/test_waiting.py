"""What `lapstream ingest` says while its run waits, and where it is interrupted."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from producer import budget as sites
from producer.site import Site
from runtime.settings import Settings, environment
from store.pool import Pool
from tests.conftest import DAY, TRACK, working

SECONDS = 60.0
"""How long what is waited for may take."""


@asynccontextmanager
async def ingesting(settings: Settings) -> AsyncGenerator[Process]:
    """The command, in a process of its own."""
    program = ("-m", "lapstream.cli", "ingest", TRACK, str(DAY), "--json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *program, env=environment(settings), stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line_of(process: Process) -> str:
    """The next line on the command's stderr."""
    assert process.stderr
    return (await asyncio.wait_for(process.stderr.readline(), SECONDS)).decode()


async def pause(settings: Settings, pool: Pool, *, paused: bool) -> None:
    async with pool.acquire() as connection:
        await sites.pause(connection, Site(settings.site).name, paused=paused)


async def test_an_import_that_waits_for_the_site_says_so_until_it_goes_on(
    settings: Settings, pool: Pool
) -> None:
    await pause(settings, pool, paused=True)
    async with working(settings), ingesting(settings) as process:
        assert await line_of(process) == (
            "waiting: the site is paused: `lapstream site resume` lets it go on\n"
        )
        await pause(settings, pool, paused=False)
        _, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode in {0, 3}, err


async def test_an_import_without_a_fetcher_says_so(settings: Settings) -> None:
    async with working(settings, "projector", "relay"), ingesting(settings) as process:
        assert await line_of(process) == (
            "waiting: no fetcher is at work: start `lapstream run fetcher`, or `lapstream run all`\n"
        )


async def test_ctrl_c_says_that_the_run_goes_on_and_how_to_see_it(settings: Settings, pool: Pool) -> None:
    await pause(settings, pool, paused=True)
    async with working(settings), ingesting(settings) as process:
        await line_of(process)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    async with pool.acquire() as connection:
        run = await connection.fetchval("SELECT id FROM ingest_runs WHERE state = 'running'")
    assert (process.returncode, out) == (130, b"")
    assert err.decode() == (
        f"run {run} goes on without this command: `lapstream runs show {run}` shows how far it is, "
        f"`lapstream runs cancel {run}` ends it\n"
    )
