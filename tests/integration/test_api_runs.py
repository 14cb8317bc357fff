"""Imports over HTTP: asked for, waited for, joined, followed, retried and cancelled."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import msgspec
import pytest

from runs import changes as run_changes
from runs import run as runs
from runs.marks import Marks
from runs.run import RunError
from runtime.database import connected
from runtime.settings import Settings
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day, real_shape_day
from sandbox.sample_site.site import SampleSite
from schemas.scopes import Scope
from server import listening
from store.pool import Pool
from tests.api import asking, data_of, error_of, no_month, settings_of, stored, token
from tests.conftest import DAY, TRACK, at, working
from tests.events import listed
from tests.members import until

INGEST = "/practice-days/ingest"
ASYNC = {"Prefer": "respond-async"}
OUTCOME = {
    "event_id",
    "source_event_id",
    "status",
    "run_id",
    "sessions_ingested",
    "sessions_failed",
    "sessions_detail_failed",
    "sessions_with_laps",
    "laps_ingested",
    "drivers_created_or_matched",
    "duration_seconds",
    "findings",
}
BODY = {"track_slug": TRACK, "date": DAY.isoformat()}


@pytest.fixture
async def idle(dsn: str) -> Settings:
    """Settings of an API beside which nobody works: a run goes on until it is ended by hand."""
    return settings_of(dsn)


@pytest.fixture
async def api(idle: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of that API, who may import."""
    async with asking(idle, Scope.ingest) as client:
        yield client


@pytest.fixture
async def busy(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A client who may import, of an API beside which all roles are at work."""
    with_port = at(settings, api_port=0)
    async with working(settings), asking(with_port, Scope.ingest) as client:
        yield client


async def asked(api: httpx.AsyncClient, **changes: Any) -> Any:
    """The run that asking for the day, without waiting for it, comes to."""
    headers = changes.pop("headers", {}) | ASYNC
    return data_of(await api.post(INGEST, json=BODY | changes, headers=headers), 202)


async def events_of(api: httpx.AsyncClient, run_id: str) -> list[tuple[str, Any]]:
    """All events of a run's stream, by name."""
    async with api.stream("GET", f"/ingest-runs/{run_id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return [event async for event in parsed(response)]


async def parsed(response: httpx.Response) -> AsyncGenerator[tuple[str, Any]]:
    name = ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, msgspec.json.decode(value)


async def test_a_day_is_imported_and_told(busy: httpx.AsyncClient, site: SampleSite) -> None:
    site.put(real_shape_day(TRACK, DAY))
    data = data_of(await busy.post(INGEST, json=BODY))
    assert data.keys() == OUTCOME
    assert (data["status"], data["sessions_ingested"], data["sessions_failed"]) == ("completed", 56, 0)
    assert (data["sessions_with_laps"], data["laps_ingested"]) == (56, 487)
    assert (data["drivers_created_or_matched"], data["findings"]) == (12, [])
    assert data["source_event_id"] == f"{TRACK}-practice-{DAY}"
    run = data_of(await busy.get(f"/ingest-runs/{data['run_id']}"))
    assert {name: run[name] for name in OUTCOME} == data
    assert (run["progress"]["done"], run["failures"], run["error"]) == (56, [], None)
    day = data_of(await busy.get(f"/practice-days/{TRACK}/{DAY}"))
    assert (day["event_id"], day["laps"]) == (data["event_id"], 487)


async def test_a_front_end_of_before_keeps_working(busy: httpx.AsyncClient, site: SampleSite) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    answer = (await busy.post(INGEST, json=BODY)).json()
    assert answer["success"]
    assert uuid.UUID(answer["data"]["event_id"])
    assert answer["data"]["status"] == "completed"


async def test_an_import_that_is_followed_tells_its_progress_and_its_end(
    busy: httpx.AsyncClient, site: SampleSite
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=3))
    response = await busy.post(INGEST, json=BODY, headers=ASYNC)
    run = data_of(response, 202)
    assert run.keys() == OUTCOME
    assert response.headers["preference-applied"] == "respond-async"
    assert response.headers["location"] == f"/api/v1/ingest-runs/{run['run_id']}"
    assert int(response.headers["retry-after"]) > 0
    events = await events_of(busy, run["run_id"])
    names = [name for name, _ in events]
    assert names == ["progress"] * (len(names) - 1) + ["end"]
    assert events[-2][1]["done"] == events[-2][1]["sessions"] == 3
    end = events[-1][1]
    assert (end["status"], end["run_id"], end["sessions_with_laps"]) == ("completed", run["run_id"], 3)
    assert end == data_of(await busy.get(f"/ingest-runs/{run['run_id']}"))


async def test_failed_sessions_are_told_and_retried_within_the_run(
    busy: httpx.AsyncClient, site: SampleSite
) -> None:
    day = generate_day(TRACK, DAY, seed=1, sessions=3, laps_per_session=4)
    site.put(day)
    lost = day.sessions[1].session_id
    fault = Fault(kind="status", status=404, match=Match(session_id=lost))
    site.faults.add(fault)
    data = data_of(await busy.post(INGEST, json=BODY))
    assert (data["status"], data["sessions_detail_failed"], data["laps_ingested"]) == ("partial", 1, 8)
    path = f"/ingest-runs/{data['run_id']}"
    [failure] = data_of(await busy.get(path))["failures"]
    assert (failure["session_id"], failure["code"]) == (lost, "bad_status")
    assert lost in failure["url"]
    site.faults.clear()
    response = await busy.post(f"{path}/retry-failed")
    again = data_of(response, 202)
    assert (again["status"], again["attempt"], response.headers["location"]) == (
        "running",
        2,
        f"/api/v1{path}",
    )
    assert (await events_of(busy, data["run_id"]))[-1][1]["status"] == "completed"
    assert site.ledger.count("session") == 4
    assert error_of(await busy.post(f"{path}/retry-failed"), 409)["code"] == "nothing_failed"


async def test_a_list_that_could_not_be_had_is_a_502(busy: httpx.AsyncClient, site: SampleSite) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    site.faults.add(Fault(kind="other_day", match=Match(page="day_list")))
    error = error_of(await busy.post(INGEST, json=BODY), 502)
    assert (error["code"], error["source"]) == ("wrong_date", "site")
    details = error["details"]
    assert DAY.isoformat() in details["url"]
    assert details["found"] in error["message"]
    assert details["url"] not in details["found"]
    run = data_of(await busy.get(f"/ingest-runs/{details['run_id']}"))
    assert (run["status"], run["error"]["code"]) == ("failed", "wrong_date")


async def test_past_the_wait_the_import_goes_on(api: httpx.AsyncClient) -> None:
    response = await api.post(INGEST, json=BODY | {"wait_seconds": 0.05})
    assert data_of(response, 202)["status"] == "running"
    assert "preference-applied" not in response.headers


async def test_a_day_that_is_being_imported_is_joined(api: httpx.AsyncClient) -> None:
    first, second = await asyncio.gather(asked(api), asked(api))
    assert first["run_id"] == second["run_id"]
    assert len(data_of(await api.get("/ingest-runs"))["items"]) == 1


async def test_a_track_is_named_by_its_id_too(api: httpx.AsyncClient, idle: Settings) -> None:
    await stored(idle, [listed(1)])
    [track] = data_of(await api.get("/tracks"))["items"]
    body = {"track_id": track["id"], "date": "2025-10-25", "wait_seconds": 0}
    run = data_of(await api.post(INGEST, json=body), 202)
    assert run["source_event_id"] == "track-practice-2025-10-25"


async def test_a_key_stands_for_its_run_also_when_that_ended(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "once"}
    first = await asked(api, headers=key)
    data_of(await api.delete(f"/ingest-runs/{first['run_id']}"))
    again = data_of(await api.post(INGEST, json=BODY, headers=key))
    assert (again["run_id"], again["status"]) == (first["run_id"], "cancelled")
    assert (await asked(api))["run_id"] != first["run_id"]


async def test_a_key_under_another_body_is_refused(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "once"}
    await asked(api, headers=key)
    other = await api.post(INGEST, json=BODY | {"refresh": "missing"}, headers=key | ASYNC)
    assert error_of(other, 422)["code"] == "idempotency_key_reused"


async def test_keys_belong_to_their_caller(api: httpx.AsyncClient, idle: Settings) -> None:
    key = {"Idempotency-Key": "once"}
    first = await asked(api, headers=key)
    data_of(await api.delete(f"/ingest-runs/{first['run_id']}"))
    other = await token(idle, Scope.operate)
    second = await asked(api, headers=key | {"Authorization": f"Bearer {other}"}, refresh="missing")
    assert second["run_id"] != first["run_id"]


async def test_requests_with_one_key_at_the_same_time_are_one(api: httpx.AsyncClient) -> None:
    found = await asyncio.gather(*(asked(api, headers={"Idempotency-Key": "once"}) for _ in range(5)))
    assert len({run["run_id"] for run in found}) == 1


async def test_a_key_is_forgotten_after_a_day(api: httpx.AsyncClient, idle: Settings) -> None:
    key = {"Idempotency-Key": "once"}
    first = await asked(api, headers=key)
    data_of(await api.delete(f"/ingest-runs/{first['run_id']}"))
    async with connected(idle) as connection:
        await connection.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
        second = await asked(api, headers=key, refresh="missing")
        assert second["run_id"] != first["run_id"]
        assert await connection.fetchval("SELECT count(*) FROM idempotency_keys") == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_a_key_that_is_none_is_refused(api: httpx.AsyncClient, key: str) -> None:
    error = error_of(await api.post(INGEST, json=BODY, headers={"Idempotency-Key": key}), 400)
    assert [fault["field"] for fault in error["details"]["fields"]] == ["Idempotency-Key"]


async def test_a_run_is_cancelled_once(api: httpx.AsyncClient) -> None:
    run = await asked(api)
    path = f"/ingest-runs/{run['run_id']}"
    assert data_of(await api.delete(path))["status"] == "cancelled"
    assert data_of(await api.delete(path))["status"] == "cancelled"
    assert error_of(await api.delete(f"/ingest-runs/{uuid.UUID(int=0)}"), 404)["code"] == "run_not_found"


async def test_the_methods_of_a_run_are_named(api: httpx.AsyncClient) -> None:
    path = f"/ingest-runs/{uuid.UUID(int=0)}"
    assert (await api.options(path)).headers["allow"] == "DELETE, GET, OPTIONS"
    assert set((await api.put(path)).headers["allow"].split(", ")) == {"DELETE", "GET", "OPTIONS"}


async def test_a_run_that_goes_on_is_not_retried(api: httpx.AsyncClient) -> None:
    run = await asked(api)
    response = await api.post(f"/ingest-runs/{run['run_id']}/retry-failed")
    assert error_of(response, 409)["code"] == "run_still_running"


async def waited_for(api: httpx.AsyncClient) -> tuple[asyncio.Task[httpx.Response], uuid.UUID]:
    """A request that imports the day and waits for the outcome, and the id of the run that it opened."""
    waiting = asyncio.create_task(api.post(INGEST, json=BODY))
    found: list[Any] = []

    async def is_open() -> bool:
        found[:] = data_of(await api.get("/ingest-runs"))["items"]
        return bool(found)

    await until(is_open)
    return waiting, uuid.UUID(found[0]["run_id"])


async def test_a_run_that_nobody_worked_on_is_a_503(api: httpx.AsyncClient, idle: Settings) -> None:
    waiting, run_id = await waited_for(api)
    async with connected(idle) as connection, connection.transaction():
        run = await runs.read(connection, run_id)
        assert run
        await run_changes.end(
            connection, run, "failed", RunError(code="run_stalled", message="nobody fetched")
        )
    error = error_of(await waiting, 503)
    assert (error["code"], error["source"], error["details"]["run_id"]) == (
        "run_stalled",
        "service",
        str(run_id),
    )


async def test_a_request_that_is_parked_is_an_internal_error(api: httpx.AsyncClient, idle: Settings) -> None:
    waiting, run_id = await waited_for(api)
    why = RunError(code="parked_work_failed", message="record requests/0/7 is parked: KeyError()")
    async with connected(idle) as connection, connection.transaction():
        await run_changes.mark(connection, Marks(request_failed={run_id: why}))
    error = error_of(await waiting, 500)
    assert (error["code"], error["source"], error["message"]) == (why.code, "service", why.message)


async def test_runs_are_listed_by_track_and_state_a_page_at_a_time(api: httpx.AsyncClient) -> None:
    asked_for = [await asked(api, track_slug=f"t{number}") for number in range(3)]
    data_of(await api.delete(f"/ingest-runs/{asked_for[0]['run_id']}"))
    first = data_of(await api.get("/ingest-runs", params={"limit": 2}))
    assert [run["track_slug"] for run in first["items"]] == ["t2", "t1"]
    rest = data_of(await api.get("/ingest-runs", params={"limit": 2, "cursor": first["next_cursor"]}))
    assert ([run["track_slug"] for run in rest["items"]], rest["next_cursor"]) == (["t0"], None)
    ended = data_of(await api.get("/ingest-runs", params={"state": "cancelled"}))
    assert [run["track_slug"] for run in ended["items"]] == ["t0"]
    of_track = data_of(await api.get("/ingest-runs", params={"track_slug": "t1"}))
    assert [run["run_id"] for run in of_track["items"]] == [asked_for[1]["run_id"]]


async def test_a_trace_goes_on_in_the_run(api: httpx.AsyncClient, idle: Settings) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    run = await asked(api, headers={"traceparent": trace})
    await asked(api, track_slug="other", headers={"traceparent": "nonsense"})
    async with connected(idle) as connection:
        rows = await connection.fetch("SELECT id, traceparent FROM ingest_runs")
    traces = {str(row["id"]): row["traceparent"] for row in rows}
    assert traces.pop(run["run_id"]) == trace
    assert list(traces.values()) == [None]


async def test_a_stream_of_a_run_that_ended_ends_at_once(api: httpx.AsyncClient) -> None:
    run = await asked(api)
    data_of(await api.delete(f"/ingest-runs/{run['run_id']}"))
    events = await events_of(api, run["run_id"])
    assert [(name, event["status"]) for name, event in events] == [
        ("progress", "cancelled"),
        ("end", "cancelled"),
    ]


async def test_a_stream_of_a_run_that_is_gone_says_so_at_its_end(api: httpx.AsyncClient, pool: Pool) -> None:
    run = await asked(api)
    events = parsed_of(api, run["run_id"])
    assert (await anext(events))[0] == "progress"
    async with pool.acquire() as connection:
        await connection.execute("DELETE FROM ingest_runs WHERE id = $1", uuid.UUID(run["run_id"]))
    [(name, end)] = [event async for event in events]
    assert (name, end["success"], end["error"]["code"]) == ("end", False, "run_not_found")
    assert run["run_id"] in end["error"]["message"]
    assert end == (await api.get(f"/ingest-runs/{run['run_id']}")).json() | {"error": end["error"]}


async def test_streams_are_bounded(idle: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "STREAMS", 1)
    async with asking(idle, Scope.ingest) as api:
        run = await asked(api)
        path = f"/ingest-runs/{run['run_id']}/events"
        async with api.stream("GET", path) as response:
            events = parsed(response)
            assert (await anext(events))[0] == "progress"
            assert error_of(await api.get(path), 503)["code"] == "too_many_streams"


async def test_who_waits_and_who_follows_are_answered_when_the_server_stops(idle: Settings) -> None:
    key = await token(idle, Scope.ingest)
    headers = {"Authorization": f"Bearer {key}"}
    async with asyncio.timeout(20), httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
        async with listening.serving(idle, no_month) as address:
            client.base_url = f"{address}/api/v1"
            run = await asked(client)
            following = asyncio.create_task(events_of(client, run["run_id"]))
            waiting = asyncio.create_task(client.post(INGEST, json=BODY))
            events = parsed_of(client, run["run_id"])
            await anext(events)
        assert data_of(await waiting, 202)["status"] == "running"
        assert [name for name, _ in await following] == ["progress"]
        assert [name async for name, _ in events] == []


async def parsed_of(client: httpx.AsyncClient, run_id: str) -> AsyncGenerator[tuple[str, Any]]:
    async with client.stream("GET", f"/ingest-runs/{run_id}/events") as response:
        async for event in parsed(response):
            yield event
