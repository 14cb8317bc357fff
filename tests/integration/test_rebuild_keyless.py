"""Tables without a primary key, as the tutorial has them: compared, rebuilt and taken back."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

import pytest

from consumers.projection import Projection
from lapstream.roles import run_projector
from ops.rebuild import states, swapping
from ops.rebuild.queries import Purpose, Rebuild
from ops.rebuild.report import RebuildReport
from ops.rebuild.states import SwapWaits
from runtime.settings import Settings
from schemas.envelope import Received
from schemas.events import PracticeDayListed
from schemas.records import decode
from store import positions
from store.pool import Connection, Pool
from tests.events import listed, row
from tests.integration.test_rebuild import differing, execute, fetch, unseen
from tests.members import send, until

SETUP = """
CREATE SCHEMA keyless;
CREATE TABLE keyless.classes (
    day date NOT NULL, class_name text, sessions integer, UNIQUE NULLS NOT DISTINCT (day, class_name)
);
CREATE TABLE keyless."Seen" ("from" text, note text);
CREATE TABLE keyless.positions (LIKE practice_days.positions INCLUDING ALL);
"""


async def apply(connection: Connection, received: Sequence[Received]) -> None:
    """Of one list: how many sessions each class has, and each class once more for each session."""
    lists = [one.event for one in received if isinstance(one.event, PracticeDayListed)]
    names = [session.class_name for session in lists[-1].sessions] if lists else []
    for name in dict.fromkeys(names):
        count = names.count(name)
        await connection.execute("INSERT INTO classes VALUES ('2025-10-25', $1, $2)", name, count)
    for name in names:
        await connection.execute("""INSERT INTO "Seen" VALUES ($1, '')""", name)


KEYLESS = Projection(
    name="keyless", schema="keyless", topics=lambda topics: topics.event_log, decode=decode, apply=apply
)


@contextlib.asynccontextmanager
async def projecting(settings: Settings) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_projector(settings, stop, [KEYLESS]))
    try:
        yield
    finally:
        stop.set()
        await task


@pytest.fixture
async def filled(settings: Settings, pool: Pool) -> None:
    await execute(pool, SETUP)
    names = ("Open", "Open", "Buggy", None, None)
    rows = [row(str(number), class_name=name) for number, name in enumerate(names, 1)]
    await send(settings, [listed(1, *rows)])
    async with projecting(settings):
        await until(lambda: applied(settings, pool))


async def applied(settings: Settings, pool: Pool) -> bool:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = keyless, lapstream")
        return any((await positions.read(connection, KEYLESS.group(settings.topic_prefix))).values())


async def rebuild(settings: Settings, purpose: Purpose = "swap", *, accept: bool = False) -> Rebuild:
    return await states.rebuild(settings, KEYLESS, purpose, unseen, accept=accept)


async def verified(settings: Settings) -> RebuildReport:
    report = states.report_of(await rebuild(settings, "verify"))
    assert report
    return report


async def contents(pool: Pool) -> list[tuple[object, ...]]:
    found = await fetch(pool, "SELECT * FROM keyless.classes ORDER BY 2")
    return [tuple(one) for one in [*found, *await fetch(pool, 'SELECT * FROM keyless."Seen" ORDER BY 1')]]


@pytest.mark.usefixtures("filled")
async def test_equal_tables_are_equal_and_are_rebuilt_and_taken_back(settings: Settings, pool: Pool) -> None:
    right = await contents(pool)
    assert len(right) == 8
    assert (await verified(settings)).equal
    assert (await rebuild(settings)).state == "swapped"
    assert await contents(pool) == right
    await swapping.take_back(settings, KEYLESS)
    assert await contents(pool) == right


@pytest.mark.usefixtures("filled")
async def test_each_row_that_differs_is_named_once(settings: Settings, pool: Pool) -> None:
    await execute(
        pool,
        "UPDATE keyless.classes SET sessions = 9 WHERE class_name IS NULL;"
        "DELETE FROM keyless.classes WHERE class_name = 'Buggy';"
        """DELETE FROM keyless."Seen" WHERE ctid IN ("""
        """    SELECT min(ctid) FROM keyless."Seen" WHERE "from" = 'Open'"""
        ");"
        """INSERT INTO keyless."Seen" VALUES ('Buggy', ''), (NULL, 'by hand')""",
    )
    report = await verified(settings)
    found = differing(report)
    assert {(one.kind, one.key) for one in found["classes"]} == {
        ("changed", "day 2025-10-25, class_name None"),
        ("added", "day 2025-10-25, class_name Buggy"),
    }
    assert sorted((one.kind, one.key) for one in found["Seen"]) == [
        ("added", "from Open, note "),
        ("gone", "from Buggy, note "),
        ("gone", "from None, note by hand"),
    ]
    with pytest.raises(SwapWaits):
        await rebuild(settings)
    assert (await rebuild(settings, accept=True)).state == "swapped"
    assert (await verified(settings)).equal
