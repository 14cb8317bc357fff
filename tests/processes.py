"""Roles in processes of their own, and servers of the embedded stack, to be killed."""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from runtime.settings import Settings, environment
from sandbox.embedded import stack

LONGEST_SECONDS = 60.0


class Role:
    """One role in a process; it can be killed and started again."""

    def __init__(self, settings: Settings, name: str, log: Path | None = None) -> None:
        self._settings = settings
        self._name = name
        self._log = log
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the process."""
        with contextlib.ExitStack() as stack:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "lapstream.cli",
                "run",
                self._name,
                env=environment(self._settings),
                stdout=DEVNULL,  # what it logs is on stderr, and shown with a test that fails
                stderr=stack.enter_context(self._log.open("ab")) if self._log else None,
            )

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal, as one that freezes it or lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, number: signal.Signals) -> int:
        """Send the process a signal, and return its exit code when it is gone."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), LONGEST_SECONDS)


@asynccontextmanager
async def role(settings: Settings, name: str, log: Path | None = None) -> AsyncGenerator[Role]:
    """A role in a process, for the length of a block; what it logs is added to a file, where one is named."""
    running = Role(settings, name, log)
    await running.start()
    try:
        yield running
    finally:
        await running.end(signal.SIGKILL)


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; a minute is the longest that a test waits."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for lies in another process
            await asyncio.sleep(0.01)


def crash(home: Path, which: str) -> None:
    """Kill a server, and return when it is gone."""
    status = stack.status(home)
    server = status.postgres if which == "postgres" else status.kafka
    assert server is not None
    assert server.pid is not None
    process = psutil.Process(server.pid)
    process.kill()
    process.wait(30)
