"""Waiting that ends at once when it is told to, and grows with errors in a row."""

import asyncio

import pytest

from store import waiting
from store.waiting import BackOff, set_within, until_stopping


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


async def test_it_waits_twice_as_long_after_each_error_until_one_try_worked(
    stop: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(waiting, "LONGEST_WAIT_SECONDS", 0.003)
    back_off = BackOff(stop)
    waited: list[float] = []
    for _ in range(4):
        waited.append(back_off.seconds)
        await back_off.wait()
    assert waited == [0.001, 0.002, 0.003, 0.003]
    back_off.worked()
    assert back_off.seconds == 0.001


async def test_who_is_told_to_stop_waits_no_longer(stop: asyncio.Event) -> None:
    stop.set()
    back_off = BackOff(stop)
    back_off.seconds = 3_600.0
    async with asyncio.timeout(5):
        await back_off.wait()
    assert await set_within(stop, 3_600)
    assert not await set_within(asyncio.Event(), 0.001)


def test_refusals_in_a_row_are_counted() -> None:
    back_off = BackOff(asyncio.Event())
    row = [back_off.refused() for _ in range(waiting.REFUSALS)]
    assert row == [False] * (waiting.REFUSALS - 1) + [True]
    back_off.worked()
    assert not back_off.refused()


async def test_work_that_hangs_is_cancelled_when_its_time_to_finish_is_over(stop: asyncio.Event) -> None:
    stop.set()
    hanging = asyncio.Event()
    async with asyncio.timeout(5):
        await until_stopping(_until(hanging), stop, finish_seconds=0.01, end_seconds=1.0)


async def test_an_error_of_the_work_is_raised_without_being_told_to_stop(stop: asyncio.Event) -> None:
    async def work() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        await until_stopping(work(), stop, finish_seconds=1.0, end_seconds=1.0)


async def _until(event: asyncio.Event) -> None:
    await event.wait()
