"""Where a benchmark runs: an embedded broker and database in a temporary folder, started and stopped here."""

import asyncio
import contextlib
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from runtime.settings import Settings, environment
from sandbox.embedded import stack


class Stage(NamedTuple):
    """Settings of the servers, and the folder that they are in; no site is asked."""

    settings: Settings
    home: Path


@contextlib.contextmanager
def stage(report: Callable[[str], None]) -> Generator[Stage]:
    """A stage for the length of a block; what the servers' start says is reported."""
    with (
        tempfile.TemporaryDirectory(prefix="lapstream-bench-") as folder,
        stack.running(Path(folder), report=report) as servers,
    ):
        settings = Settings(
            kafka_bootstrap=servers.kafka_bootstrap,
            postgres_dsn=servers.postgres_dsn,
            site="http://127.0.0.1/{track_slug}",
        )
        yield Stage(settings, Path(folder))


@contextlib.asynccontextmanager
async def process(*module: str, env: dict[str, str] | None = None) -> AsyncGenerator[Process]:
    """A Python module in a process of its own, for the length of a block."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, stdout=PIPE, stderr=DEVNULL, env=env
    )
    try:
        yield started
    finally:
        started.terminate()
        await started.wait()


async def output_of(settings: Settings, module: str, *arguments: str) -> bytes:
    """What a module prints in a process of its own; ends the benchmark where it fails."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=PIPE, env=environment(settings)
    )
    output, _ = await started.communicate()
    if started.returncode:
        sys.exit(f"{module} ended with {started.returncode}")
    return output


class Addresses(Struct):
    """Where the sample site is."""

    site_template: str
    control_url: str


@contextlib.asynccontextmanager
async def sample_site() -> AsyncGenerator[Addresses]:
    """The sample site in a process of its own, for the length of a block."""
    async with process("sandbox.sample_site") as site:
        line = await site.stdout.readline() if site.stdout else b""
        yield msgspec.json.decode(line, type=Addresses)
