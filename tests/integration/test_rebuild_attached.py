"""What hangs on the live tables: carried over by each rebuild and back, or named before anything is made."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from consumers.live import PRACTICE_DAYS
from ops.rebuild import attached, shadow, swapping
from ops.rebuild.report import lines
from ops.rebuild.shadow import NotReattachable
from runtime.settings import Settings
from store.pool import Pool, connect
from tests.conftest import projecting
from tests.events import fetched, laps
from tests.integration.test_rebuild import execute, fetch, projected, rebuild, verified
from tests.members import EVENTS, send, tables, undisturbed, until_at
from tests.pg_dump import dumped

NAME = f"attached_{os.getpid()}"

EVERYTHING = Path(__file__).with_name("attached.sql").read_text().replace(":name", NAME)


@pytest.fixture
async def hung(settings: Settings, pool: Pool) -> AsyncGenerator[None]:
    """The live tables, filled, with one of each kind of thing on them."""
    await projected(settings, pool)
    connection = await connect(settings.postgres_dsn)
    await connection.execute("SET allow_in_place_tablespaces = on")
    await connection.execute(f"CREATE TABLESPACE {NAME} LOCATION ''")
    await connection.close()
    await execute(pool, EVERYTHING)
    yield
    await execute(pool, "DROP SCHEMA reports CASCADE")
    for schema in ("practice_days_before", "practice_days_shadow", "practice_days"):
        await execute(pool, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    await execute(pool, f"DROP OWNED BY {NAME}; DROP ROLE {NAME}")
    await execute(pool, f"DROP TABLESPACE {NAME}")


async def hanging(settings: Settings, pool: Pool) -> tuple[set[str], set[str]]:
    """What hangs on the live tables: as pg_dump says, and as the catalog does."""
    async with pool.acquire() as connection, connection.transaction():
        await shadow.name_everything(connection)
        found = await attached.lines(connection, "practice_days")
    return await dumped(settings.postgres_dsn, "practice_days_before"), found


@pytest.mark.usefixtures("hung")
async def test_everything_is_there_after_two_rebuilds_and_after_taking_the_second_one_back(
    settings: Settings, pool: Pool
) -> None:
    dump, catalog = await hanging(settings, pool)
    assert len(dump) > 150
    for _ in range(2):
        assert (await rebuild(settings)).state == "swapped"
        assert await hanging(settings, pool) == (dump, catalog)
    await swapping.take_back(settings, PRACTICE_DAYS)
    assert await hanging(settings, pool) == (dump, catalog)
    await works(settings, pool)


async def works(settings: Settings, pool: Pool) -> None:
    """What is defined by the tables is defined by those that are live, and they are written."""
    await send(settings, [fetched(99, "2", laps=laps(7))])
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS) + 1)
    count = (await fetch(pool, "SELECT count(*) AS found FROM practice_days.laps"))[0]["found"]
    assert count == 7
    for query in ("SELECT laps AS found FROM reports.over_it", "SELECT reports.count_laps() AS found"):
        assert (await fetch(pool, query))[0]["found"] == count
    assert (await verified(settings)).equal
    published = "SELECT pubname, schemaname, tablename FROM pg_publication_tables WHERE tablename = 'laps'"
    assert {(one["pubname"], one["schemaname"]) for one in await fetch(pool, published)} == {
        (f"{NAME}_rows", "practice_days"),
        (f"{NAME}_schema", "practice_days"),
        (f"{NAME}_all", "practice_days"),
        (f"{NAME}_all", "practice_days_before"),
    }
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, fetched(99, "2", laps=laps(7))])


@pytest.mark.usefixtures("hung")
async def test_what_changed_since_the_swap_is_taken_back_with_it(settings: Settings, pool: Pool) -> None:
    await rebuild(settings)
    await execute(
        pool,
        "DROP POLICY own_policy ON races; ALTER TABLE races DISABLE ROW LEVEL SECURITY;"
        " ALTER TABLE laps RESET (fillfactor, toast.autovacuum_enabled), ENABLE TRIGGER off_trigger;"
        " DROP RULE own_rule ON tracks; ALTER TABLE observations REPLICA IDENTITY DEFAULT;"
        " COMMENT ON TABLE laps IS NULL; COMMENT ON TABLE races IS 'new';"
        " DROP STATISTICS practice_days.own_statistics, reports.other_statistics;"
        " CREATE STATISTICS practice_days.newer ON lap_number, is_valid FROM practice_days.laps;"
        f" ALTER PUBLICATION {NAME}_rows DROP TABLE laps; ALTER PUBLICATION {NAME}_rows ADD TABLE drivers;"
        " ALTER TABLE laps ALTER COLUMN lap_time_raw SET STATISTICS -1, ALTER COLUMN lap_time_raw RESET "
        f"(n_distinct); ALTER DEFAULT PRIVILEGES IN SCHEMA practice_days REVOKE SELECT ON TABLES FROM {NAME};"
        " ALTER TABLE races SET WITHOUT CLUSTER",
    )
    before = await hanging(settings, pool)
    await swapping.take_back(settings, PRACTICE_DAYS)
    assert await hanging(settings, pool) == before


REFUSED = {
    "a materialised view": (
        "CREATE MATERIALIZED VIEW public.frozen AS SELECT * FROM laps",
        "view public.frozen, which needs table practice_days.laps",
    ),
    "a foreign key": (
        "CREATE TABLE public.notes (race uuid REFERENCES races)",
        "table constraint notes_race_fkey on public.notes, which needs",
    ),
    "a child": (
        "CREATE TABLE public.more () INHERITS (laps)",
        "table public.more, which needs table practice_days.laps",
    ),
    "a parent": (
        "CREATE TABLE public.parent (LIKE drivers); ALTER TABLE drivers INHERIT public.parent",
        "table public.parent of table practice_days.drivers",
    ),
    "a row type": (
        "CREATE TABLE public.kept (one laps)",
        "table column public.kept.one, which needs type practice_days.laps",
    ),
    "a routine of rows": (
        "CREATE FUNCTION public.rows_of() RETURNS SETOF laps LANGUAGE sql AS 'TABLE practice_days.laps'",
        "function public.rows_of(), which needs type practice_days.laps",
    ),
    "a view of rows": (
        "CREATE VIEW public.whole AS SELECT l FROM laps AS l",
        "cannot change data type of view column",
    ),
    "a sequence": (
        "CREATE SEQUENCE practice_days.numbers",
        "sequence practice_days.numbers in the schema",
    ),
    "a type": ("CREATE DOMAIN practice_days.lap AS integer", "type practice_days.lap in the schema"),
    "a policy elsewhere": (
        """CREATE TABLE public.guarded (id uuid);
        CREATE POLICY seen ON public.guarded USING (id IN (SELECT r.id FROM practice_days.races AS r))""",
        "policy seen on public.guarded, which needs table practice_days.races",
    ),
    "a table that is not logged": (
        "ALTER TABLE laps SET UNLOGGED",
        "relpersistence of table practice_days.laps: u",
    ),
}
"""Statements that make something, and what is said of it."""


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_is_not_carried_over_is_named_before_anything_is_made(
    settings: Settings, pool: Pool, kind: str
) -> None:
    await projected(settings, pool)
    make, named = REFUSED[kind]
    await execute(pool, make)
    before = await hanging(settings, pool)
    with pytest.raises(NotReattachable) as caught:
        await rebuild(settings)
    assert named in str(caught.value)
    assert await hanging(settings, pool) == before
    async with pool.acquire() as connection:
        assert not await shadow.exists(connection, "practice_days_shadow")
    assert (await verified(settings)).equal


async def test_what_comes_to_hang_on_the_tables_meanwhile_is_not_lost_either(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await projected(settings, pool)
    await execute(pool, "DELETE FROM laps")
    exchanged = shadow.exchange

    async def late(*arguments: object) -> None:
        await execute(pool, "CREATE MATERIALIZED VIEW public.late AS SELECT * FROM laps")
        await exchanged(*arguments)  # pyright: ignore[reportArgumentType] - passed on as they are

    monkeypatch.setattr("ops.rebuild.states.rehearse", nothing)
    monkeypatch.setattr(shadow, "exchange", late)
    with pytest.raises(NotReattachable, match=r"view public\.late"):
        await rebuild(settings, accept=True)


async def nothing(*_: object) -> None:
    """In place of a rehearsal."""


async def test_a_report_says_whom_the_changes_are_not_sent_to(settings: Settings, pool: Pool) -> None:
    await projected(settings, pool)
    await execute(pool, f"CREATE PUBLICATION {NAME}_laps FOR TABLE laps")
    assert not [line for line in lines(await verified(settings)) if NAME in line]
    await execute(pool, "UPDATE laps SET lap_time_raw = '1' WHERE lap_number = 1")
    [said] = [line for line in lines(await verified(settings)) if NAME in line]
    assert said.startswith(f"published by {NAME}_laps:")
