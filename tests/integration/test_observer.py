"""The observer: of several one looks, what it found is kept for a while, and shown as metrics."""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator

import pytest
from structlog.testing import capture_logs

from ops.fleet import looks, observing
from ops.fleet.looks import Look
from ops.fleet.observing import Rhythm, observe
from ops.fleet.showing import LOOK_AGE, OLD_SECONDS, Family, Kind, Series, Shown
from runtime.database import database
from store.pool import Pool
from tests.api import settings_of
from tests.members import until

QUICK = Rhythm(first=0, every=0.02, window=0.3)
COUNT = Family("counted", "How often it was looked.", ("by",))


class Counting:
    """Looks how often it has looked."""

    kind = "counting"

    def __init__(self, name: str) -> None:
        self._name = name
        self.looks = 0
        self.closed = 0

    async def look(self) -> bytes:
        self.looks += 1
        return f'"{self._name} {self.looks}"'.encode()

    async def close(self) -> None:
        self.closed += 1


def series(found: str) -> Iterator[Series]:
    name, count = found.strip('"').split()
    yield Series(COUNT, (name,), float(count))


KIND = Kind(name="counting", families=(COUNT,), series=series)


@pytest.fixture
async def pool(dsn: str) -> AsyncGenerator[Pool]:
    async with database(settings_of(dsn), size=3) as pool:
        yield pool


async def stored(pool: Pool) -> list[Look]:
    async with pool.acquire() as connection:
        return await looks.since(connection, "counting", 60)


def shown(showing: Shown) -> dict[str, dict[tuple[str, ...], float]]:
    return {
        one.name: {tuple(sample.labels.values()): sample.value for sample in one.samples}
        for one in showing.collect()
    }


async def test_one_of_several_looks_and_another_takes_over_when_it_ends(pool: Pool) -> None:
    stops = [asyncio.Event(), asyncio.Event()]
    first, second = Counting("first"), Counting("second")
    working = [
        asyncio.create_task(observe(pool, looker, stop, QUICK))
        for looker, stop in zip((first, second), stops, strict=True)
    ]

    async def often() -> bool:  # not how many are kept: on a busy machine they are few
        return first.looks + second.looks > 5

    await until(often)
    assert len({one.found.split()[0] for one in await stored(pool)}) == 1
    leader = 0 if "first" in (await stored(pool))[-1].found else 1
    stops[leader].set()

    async def by_the_other() -> bool:
        return ("second" if leader == 0 else "first") in (await stored(pool))[-1].found

    await until(by_the_other)
    kept = await stored(pool)
    assert max(one.age for one in kept) < 30 * QUICK.window
    assert len(kept) <= 3 * QUICK.window / QUICK.every
    stops[1 - leader].set()
    await asyncio.gather(*working)
    assert (first.closed, second.closed) == (1, 1)


class Failing(Counting):
    """Fails at first."""

    async def look(self) -> bytes:
        found = await super().look()
        if found.endswith(b'1"'):
            raise RuntimeError("a mistake of ours")
        return found


async def test_a_look_that_fails_is_logged_and_the_next_one_taken(pool: Pool) -> None:
    stop = asyncio.Event()
    with capture_logs() as logged:
        work = asyncio.create_task(observe(pool, Failing("one"), stop, QUICK))

        async def looked() -> bool:
            return bool(await stored(pool))

        await until(looked)
        stop.set()
        await work
    assert (await stored(pool))[0].found == '"one 2"'
    assert [one["log_level"] for one in logged if one["event"] == "fleet_look_failed"] == ["error"]


class Hanging(Counting):
    """Looks for ever."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.began = asyncio.Event()

    async def look(self) -> bytes:
        self.began.set()
        await asyncio.Event().wait()
        return b""


async def test_who_is_told_to_stop_ends_a_look_that_hangs(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "FINISH_SECONDS", 0.05)
    stop, looker = asyncio.Event(), Hanging("one")
    work = asyncio.create_task(observe(pool, looker, stop, QUICK))
    await asyncio.wait_for(looker.began.wait(), 30)
    stop.set()
    await asyncio.wait_for(work, 30)
    assert (looker.closed, await stored(pool)) == (1, [])


async def test_the_newest_look_is_shown_until_it_is_old(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    showing, stop = Shown([KIND]), asyncio.Event()
    assert math.isnan(shown(showing)[LOOK_AGE.name]["counting",])
    reading = asyncio.create_task(showing.keep_reading(pool, stop, every=0.01))
    async with pool.acquire() as connection:
        for number in (1, 2):
            await looks.add(connection, "counting", f'"one {number}"'.encode(), 600)

            async def is_shown(number: int = number) -> bool:
                return shown(showing).get("counted") == {("one",): number}

            await until(is_shown)
        await connection.execute("UPDATE fleet_looks SET looked_at = looked_at - interval '2 min'")

    async def is_old() -> bool:
        return "counted" not in shown(showing)

    await until(is_old)
    assert shown(showing)[LOOK_AGE.name]["counting",] > OLD_SECONDS
    stop.set()
    await reading
