"""Work that was told to stop ends, whatever it waits for; and so does the process."""

import asyncio
import subprocess
import sys
import time

import pytest

from runtime import stopping
from runtime.stopping import until_stopped


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(stopping, "STEP_SECONDS", 0.05)


@pytest.fixture
def stop() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_work_that_ends_in_time_is_not_cancelled(stop: asyncio.Event) -> None:
    ended: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        ended.append("by itself")

    await until_stopped(work(), stop)
    assert ended == ["by itself"]


async def test_work_that_hangs_is_cancelled_and_so_is_each_step_of_its_ending(stop: asyncio.Event) -> None:
    hung: list[str] = []

    async def hang(step: str) -> None:
        hung.append(step)
        await asyncio.Event().wait()

    async def work() -> None:
        try:
            await hang("work")
        finally:
            try:
                await hang("first step")
            finally:
                await hang("last step")

    async with asyncio.timeout(5):
        await until_stopped(work(), stop)
    assert hung == ["work", "first step", "last step"]


async def test_what_hanging_work_ends_with_is_no_error(stop: asyncio.Event) -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the connection is lost")

    await until_stopped(work(), stop)


async def test_work_that_fails_fails_at_once() -> None:
    async def work() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await until_stopped(work(), asyncio.Event())


def test_a_process_that_hangs_for_good_ends() -> None:
    """As one does whose look-up of a name hangs in a thread, which nothing can cancel."""
    hangs = (
        "import threading; from runtime import stopping; stopping.LAST_SECONDS = 0.1;"
        "stopping.last_resort().start(); threading.Event().wait()"
    )
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", hangs], check=False, capture_output=True, timeout=60)
    assert ended.returncode == 1
    assert b"process_ended_by_force" in ended.stdout + ended.stderr
    assert time.monotonic() - began < 30
