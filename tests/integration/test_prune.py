"""Retention: what ended long ago goes, and whatever is asked of the rest is answered as before."""

import asyncio
import datetime as dt
import signal
from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from ops.backfill import queries as backfills
from ops.backfill.queries import Months
from ops.parked import queries as parked
from ops.parked.queries import Key, RecordPlace, Selection
from ops.prune import background, pruning, queries
from ops.prune.queries import Cut
from ops.rebuild import queries as rebuilds
from ops.reparse import queries as reparse
from ops.reparse.queries import BEFORE_ALL, Scope
from runs import changes as run_changes
from runs import run as runs
from runs.run import Run
from runtime.database import connected, database
from runtime.settings import Settings
from sandbox.sample_site.site import SampleSite
from schemas.records import HeldRecord
from schemas.scopes import Scope as ApiScope
from schemas.topics import Topics
from server.http.idempotency import keep
from store.parking import park
from store.parking import parked as as_parked
from store.pool import Connection, Pool
from telemetry import metrics
from tests import locks
from tests.api import asking, data_of, error_of, settings_of
from tests.commands import Ended, ended_beside
from tests.conftest import DAY, TRACK, at, working
from tests.events import DATE, DAY_ID, fetched, list_failed
from tests.imports import import_day
from tests.integration.test_backfill import put_days
from tests.integration.test_provenance import until_pages, why
from tests.integration.test_rebuild import rebuild, send_bad, verified
from tests.integration.test_rebuild_states import in_a_process
from tests.integration.test_runs import LISTED, apply, asked, failed, of, planned
from tests.members import tables, until, waits_for_a_lock

YEAR = dt.timedelta(days=365)
BEFORE = dt.datetime.now(dt.UTC) - YEAR / 2
QUEUES = (Topics().requests, Topics().details)
CUT = Cut(BEFORE, QUEUES)


OPERATIONS = {
    "ingest_runs": ("requested_at", "finished_at"),
    "ingest_run_sessions": ("requested_at",),
    "parked_records": ("settled_at",),
    "rebuilds": ("finished_at",),
    "backfills": ("finished_at",),
    "idempotency_keys": ("created_at",),
}
ALL = OPERATIONS | {"observations": ("observed_at",)}


async def long_ago(
    connection: Connection, days: int = 365, tables: Mapping[str, tuple[str, ...]] = ALL
) -> None:
    """Let all that is there have happened so much earlier."""
    for table, columns in tables.items():
        earlier = ", ".join(f"{one} = {one} - make_interval(days => {days})" for one in columns)
        await connection.execute(f"UPDATE {table} SET {earlier}")


async def pruned(connection: Connection, cut: Cut = CUT) -> dict[str, int]:
    """What a pruning takes, which is what was counted before."""
    found = await queries.count(connection, cut)
    taken = await pruning.delete(connection, cut, lambda _: None, asyncio.Event())
    assert taken == {what: one.rows for what, one in found.items()}
    assert not any(one.rows for one in (await queries.count(connection, cut)).values())
    return {what: rows for what, rows in taken.items() if rows}


async def left(connection: Connection) -> set[UUID]:
    return {row["id"] for row in await connection.fetch("SELECT id FROM ingest_runs")}


async def completed(connection: Connection, second: float = 2) -> Run:
    """A run all of whose sessions came in."""
    run = await planned(connection)
    for event in (LISTED, *(fetched(second, one) for one in "123")):
        await apply(connection, [await of(connection, run, event)])
    return run


async def partial(connection: Connection) -> Run:
    """A run of whose sessions one failed."""
    run = await planned(connection)
    for event in (LISTED, fetched(2, "1"), fetched(2, "2"), failed("3")):
        await apply(connection, [await of(connection, run, event)])
    return run


async def answers(connection: Connection) -> dict[str, Any]:
    """What the next import, and a reparse, find out about days by the runs."""
    days = await reparse.days_after(connection, Scope("liverc"), BEFORE_ALL, 100)
    ids = [day.event_id for day in days]
    seen = {record["session_id"] for record in await reparse.observations(connection, ids)}
    asked = {(one.event_id, one.session_id) for one in await reparse.asked(connection, ids)}
    return {
        "days": days,
        "stored": [await runs.stored_details(connection, one) for one in ids],
        "asked": {one for one in asked if one[1] not in seen},
    }


async def test_ended_runs_go_with_their_sessions_and_nobody_else_misses_them(connection: Connection) -> None:
    """Also a failure that a later detail made good; not what is at work, and not what ended lately."""
    await partial(connection)
    await completed(connection, 20)
    await long_ago(connection)
    await connection.execute("UPDATE observations SET observed_at = now() WHERE kind = 'detail'")
    young, before = await completed(connection, 30), await answers(connection)
    at_work = await planned(connection)
    await connection.execute("UPDATE ingest_runs SET requested_at = '2020-01-01' WHERE id = $1", at_work.id)
    assert await pruned(connection) == {"runs": 2}
    assert await left(connection) == {young.id, at_work.id}
    assert await connection.fetchval("SELECT count(DISTINCT run_id) FROM ingest_run_sessions") == 2
    assert await answers(connection) == before


async def test_a_failure_that_stands_is_kept_and_the_next_import_fetches_the_session_again(
    connection: Connection,
) -> None:
    """Its detail is stored from before: only the run knows that the page failed since."""
    await completed(connection)
    await connection.execute("UPDATE observations SET observed_at = now() - interval '2 years'")
    await partial(connection)
    newer = await partial(connection)
    await connection.execute(
        "UPDATE ingest_run_sessions SET requested_at = requested_at + interval '1 hour' WHERE run_id = $1",
        newer.id,
    )
    await long_ago(connection)
    before = await answers(connection)
    assert before["stored"][0].keys() == {"1", "2"}
    assert await pruned(connection) == {"runs": 2}
    assert await left(connection) == {newer.id}
    assert await answers(connection) == before


async def list_that_failed(connection: Connection) -> Run:
    run = await asked(connection)
    await apply(connection, [await of(connection, run, list_failed(1))])
    return run


async def test_the_newest_run_of_a_day_that_is_not_stored_is_kept(connection: Connection) -> None:
    """A reparse knows of the day by it: its page is in the archive, and may be read by a later parser."""
    await list_that_failed(connection)
    run = await list_that_failed(connection)
    await long_ago(connection)
    before = await answers(connection)
    assert len(before["days"]) == 1
    assert await pruned(connection) == {"runs": 1}
    assert await left(connection) == {run.id}
    assert await answers(connection) == before


async def test_a_run_of_a_backfill_goes_with_it_when_that_is_finished(
    connection: Connection,
) -> None:
    months = Months("liverc", "track", DATE.replace(day=1), DATE.replace(day=1), "all")
    backfill = await backfills.open_backfill(connection, months)
    await backfills.discovered(connection, backfill, months.from_month, {DATE: 3})
    assert await backfills.feed(connection, backfill)
    [run] = await runs.find(connection)
    run, _ = await run_changes.cancel(connection, run.id)
    await apply(connection, [await of(connection, run, LISTED)])  # the day is stored, by whomever
    await backfills.settle(connection, backfill, DATE, run)
    await long_ago(connection)
    assert await pruned(connection) == {}
    await backfills.prepare(connection, backfill, None)  # it goes on: the day waits anew
    assert await backfills.feed(connection, backfill)
    await connection.execute("UPDATE ingest_runs SET state = 'completed', finished_at = now()")
    await connection.execute("UPDATE backfill_days SET state = 'completed'")
    await backfills.discovered(connection, backfill, months.from_month, {DATE: 3})
    assert await backfills.finish(connection, backfill)
    await long_ago(connection, 730)
    assert await pruned(connection) == {"backfills": 1, "runs": 2}
    assert await connection.fetchval("SELECT count(*) FROM backfill_days") == 0


async def test_a_run_that_failed_for_a_parked_record_waits_for_it(
    connection: Connection,
) -> None:
    run = await planned(connection)
    for event in (LISTED, fetched(2, "1"), fetched(2, "2"), fetched(2, "3")):
        await apply(connection, [await of(connection, run, event)])
    await connection.execute(
        "UPDATE ingest_run_sessions SET state = 'failed', code = 'parked_x', requested_at = '2020-01-01'"
        " WHERE session_id = '3'"
    )
    place = await parked_at(connection, QUEUES[1], 0)
    await long_ago(connection)
    assert await pruned(connection) == {}
    await parked.discarded(connection, [Key("group", *place)], "none", "somebody")
    assert await pruned(connection) == {"runs": 1}


async def test_a_run_that_is_taken_up_again_meanwhile_stays(dsn: str) -> None:
    """The pruning waits for who holds it, and looks again."""
    async with (
        database(settings_of(dsn), size=4) as pool,
        pool.acquire() as connection,
        pool.acquire() as other,
        pool.acquire() as third,
    ):
        run = await partial(connection)
        await completed(connection, 20)
        await long_ago(connection)
        await connection.execute("UPDATE observations SET observed_at = now()")
        async with other.transaction():
            await other.execute("SELECT FROM ingest_runs WHERE id = $1 FOR UPDATE", run.id)
            task = asyncio.create_task(pruning.prune(third, CUT, lambda _: None))
            await until(lambda: waits_for_a_lock(pool))
            await run_changes.retry_failed(other, run.id)
        assert (await task)["runs"] == 1
        assert await left(connection) == {run.id}
        assert (await runs.progress(connection, run.id)).waiting == 1


async def many(connection: Connection, count: int) -> None:
    """So many runs of one day, each with two sessions, which ended long ago."""
    await connection.execute(
        "INSERT INTO ingest_runs (id, source, track_slug, event_date, event_id, refresh, state, requested_at,"
        " finished_at) SELECT gen_random_uuid(), 'liverc', 'track', $1, $2, 'all', 'completed',"
        " now() - interval '1 year' + make_interval(secs => n), now() - interval '1 year'"
        " FROM generate_series(1, $3) AS n",
        *(DATE, DAY_ID, count),
    )
    await connection.execute(
        "INSERT INTO ingest_run_sessions (run_id, session_id, state, requested_at, request_id)"
        " SELECT id, n::text, 'done', requested_at, n::text FROM ingest_runs, generate_series(1, 2) AS n"
    )


async def test_a_pruning_that_is_killed_leaves_whole_runs_and_goes_on(dsn: str) -> None:
    settings = settings_of(dsn)
    async with database(settings, size=3) as pool, pool.acquire() as connection, pool.acquire() as other:
        await many(connection, 150)
        async with other.transaction():
            await other.execute(
                "SELECT FROM ingest_runs WHERE id = (SELECT id FROM ingest_runs ORDER BY requested_at"
                " OFFSET 120 LIMIT 1) FOR UPDATE"
            )
            process = await in_a_process(settings, "prune", "--before", "180d", "--yes")
            await until(lambda: waits_for_a_lock(pool))
            assert len(await left(connection)) == 50
            process.send_signal(signal.SIGKILL)
            await process.wait()
        for per_run in await connection.fetch("SELECT count(*) FROM ingest_run_sessions GROUP BY run_id"):
            assert per_run["count"] == 2
        assert (await pruning.prune(connection, CUT, lambda _: None))["runs"] in {0, 49}
        assert len(await left(connection)) == 1


async def test_the_command_says_what_goes_and_asks_first(dsn: str) -> None:
    settings = settings_of(dsn)
    async with connected(settings) as connection:
        await many(connection, 3)

        async def said(*arguments: str) -> Ended:
            return await ended_beside(settings, "prune", *arguments)

        young = await said("--before", "29d", "--yes")
        assert (young.code, "within 30 days" in young.err) == (2, True)
        would = await said("--before", "180d", "--dry-run")
        assert (would.code, "ended runs" in would.out) == (0, True)
        asked_first = await said("--before", "180d")
        assert (asked_first.code, "Delete 2 of what ended" in asked_first.err) == (1, True)
        assert len(await left(connection)) == 3
        done = await said("--before", "180d", "--yes", "--json")
        assert done.code == 0
        assert msgspec.json.decode(done.out)["pruned"]["runs"] == 2
        again = await said("--before", "180d")
        assert (again.code, again.out) == (0, "nothing was to be deleted\n")


async def parked_at(
    connection: Connection, topic: str, offset: int, value: bytes | None = b"{", group: str = "group"
) -> RecordPlace:
    record = HeldRecord(topic, 0, offset, 1_700_000_000_000, b"key", value, (("ce_id", b"1"),))
    async with connection.transaction():
        await park(connection, group, [as_parked(record, "bad_json", "why")], 100)
    return RecordPlace(topic, 0, offset)


async def states(connection: Connection) -> list[tuple[Any, ...]]:
    found = await connection.fetch(
        "SELECT topic, record_offset, state, record_value IS NULL FROM parked_records ORDER BY 1, 2"
    )
    return [tuple(row) for row in found]


async def test_a_settled_record_of_the_log_is_known_again_without_its_bytes(connection: Connection) -> None:
    """A projector that meets it again, after a roll-back, leaves it settled; another record is parked."""
    log, [queue, _] = Topics().days, QUEUES
    for offset in range(4):
        await parked_at(connection, log, offset)
    await parked_at(connection, queue, 0)
    keys = [Key("group", log, 0, offset) for offset in range(4)]
    await parked.discarded(connection, [keys[0], Key("group", queue, 0, 0)], "none", "somebody")
    await parked.fixed(connection, [keys[1]], RecordPlace(log, 0, 9), "somebody")
    await parked.redriven(connection, {keys[2]: None}, "somebody")
    whole = await parked.read(connection, keys[:1])
    await long_ago(connection)
    assert await pruned(connection) == {"parked_records": 1, "parked_bytes": 2}
    held = [
        (log, 0, "discarded", True),
        (log, 1, "fixed", True),
        (log, 2, "redriven", False),
        (log, 3, "parked", False),
    ]
    assert await states(connection) == held
    [bare] = await parked.read(connection, keys[:1])
    assert bare.known_by == whole[0].known_by
    assert await rebuilds.parked_events(connection, "group") == {b"1".hex(): "parked"}
    for offset in (0, 1):
        await parked_at(connection, log, offset)
    assert await states(connection) == held
    await parked_at(connection, log, 0, b"[")
    assert (await states(connection))[0] == (log, 0, "parked", False)


async def test_the_newest_swap_and_tables_that_are_there_keep_their_rebuilds(connection: Connection) -> None:
    async def finished(purpose: Any, shadow: str, *path: Any) -> UUID:
        until_ = None if purpose != "until" else BEFORE
        found = await rebuilds.open_rebuild(connection, "practice-days", purpose, shadow, until_)
        for state in path:
            await rebuilds.move(connection, found, state)
            found = await rebuilds.read(connection, found.id)
        return found.id

    await finished("swap", "a", "verified", "swapped")
    swap = await finished("swap", "a", "verified", "swapped")
    await finished("verify", "b", "checked")
    await finished("until", "gone", "built")
    built = await finished("until", "there", "built")
    await connection.execute("CREATE SCHEMA there")
    at_work = await finished("verify", "b", "replaying")
    await long_ago(connection)
    assert await pruned(connection) == {"rebuilds": 3}
    found = await connection.fetch("SELECT id FROM rebuilds")
    assert {row["id"] for row in found} == {swap, built, at_work}
    assert await rebuilds.newest_swap(connection, "practice-days")


async def test_a_pruned_run_is_not_found_and_a_list_goes_on_behind_it(dsn: str) -> None:
    settings = settings_of(dsn)
    async with connected(settings) as connection, asking(settings, ApiScope.read, ApiScope.ingest) as api:
        newest_first = [(await completed(connection, second)).id for second in (10, 20, 30)][::-1]
        page = data_of(await api.get("/ingest-runs", params={"limit": 1}))
        await connection.execute("DELETE FROM ingest_runs WHERE id = $1", newest_first[0])
        rest = await api.get("/ingest-runs", params={"limit": 9, "cursor": page["next_cursor"]})
        assert [UUID(one["run_id"]) for one in data_of(rest)["items"]] == newest_first[1:]
        path = f"/ingest-runs/{newest_first[0]}"
        gone = [
            await api.get(path),
            await api.delete(path),
            await api.post(f"{path}/retry-failed"),
            await api.get(f"{path}/events"),
        ]
        for answer in gone:
            assert "it ended long ago and was pruned" in error_of(answer, 404)["message"]


async def test_the_relay_s_role_prunes_what_is_older_than_the_settings_say(dsn: str) -> None:
    settings = at(settings_of(dsn), prune_after_days=180)
    stop = asyncio.Event()
    async with database(settings, size=2) as pool, pool.acquire() as connection:
        await many(connection, 3)
        caller = uuid4()
        await keep(connection, caller, "a key", "digest", (await runs.find(connection))[0].id)
        await long_ago(connection, 0)
        await background.prune_now_and_then(at(settings, prune_after_days=0), pool, stop)
        assert len(await left(connection)) == 3
        task = asyncio.create_task(background.prune_now_and_then(settings, pool, stop))

        async def done() -> bool:
            return len(await left(connection)) == 1

        await until(done)
        stop.set()
        await task
    assert b'lapstream_pruned_rows_total{what="runs"}' in metrics.exposition()[0]


async def test_tables_and_answers_stay_beside_an_import_and_a_rebuild(
    settings: Settings, site: SampleSite, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day is imported, a bad record discarded; both are old, and pruned over and over meanwhile."""
    noted, stop = locks.noting(monkeypatch), asyncio.Event()
    next_day = DAY + dt.timedelta(days=1)
    put_days(site, {DAY: 3, next_day: 3})
    cut = Cut(BEFORE, (settings.topics.requests, settings.topics.details))
    async with working(settings), database(settings, size=2) as side, side.acquire() as connection:
        await import_day(settings)
        await discarded_by_all(settings, connection)
        await until_pages(pool, 4)  # where the pages lie is a part of why
        key, before = await a_lap(connection), await tables(pool)
        reason, report = await why(settings, "laps", key), await verified(settings)
        await long_ago(connection, tables=OPERATIONS)
        meanwhile = asyncio.create_task(over_and_over(side, cut, stop))
        again = await verified(settings)
        assert (again.equal, again.refused) == (report.equal, report.refused) == (True, 1)
        assert await why(settings, "laps", key) == reason
        assert await tables(pool) == before
        await import_day(settings, next_day)
        before = await tables(pool)
        assert (await rebuild(settings)).state == "swapped"
        assert await tables(pool) == before
        stop.set()
        assert await meanwhile == {"runs": 1, "parked_bytes": 2, "rebuilds": 1}
    assert noted.broken == []


async def discarded_by_all(settings: Settings, connection: Connection) -> None:
    """A record that is no event, parked by each projection and given up."""
    await send_bad(settings)

    async def by_both() -> bool:
        return len(await parked.find(connection, Selection())) == 2

    await until(by_both)
    heads = await parked.find(connection, Selection())
    await parked.discarded(connection, [one.at for one in heads], "none", "somebody")


async def a_lap(connection: Connection) -> str:
    return f"{TRACK}/{DAY}/{await connection.fetchval('SELECT min(source_race_id) FROM races')}/2"


async def over_and_over(pool: Pool, cut: Cut, stop: asyncio.Event) -> dict[str, int]:
    """Prune until told to stop; what went in all."""
    taken = Counter[str]()
    while not stop.is_set():
        async with pool.acquire() as connection:
            taken.update(await pruning.delete(connection, cut, lambda _: None, stop))
    return {what: rows for what, rows in taken.items() if rows}
