"""Health: what is silent for too long is stuck; what waits for others is not, however long that is."""

import asyncio

import pytest

from telemetry import health
from telemetry.health import BOUND_SECONDS

HOUR = 3_600.0


class Clock:
    """Time that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(health, "clock", clock)
    return clock


def test_a_process_that_does_nothing_is_live() -> None:
    assert (health.live().status, health.live().work) == ("ok", [])


def test_what_beats_is_live_and_what_is_silent_beyond_its_bound_is_stuck(clock: Clock) -> None:
    with health.working("relay"):
        clock.now += BOUND_SECONDS
        assert health.live().status == "ok"
        clock.now += 1
        found = health.live()
        assert (found.status, found.reasons) == (
            "stuck",
            ["relay has been silent for 121 s; 120 s are its bound"],
        )
        health.beat()
        assert health.live().status == "ok"
    assert health.live().work == []


def test_what_waits_for_others_is_live_and_begins_anew_afterwards(clock: Clock) -> None:
    with health.working("fetcher"):
        with health.waiting("its turn at the site"):
            clock.now += HOUR
            found = health.live()
            assert (found.status, found.work[0].waits_for) == ("ok", "its turn at the site")
        assert health.live().work[0].silent_seconds == 0
        clock.now += BOUND_SECONDS + 1
        assert health.live().status == "stuck"


def test_what_lacks_a_server_is_live_and_says_so_until_it_has_it(clock: Clock) -> None:
    with health.working("projector"):
        for _ in range(100):
            clock.now += 5
            health.lacks("the database does not answer")
        assert health.live().status == "ok"
        assert health.lacking() == ["projector: the database does not answer"]
        health.lacks(None)
        assert health.lacking() == []


def test_the_same_lack_of_several_members_is_told_once() -> None:
    with health.working("projector") as one, health.working("projector") as other:
        one.lacks("no answer")
        other.lacks("no answer")
        assert health.lacking() == ["projector: no answer"]


def test_a_probe_is_told_how_long_ago_what_was_done(clock: Clock) -> None:
    with health.working("projector"):
        health.beat("commit")
        clock.now += 2
        health.beat("poll")
        clock.now += 1
        [found] = health.seen()
    assert (found.began_seconds, found.silent_seconds, found.last) == (3, 1, {"commit": 3, "poll": 1})


async def test_tasks_beat_for_the_work_that_they_began_in(clock: Clock) -> None:
    async def task() -> None:
        health.beat("poll")

    with health.working("outer") as outer:
        with health.working("inner"):
            clock.now += 1
            await asyncio.create_task(task())
        assert outer.seen().last == {}
        await asyncio.create_task(task())
        assert outer.seen().last == {"poll": 0}
    health.beat("nobody's")
