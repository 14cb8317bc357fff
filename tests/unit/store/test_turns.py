"""Turns that go on after one for which the database was away, until they are told to stop."""

import asyncio

import pytest

from store.turns import take_turns
from telemetry import health


async def test_turns_go_on_after_one_for_which_the_database_was_away() -> None:
    stop, lacked, reported = asyncio.Event(), list[list[str]](), list[str]()

    async def turn() -> None:
        lacked.append(health.lacking())
        if len(lacked) == 1:
            raise ConnectionRefusedError(111, "refused")
        if len(lacked) == 3:
            stop.set()

    with health.working("turns"):
        await take_turns(turn, stop, every_seconds=0, end_seconds=1, away=reported.append)
        assert health.lacking() == []
    assert reported == ["Connection refused"]
    assert lacked == [[], ["turns: the database is away: Connection refused"], []]


async def test_an_error_that_is_not_the_databases_ends_them() -> None:
    async def turn() -> None:
        raise ValueError("of ours")

    with pytest.raises(ValueError, match="of ours"):
        await take_turns(turn, asyncio.Event(), every_seconds=0, end_seconds=1, away=print)
