"""Runs: opened once, counted by identity whatever comes in which order, ended and announced once."""

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.live import PRACTICE_DAYS
from ops.imports import follow
from producer import planning
from runs import changes as run_changes
from runs import run as runs
from runs.changes import NothingFailed, RunNotFound, RunStillRunning
from runs.run import PlannedSession, Refresh, Run
from schemas.envelope import Context, Received, pack
from schemas.events import (
    Event,
    PracticeDayChanged,
    PracticeDayIngested,
    PracticeDayListed,
    PracticeDayRequested,
    SessionDetailFailed,
)
from schemas.identity import event_id, row_digest
from schemas.topics import Topics
from store.parking import ParkedRecord, parked
from store.pool import Connection, Pool
from tests.events import DATE, detail_failed, fetched, laps, list_failed, listed, received, row, seen

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
LISTED = listed(1, row("1"), row("2"), row("3"))


async def asked(connection: Connection, refresh: Refresh = "all") -> Run:
    """A run that was just asked for."""
    event = msgspec.structs.replace(request(), refresh=refresh)
    run, joined = await run_changes.request(connection, event)
    assert not joined
    return run


def request() -> PracticeDayRequested:
    return follow.request("liverc", "track", DATE)


async def planned(connection: Connection, refresh: Refresh = "all") -> Run:
    """A run whose sessions were put into the work queue."""
    run = await asked(connection, refresh)
    await plan(connection, run, LISTED)
    return run


async def plan(connection: Connection, run: Run, list_: PracticeDayListed) -> None:
    stored = await runs.stored_details(connection, run.event_id)
    found = planning.plan_details(list_, run.refresh, stored, NOW)
    sessions = [
        PlannedSession(
            one.request.session_id,
            "wanted" if one.wanted else "unchanged",
            one.request.start_time,
            one.request.list_row_digest,
            NOW,
            event_id(one.request),
        )
        for one in found
    ]
    await runs.plan(connection, run.id, sessions)
    await runs.planned(connection, run.id)


async def of(connection: Connection, run: Run, event: Event) -> Received:
    """An event of a run, as its envelope names it: a session's answers the newest request for it."""
    session_id = getattr(event, "session_id", None)
    causation = await connection.fetchval(
        "SELECT request_id FROM ingest_run_sessions WHERE run_id = $1 AND session_id = $2", run.id, session_id
    )
    context = Context(source="test", correlation_id=str(run.id), causation_id=causation)
    return msgspec.structs.replace(received(event), context=context)


async def apply(connection: Connection, events: Sequence[Received], bad: Sequence[ParkedRecord] = ()) -> None:
    """One transaction of a projector's."""
    async with connection.transaction():
        told = await PRACTICE_DAYS.apply_live(connection, Topics(), events, bad)
    if told:
        told()


async def announced(connection: Connection, kind: type[Any]) -> list[Any]:
    """The outcomes in the outbox, in their order."""
    rows = await connection.fetch("SELECT payload FROM outbox WHERE type = $1 ORDER BY seq", kind.type_name)
    return [msgspec.json.decode(one["payload"], type=kind) for one in rows]


async def now_of(connection: Connection, run: Run) -> Run:
    found = await runs.read(connection, run.id)
    assert found
    return found


def failed(session_id: str) -> SessionDetailFailed:
    return detail_failed(9, session_id)


async def test_a_request_opens_a_run_and_is_published_with_it(connection: Connection) -> None:
    run = await asked(connection)
    assert (run.state, run.attempt) == ("running", 1)
    [written] = await connection.fetch("SELECT * FROM outbox")
    assert written["aggregatetype"] == "practice-day-requests"
    assert written["aggregateid"] == f"liverc/track/{DATE}"
    assert msgspec.json.decode(written["headers"])["ce_correlationid"] == str(run.id)
    assert written["payload"].encode() == pack(run.request, Context(source="x")).value


async def test_who_asks_for_a_day_that_is_being_imported_joins_that_run(connection: Connection) -> None:
    run = await asked(connection)
    again, joined = await run_changes.request(connection, request())
    assert (again.id, joined) == (run.id, True)
    assert await connection.fetchval("SELECT count(*) FROM outbox") == 1


async def test_two_who_ask_at_once_get_one_run(pool: Pool) -> None:
    async def ask() -> UUID:
        async with pool.acquire() as connection:
            return (await run_changes.request(connection, request()))[0].id

    assert len({await one for one in [asyncio.create_task(ask()) for _ in range(6)]}) == 1


async def test_a_run_ends_in_the_transaction_of_its_last_session(connection: Connection) -> None:
    run = await planned(connection)
    for event in (LISTED, fetched(2, "1"), fetched(3, "2")):
        await apply(connection, [await of(connection, run, event)])
        assert (await now_of(connection, run)).state == "running"
    await apply(connection, [await of(connection, run, fetched(4, "3", laps=laps(5)))])
    ended = await now_of(connection, run)
    assert ended.state == "completed"
    assert ended.counts
    assert (ended.counts.sessions_ingested, ended.counts.laps_ingested) == (3, 11)
    [outcome] = await announced(connection, PracticeDayIngested)
    assert (outcome.status, outcome.run_id, outcome.laps_ingested) == ("completed", str(run.id), 11)


async def test_a_failed_session_makes_a_run_partial_and_only_it_is_tried_again(
    connection: Connection,
) -> None:
    run = await planned(connection)
    failure = await of(connection, run, failed("2"))
    first = [await of(connection, run, event) for event in (LISTED, fetched(2, "1"), fetched(3, "3"))]
    await apply(connection, [*first, failure])
    assert (await now_of(connection, run)).state == "partial"
    assert [one.session_id for one in await runs.failures(connection, run.id)] == ["2"]
    again = await run_changes.retry_failed(connection, run.id)
    assert (again.id, again.state, again.attempt) == (run.id, "running", 2)
    assert [one.session_id for one in await runs.pending(connection, again)] == ["2"]
    await apply(connection, [failure])  # delivered again: it answers a request of the first attempt
    assert (await now_of(connection, run)).state == "running"
    await apply(connection, [await of(connection, run, fetched(8, "2"))])
    assert (await now_of(connection, run)).state == "completed"
    outcomes = await announced(connection, PracticeDayIngested)
    assert [(one.attempt, one.status) for one in outcomes] == [(1, "partial"), (2, "completed")]


async def test_a_run_all_of_whose_sessions_failed_is_not_called_partial(connection: Connection) -> None:
    run = await planned(connection)
    await apply(connection, [await of(connection, run, one) for one in (LISTED, *map(failed, "123"))])
    ended = await now_of(connection, run)
    assert ended.state == "failed"
    assert ended.counts
    assert (ended.counts.sessions_ingested, ended.counts.sessions_detail_failed) == (3, 3)


async def test_a_list_that_could_not_be_had_ends_the_run_with_its_reason(connection: Connection) -> None:
    run = await asked(connection)
    failure = list_failed(1, code="bot_check", message="asked whether we are a browser", attempts=1)
    await apply(connection, [await of(connection, run, failure)])
    ended = await now_of(connection, run)
    assert ended.state == "failed"
    assert ended.error
    assert (ended.error.code, ended.error.url) == ("bot_check", failure.url)
    [outcome] = await announced(connection, PracticeDayIngested)
    assert (outcome.status, outcome.code) == ("failed", "bot_check")
    await run_changes.retry_failed(connection, run.id)
    assert (await now_of(connection, run)).state == "running"


async def test_a_parked_record_counts_as_failed(connection: Connection) -> None:
    run = await planned(connection)
    good = [await of(connection, run, event) for event in (LISTED, fetched(2, "1"), fetched(3, "3"))]
    spoiled = await of(connection, run, fetched(4, "2"))
    await apply(connection, good, [as_parked(spoiled)])
    [failure] = await runs.failures(connection, run.id)
    assert (failure.session_id, failure.code) == ("2", "parked_projection_error")
    assert (await now_of(connection, run)).state == "partial"
    await apply(connection, [spoiled])  # redriven
    assert (await now_of(connection, run)).state == "completed"


async def test_a_parked_list_ends_the_run(connection: Connection) -> None:
    run = await planned(connection)
    await apply(connection, [], [as_parked(await of(connection, run, LISTED))])
    assert (await now_of(connection, run)).state == "failed"


def as_parked(one: Received) -> ParkedRecord:
    record = pack(one.event, one.context)

    class Record:
        topic, partition, offset, timestamp, key, value, headers = (
            "practice-days",
            0,
            7,
            0,
            record.key,
            record.value,
            record.headers,
        )

    return parked(Record(), "projection_error", "it does not fit")


async def is_wanted(connection: Connection, run: Run) -> bool:
    return (await runs.asked(connection, run.id, "1", [], "http://127.0.0.1/never-fetched")).wanted


async def test_a_cancelled_run_stays_so_and_wants_nothing_more(connection: Connection) -> None:
    run = await planned(connection)
    await apply(connection, [await of(connection, run, LISTED)])
    assert await is_wanted(connection, run)
    assert (await run_changes.cancel(connection, run.id))[0].state == "cancelled"
    assert not await is_wanted(connection, run)
    await apply(connection, [await of(connection, run, one) for one in (fetched(2, "1"), failed("2"))])
    assert (await now_of(connection, run)).state == "cancelled"
    assert [one.status for one in await announced(connection, PracticeDayIngested)] == ["cancelled"]
    assert (await run_changes.request(connection, request()))[1] is False


async def test_nothing_is_tried_again_where_nothing_failed_or_the_day_is_imported(
    connection: Connection,
) -> None:
    with pytest.raises(RunNotFound):
        await run_changes.retry_failed(connection, UUID(int=1))
    run = await planned(connection)
    with pytest.raises(RunStillRunning):
        await run_changes.retry_failed(connection, run.id)
    await apply(connection, [await of(connection, run, one) for one in (LISTED, *details("123"))])
    with pytest.raises(NothingFailed):
        await run_changes.retry_failed(connection, run.id)


def details(sessions: Iterable[str], second: float = 2) -> list[Event]:
    return [
        msgspec.structs.replace(fetched(second, session_id), list_row_digest=row_digest(row(session_id)))
        for session_id in sessions
    ]


@pytest.mark.parametrize(
    ("refresh", "wanted"), [("all", ["1", "2", "3"]), ("changed", ["2", "3"]), ("missing", ["3"])]
)
async def test_a_refresh_wants_what_it_says(
    connection: Connection, refresh: Refresh, wanted: list[str]
) -> None:
    await apply(connection, [received(one) for one in (LISTED, *details("12"))])
    run = await asked(connection, refresh)
    await plan(connection, run, listed(5, row("1"), row("2", fastest_lap=29.0), row("3")))
    assert [one.session_id for one in await runs.pending(connection, run)] == wanted


async def test_a_session_that_failed_since_counts_as_missing(connection: Connection) -> None:
    await apply(connection, [received(one) for one in (LISTED, *details("123"))])
    first = await planned(connection)
    await apply(connection, [await of(connection, first, one) for one in (LISTED, *map(failed, "1"))])
    await run_changes.cancel(connection, first.id)
    again = await planned(connection, "missing")
    assert [one.session_id for one in await runs.pending(connection, again)] == ["1"]


async def test_an_unchanged_day_ends_with_its_list_alone(connection: Connection) -> None:
    await apply(connection, [received(one) for one in (LISTED, *details("123"))])
    run = await planned(connection, "changed")
    await apply(
        connection, [await of(connection, run, msgspec.structs.replace(LISTED, observed_at=seen(50)))]
    )
    ended = await now_of(connection, run)
    assert ended.state == "completed"
    assert ended.counts
    assert (ended.counts.sessions_with_laps, ended.counts.laps_ingested) == (3, 0)


async def test_a_run_without_a_sign_of_life_is_taken_up_anew_and_given_up_in_the_end(
    connection: Connection,
) -> None:
    run = await planned(connection)
    assert await runs.stalled(connection, 60) == []
    for resumes in range(run_changes.LARGEST_RESUMES):
        await age(connection, 61)
        assert await runs.stalled(connection, 60) == [run.id]
        found = await run_changes.resume(connection, run.id, 60)
        assert found
        assert (found.state, (await now_of(connection, run)).resumes) == ("running", resumes + 1)
        assert await run_changes.resume(connection, run.id, 60) is None
    await age(connection, 61)
    await run_changes.resume(connection, run.id, 60)
    ended = await now_of(connection, run)
    assert ended.state == "failed"
    assert ended.error
    assert ended.error.code == "run_stalled"
    assert len(await runs.failures(connection, run.id)) == 3


async def age(connection: Connection, seconds: float) -> None:
    await connection.execute(
        "UPDATE ingest_runs SET moved_at = now() - make_interval(secs => $1)", float(seconds)
    )


async def test_a_run_that_waits_its_turn_behind_others_is_left_in_peace(connection: Connection) -> None:
    run = await asked(connection)
    await age(connection, 61)
    other = msgspec.structs.replace(request(), track_slug="another")
    await run_changes.request(connection, other)
    assert await runs.stalled(connection, 60) == []
    await connection.execute(
        "UPDATE ingest_runs SET moved_at = now() - interval '601 seconds' WHERE id = $1", run.id
    )
    assert await runs.stalled(connection, 60) == [run.id]


async def test_no_run_counts_as_stalled_while_the_site_is_left_alone(connection: Connection) -> None:
    await asked(connection)
    await age(connection, 1_000)
    await connection.execute("INSERT INTO sites (site, next_request_at, paused) VALUES ('s', now(), true)")
    assert await runs.stalled(connection, 60) == []


async def test_what_changed_is_announced_and_what_did_not_is_not(connection: Connection) -> None:
    await apply(connection, [received(one) for one in (LISTED, fetched(2, "1", laps=laps(4)))])
    await apply(connection, [received(one) for one in (LISTED, fetched(3, "1", laps=laps(4)))])
    later = listed(5, row("1"), row("2", class_name="Other"))
    await apply(connection, [received(later), received(fetched(6, "1", laps=laps(3, seconds=31.0)))])
    first, second = await announced(connection, PracticeDayChanged)
    assert (first.sessions_added, first.laps_added) == (("1", "2", "3"), 4)
    assert (second.sessions_changed, second.sessions_gone) == (("1", "2"), ("3",))
    assert (second.laps_added, second.laps_changed, second.laps_gone) == (0, 3, 1)


async def test_laps_that_go_with_their_session_are_counted(connection: Connection) -> None:
    await apply(connection, [received(one) for one in (LISTED, fetched(2, "1", laps=laps(4)))])
    await apply(connection, [received(listed(5, row("2"), row("3")))])
    gone = (await announced(connection, PracticeDayChanged))[-1]
    assert (gone.sessions_gone, gone.laps_gone) == (("1",), 4)


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[int]]:
    """Batches of the numbers of events: each at least once, in any order, some again."""
    numbers = draw(st.permutations([0, 1, 2, 3, *draw(st.lists(st.integers(0, 3), max_size=4))]))
    cuts = sorted(draw(st.sets(st.integers(1, len(numbers) - 1), max_size=3)))
    return [numbers[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(numbers)], strict=True)]


@given(batches=deliveries(), fails=st.sets(st.sampled_from("123")))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_a_run_comes_to_the_same_in_any_order_and_however_often(
    connection: Connection, batches: list[list[int]], fails: set[str]
) -> None:
    await connection.execute("TRUNCATE ingest_runs, outbox, tracks, events, drivers, observations CASCADE")
    run = await planned(connection)
    events: list[Event] = [LISTED, *(failed(one) if one in fails else fetched(3, one) for one in "123")]
    sent = [await of(connection, run, one) for one in events]
    for batch in batches:
        await apply(connection, [sent[number] for number in batch])
    ended = await now_of(connection, run)
    assert ended.state == ("failed" if len(fails) == 3 else "partial" if fails else "completed")
    assert ended.counts
    assert (ended.counts.sessions_ingested, ended.counts.sessions_failed) == (3, 0)
    assert ended.counts.sessions_detail_failed == len(fails)
    assert ended.counts.laps_ingested == 3 * (3 - len(fails))
    assert len(await announced(connection, PracticeDayIngested)) == 1


async def test_two_projectors_that_write_the_last_sessions_at_once_end_a_run_once(
    pool: Pool,
) -> None:
    async with pool.acquire() as connection:
        run = await planned(connection)
        await apply(connection, [await of(connection, run, LISTED)])
        parts = [[await of(connection, run, failed(one))] for one in "123"]

    async def work(part: Sequence[Received]) -> None:
        async with pool.acquire() as connection:
            await apply(connection, part)

    await asyncio.gather(*map(work, parts))
    async with pool.acquire() as connection:
        assert len(await announced(connection, PracticeDayIngested)) == 1
        assert (await now_of(connection, run)).state == "failed"
