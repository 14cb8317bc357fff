"""Projectors in processes of their own, each looked after: one that ends is started again."""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from itertools import chain
from pathlib import Path

import msgspec

REST_SECONDS = 0.3
END_SECONDS = 30.0
LOGS = "projector-*.log"
WORDS = 8


class Member:
    """A `lapstream run projector` that a supervisor starts again whenever it ends."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._process: Process | None = None
        self.killed = 0
        self.gave_up: list[int] = []
        """The exit codes of processes that ended by themselves: a server was away when they started."""

    async def supervise(self) -> None:
        """Start the process, and again when it ends, until cancelled."""
        with self._log.open("ab") as log:
            while True:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "lapstream.cli", "run", "projector"),
                    env=self._environment,
                    stdout=DEVNULL,
                    stderr=log,
                )
                code = await self._process.wait()
                if code == -signal.SIGKILL:
                    self.killed += 1
                else:
                    self.gave_up.append(code)
                await asyncio.sleep(REST_SECONDS)

    @property
    def runs(self) -> bool:
        """Whether there is a process that a signal would reach."""
        return self._process is not None and self._process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal, if it runs."""
        if self._process is not None and self.runs:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def end(self) -> int:
        """End the process as a supervisor does at a shutdown; returns its exit code."""
        if self._process is None:
            return 0
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self._process.wait(), END_SECONDS)
        finally:
            self.send(signal.SIGKILL)


def said(logs: Path) -> Counter[str]:
    """What the projectors logged, by event, and the errors that they ended with, by their first words."""
    found: Counter[str] = Counter()
    for line in chain.from_iterable(log.read_bytes().splitlines() for log in sorted(logs.glob(LOGS))):
        if line.startswith(b"{"):
            found[msgspec.json.decode(line)["event"]] += 1
        elif line.startswith(b"error: "):
            found[" ".join(line.decode().split()[:WORDS])] += 1
    return found


@contextlib.asynccontextmanager
async def members(environment: Mapping[str, str], logs: Path, count: int) -> AsyncGenerator[list[Member]]:
    """So many supervised projectors, for the length of a block."""
    found = [Member(environment, logs / f"projector-{number}.log") for number in range(count)]
    tasks = [asyncio.create_task(member.supervise()) for member in found]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for member in found:
            await member.end()
