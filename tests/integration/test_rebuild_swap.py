"""The exchange of rebuilt and live tables while both are written and read, and its taking back."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator

import pytest
from msgspec import Struct

from consumers.live import PRACTICE_DAYS
from ops.rebuild import swapping
from ops.rebuild.shadow import NotReattachable, ShapeChanged
from ops.rebuild.states import SwapWaits
from ops.rebuild.swapping import NothingToRollBack
from runtime.database import database
from runtime.settings import Settings
from schemas.events import Event
from store.pool import Pool
from tests.conftest import projecting
from tests.events import fetched, laps
from tests.integration.test_rebuild import execute, fetch, projected, rebuild, send_bad, verified
from tests.members import EVENTS, send, stored, tables, undisturbed, until, until_at

NEWS = [fetched(10 + number, "1", laps=laps(number)) for number in range(1, 6)]


async def take_back(settings: Settings) -> None:
    found = await swapping.take_back(settings, PRACTICE_DAYS)
    assert found.state == "rolled_back"


async def announced(pool: Pool) -> list[object]:
    return await fetch(pool, "SELECT seq, id FROM outbox ORDER BY seq")


async def test_a_corrupted_table_is_mended_by_a_rebuild(settings: Settings, pool: Pool) -> None:
    await projected(settings, pool)
    right = await tables(pool)
    await execute(pool, "UPDATE race_results SET laps_completed = 99")
    await execute(pool, "DELETE FROM laps")
    with pytest.raises(SwapWaits):
        await rebuild(settings)
    assert await tables(pool) != right
    assert (await rebuild(settings, accept=True)).state == "swapped"
    assert await tables(pool) == right
    assert (await verified(settings)).equal


async def test_a_swap_announces_nothing_and_the_projection_goes_on_behind_it(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))
        before = await announced(pool)
        assert (await rebuild(settings)).state == "swapped"
        await send(settings, NEWS[:1])
        await until_at(pool, settings, len(EVENTS) + 1)
        assert len(await announced(pool)) == len(before) + 1
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, *NEWS[:1]])


async def test_taking_back_brings_rows_and_position_back_and_announces_nothing_again(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))
        await rebuild(settings)
        await send(settings, NEWS)
        await until_at(pool, settings, len(EVENTS) + len(NEWS))
        before = await announced(pool)
    right = await tables(pool)
    await take_back(settings)
    assert sum((await stored(pool, settings)).values()) == len(EVENTS)
    assert await tables(pool) != right
    with pytest.raises(NothingToRollBack):
        await swapping.take_back(settings, PRACTICE_DAYS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS) + len(NEWS))
        assert await announced(pool) == before
        await send(settings, [fetched(99, "2")])
        await until_at(pool, settings, len(EVENTS) + len(NEWS) + 1)
        assert len(await announced(pool)) == len(before) + 1
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, *NEWS, fetched(99, "2")])


class Readers(Struct):
    """What readers saw: how often they read, and the fewest rows."""

    reads: int = 0
    fewest: int = 1_000_000


@contextlib.asynccontextmanager
async def reading(pool: Pool, query: str, role: str) -> AsyncGenerator[Readers]:
    """Somebody who reads all the time with one prepared statement, as a role that may only read."""
    seen, over = Readers(), asyncio.Event()

    async def read() -> None:
        async with pool.acquire() as connection:
            await connection.execute(f"SET ROLE {role}")
            while not over.is_set():
                seen.fewest = min(seen.fewest, await connection.fetchval(query))
                seen.reads += 1
            await connection.execute("RESET ROLE")

    task = asyncio.create_task(read())
    try:
        yield seen
    finally:
        over.set()
        await task


@contextlib.asynccontextmanager
async def loaded(settings: Settings) -> AsyncGenerator[list[Event]]:
    """Events come all the time."""
    sent: list[Event] = []
    over = asyncio.Event()

    async def send_on() -> None:
        while not over.is_set():
            event = fetched(100 + len(sent), "2", laps=laps(5 + len(sent) % 3))
            await send(settings, [event])
            sent.append(event)

    task = asyncio.create_task(send_on())
    try:
        yield sent
    finally:
        over.set()
        await task


ROLE = f"swap_reader_{os.getpid()}"
SETUP = f"""
DROP ROLE IF EXISTS {ROLE};
CREATE ROLE {ROLE};
GRANT USAGE ON SCHEMA practice_days TO {ROLE};
GRANT SELECT ON practice_days.laps TO {ROLE};
GRANT SELECT (id) ON practice_days.races TO {ROLE};
CREATE SCHEMA reports;
GRANT USAGE ON SCHEMA reports TO {ROLE};
CREATE VIEW reports.lap_counts WITH (security_barrier = true)
    AS SELECT count(*) AS laps FROM practice_days.laps;
CREATE VIEW reports.over_it AS SELECT laps + 0 AS laps FROM reports.lap_counts;
GRANT SELECT ON reports.over_it TO {ROLE};
CREATE VIEW practice_days.inside AS SELECT id FROM practice_days.races;
"""


async def test_readers_read_on_while_tables_are_swapped_and_taken_back(
    settings: Settings, pool: Pool
) -> None:
    await send(settings, EVENTS)
    await execute(pool, SETUP)
    queries = [
        "SELECT count(*) FROM practice_days.laps",
        "SELECT laps FROM reports.over_it",
        "SELECT count(*) FROM laps",
    ]
    async with projecting(settings), database(settings, size=4) as side, contextlib.AsyncExitStack() as stack:
        await until_at(pool, settings, len(EVENTS))
        sent = await stack.enter_async_context(loaded(settings))
        readers = [await stack.enter_async_context(reading(side, query, ROLE)) for query in queries]
        for _ in range(2):
            assert (await rebuild(settings, accept=True)).state == "swapped"
        await take_back(settings)
        before = [one.reads for one in readers]
        await until(lambda: read_on(readers, before))
        await stack.aclose()
    assert min(one.fewest for one in readers) >= 3
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS) + len(sent))
    left = await tables(pool)
    assert (await fetch(pool, "SELECT laps FROM reports.over_it")) == await fetch(
        pool, "SELECT count(*) FROM laps"
    )
    assert await fetch(pool, "SELECT id FROM inside") == await fetch(pool, "SELECT id FROM races")
    assert "security_barrier" in str(
        await fetch(pool, "SELECT reloptions FROM pg_class WHERE relname = 'lap_counts'")
    )
    assert (await verified(settings)).equal
    assert left == await undisturbed(pool, [*EVENTS, *sent])
    await execute(pool, f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


async def read_on(readers: list[Readers], before: list[int]) -> bool:
    return all(one.reads > reads for one, reads in zip(readers, before, strict=True))


async def test_rights_are_those_of_the_live_tables_also_where_some_were_taken_since(
    settings: Settings, pool: Pool
) -> None:
    await projected(settings, pool)
    await execute(
        pool, f"DROP ROLE IF EXISTS {ROLE}; CREATE ROLE {ROLE}; GRANT SELECT ON laps, races TO {ROLE}"
    )
    await rebuild(settings)
    await execute(
        pool, f"REVOKE SELECT ON races FROM {ROLE}; GRANT SELECT ON drivers TO {ROLE} WITH GRANT OPTION"
    )
    await take_back(settings)
    rights = await fetch(
        pool,
        "SELECT table_name, is_grantable FROM information_schema.role_table_grants"
        f" WHERE grantee = '{ROLE}' AND table_schema = 'practice_days' ORDER BY 1",
    )
    assert [tuple(one) for one in rights] == [("drivers", "YES"), ("laps", "NO")]
    await execute(pool, f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


async def test_a_swap_waits_for_who_reads_with_a_snapshot_from_before_the_tables_were_filled(
    settings: Settings, pool: Pool
) -> None:
    await projected(settings, pool)
    async with database(settings, size=1) as side, side.acquire() as reader:
        async with reader.transaction(isolation="repeatable_read"):
            found = await reader.fetchval("SELECT count(*) FROM laps")
            working = asyncio.create_task(rebuild(settings))

            async def verified() -> bool:
                return bool(await fetch(pool, "SELECT FROM rebuilds WHERE state = 'verified'"))

            await until(verified)
            assert await reader.fetchval("SELECT count(*) FROM laps") == found
        assert (await working).state == "swapped"


async def test_what_can_not_be_carried_over_is_named_before_anything_is_made(
    settings: Settings, pool: Pool
) -> None:
    await projected(settings, pool)
    await execute(pool, "CREATE MATERIALIZED VIEW public.frozen AS SELECT * FROM practice_days.laps")
    with pytest.raises(NotReattachable, match=r"public\.frozen"):
        await rebuild(settings)


async def test_tables_that_were_migrated_meanwhile_are_not_swapped(settings: Settings, pool: Pool) -> None:
    await projected(settings, pool)
    await rebuild(settings)
    await execute(pool, "ALTER TABLE laps ADD COLUMN weather text")
    with pytest.raises(ShapeChanged, match="weather"):
        await swapping.take_back(settings, PRACTICE_DAYS)
    left = await tables(pool)
    assert (await rebuild(settings)).state == "swapped"
    assert await tables(pool) == left


async def test_records_that_were_redriven_into_tables_that_go_wait_anew(
    settings: Settings, pool: Pool
) -> None:
    await projected(settings, pool)
    await send_bad(settings)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS) + 1)
    redriven = "UPDATE parked_records SET state = 'redriven', settled_at = now(), settled_by = 'somebody'"
    states_of = "SELECT state FROM parked_records"
    await execute(pool, redriven)
    await rebuild(settings)
    assert [one["state"] for one in await fetch(pool, states_of)] == ["parked"]
    await execute(pool, redriven)
    await take_back(settings)
    assert [one["state"] for one in await fetch(pool, states_of)] == ["parked"]
