"""What an import leaves behind to be watched by: one trace from the request to the rows, counts, figures."""

import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.trace import SpanKind
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from ops.imports.follow import request
from producer.site import SOURCE
from runs import changes as run_changes
from runs import monitor
from runs import run as runs
from runs.run import Run
from runtime import logs
from runtime.readiness import ready
from runtime.settings import Settings, SettingsError
from runtime.telemetry import make_provider, sending_traces, showing_metrics, shut_down
from runtime.wiring import detail_group
from sandbox.embedded import ports
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context
from schemas.scopes import Scope
from store.pool import Pool
from telemetry import metrics
from tests.api import asking, data_of, settings_of
from tests.conftest import DAY, TRACK, at, working
from tests.members import until
from tests.processes import role
from tests.producers import producing, put
from tests.spans import TRACE, TRACEPARENT, name_of, parent_of, recording, trace_of

BODY = {"track_slug": TRACK, "date": DAY.isoformat()}
ROWS = "lapstream_outbox_backlog_rows"
AGE = "lapstream_outbox_oldest_age_seconds"
HEADERS = {"traceparent": TRACEPARENT}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    return recording(monkeypatch)


@pytest.fixture
async def api(settings: Settings, site: SampleSite) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of an API beside which all roles are at work, and of a site with a day of two sessions."""
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2, laps_per_session=4))
    async with working(settings), asking(at(settings, api_port=0), Scope.ingest) as client:
        yield client


def process(topic: str) -> str:
    """The name of a span of work on a topic's records."""
    return f"process {topic}"


def counted(name: str, **labels: str) -> float:
    found = metrics.REGISTRY.get_sample_value(name, labels)
    return 0 if found is None else found


async def headers_of(pool: Pool) -> list[dict[str, str]]:
    """The headers of what waits in the outbox."""
    async with pool.acquire() as connection:
        rows = await connection.fetch("SELECT headers FROM outbox ORDER BY seq")
    return [msgspec.json.decode(row["headers"]) for row in rows]


async def test_an_import_is_one_trace_from_the_request_to_the_rows(
    api: httpx.AsyncClient, settings: Settings, spans: InMemorySpanExporter
) -> None:
    async def was_projected() -> bool:
        """The answer may come before the last batch's span ends, for the commit is what it waits for."""
        return any(
            (span.attributes or {}).get("lapstream.projection") == "practice-days"
            for span in spans.get_finished_spans()
        )

    data_of(await api.post("/practice-days/ingest", json=BODY, headers=HEADERS))
    await until(was_projected)
    found = spans.get_finished_spans()
    assert {trace_of(span) for span in found} == {TRACE}
    by_name = {span.name: span for span in found}
    asked, listed = by_name["POST /api/v1/practice-days/ingest"], by_name[process(settings.topics.requests)]
    assert parent_of(asked) == "00f067aa0ba902b7"
    assert parent_of(listed) == name_of(asked)
    fetched = [span for span in found if span.name == process(settings.topics.details)]
    assert [parent_of(span) for span in fetched] == [name_of(listed)] * 2
    projected = [span for span in found if span.name == process(settings.topics.days)]
    assert {parent_of(span) for span in projected} <= {name_of(span) for span in (listed, *fetched)}
    assert {span.kind for span in (listed, *fetched, *projected)} == {SpanKind.CONSUMER}
    said = {span.name: span.attributes or {} for span in found}
    assert (
        said[process(settings.topics.details)].items()
        >= {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": settings.topics.details,
            "messaging.consumer.group.name": detail_group(settings.topics),
        }.items()
    )
    assert "messaging.kafka.offset" in said[process(settings.topics.requests)]
    conventions = {str(value) for name, value in vars(messaging_attributes).items() if name.isupper()}
    used = {name for of_one in said.values() for name in of_one if name.startswith("messaging.")}
    assert used <= conventions


async def test_without_an_sdk_the_context_of_the_request_reaches_the_outcomes_unchanged(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    await imported(settings, pool)
    assert {one["traceparent"] for one in await headers_of(pool)} == {TRACEPARENT}


async def test_every_line_of_a_run_names_it_and_its_trace(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    day = generate_day(TRACK, DAY, seed=1, sessions=2)
    site.put(day)
    lost = day.sessions[1].session_id
    site.faults.add(Fault(kind="status", status=404, match=Match(session_id=lost)))
    with capture_logs([merge_contextvars, logs.with_trace]) as lines:
        run = await imported(settings, pool)
    by_event = {line["event"]: line for line in lines}
    of_the_run = [
        "ingest_practice_day_start",
        "ingest_practice_day_list_done",
        "practice_session_detail_failed",
        "ingest_practice_day_detail_done",
        "ingest_practice_day_ended",
        "page_not_fetched",
    ]
    for event in of_the_run:
        assert (by_event[event]["run_id"], by_event[event]["trace_id"]) == (str(run.id), TRACE), event
    assert by_event["practice_session_detail_failed"]["session_id"] == lost
    assert (
        by_event["ingest_practice_day_list_done"]["sessions"],
        by_event["ingest_practice_day_ended"]["state"],
    ) == (
        2,
        "partial",
    )


async def imported(settings: Settings, pool: Pool, *roles: str) -> Run:
    """A run of the day that ended, with its outcomes left in the outbox."""
    async with pool.acquire() as connection:
        run, _ = await run_changes.request(connection, request(SOURCE, TRACK, DAY), traceparent=TRACEPARENT)

    async def ended() -> bool:
        async with pool.acquire() as connection:
            found = await runs.read(connection, run.id)
        return found is not None and found.state != "running"

    async with working(settings, *roles or ("fetcher", "projector")), producing(settings) as producer:
        context = Context(source="test", correlation_id=str(run.id), traceparent=run.traceparent)
        await put(producer, settings.topics.requests, run.request, context=context)
        await until(ended)
    return run


async def test_a_run_is_counted_once_with_what_it_came_to(api: httpx.AsyncClient) -> None:
    names = {
        "lapstream_ingest_sessions_total": 2,
        "lapstream_ingest_sessions_with_laps_total": 2,
        "lapstream_ingest_sessions_detail_failed_total": 0,
        "lapstream_ingest_laps_total": 8,
        "lapstream_ingest_run_duration_seconds_count": 1,
    }
    before = {name: counted(name) for name in names}
    completed = counted("lapstream_ingest_runs_total", outcome="completed")
    data_of(await api.post("/practice-days/ingest", json=BODY))

    async def told() -> bool:
        return counted("lapstream_ingest_runs_total", outcome="completed") == completed + 1

    await until(told)
    assert {name: counted(name) - before[name] for name in names} == names


async def test_a_cancelled_run_is_counted_once_however_often_it_is_cancelled(dsn: str) -> None:
    before = counted("lapstream_ingest_runs_total", outcome="cancelled")
    async with asking(settings_of(dsn), Scope.ingest) as api:
        run = data_of(
            await api.post("/practice-days/ingest", json=BODY, headers={"Prefer": "respond-async"}), 202
        )
        for _ in range(2):
            data_of(await api.delete(f"/ingest-runs/{run['run_id']}"))
    assert counted("lapstream_ingest_runs_total", outcome="cancelled") == before + 1


async def test_a_run_that_is_given_up_is_counted_as_failed(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await run_changes.request(connection, request(SOURCE, TRACK, DAY))
        await connection.execute(
            "UPDATE ingest_runs SET moved_at = now() - interval '1 day', resumes = $1",
            run_changes.LARGEST_RESUMES,
        )
    before = counted("lapstream_ingest_runs_total", outcome="failed")
    with capture_logs() as lines:
        await monitor.look(pool, 1)
    assert [line["event"] for line in lines] == ["run_given_up", "ingest_practice_day_ended"]
    assert counted("lapstream_ingest_runs_total", outcome="failed") == before + 1


async def test_the_monitor_measures_what_waits_to_be_published(pool: Pool) -> None:
    await monitor.measure(pool)
    assert (counted(ROWS), counted(AGE)) == (0, 0)
    async with pool.acquire() as connection:
        await run_changes.request(connection, request(SOURCE, TRACK, DAY))
        await connection.execute("UPDATE outbox SET created_at = now() - interval '1 minute'")
    await monitor.measure(pool)
    assert counted(ROWS) == 1
    assert 60 <= counted(AGE) < 120


async def test_the_api_shows_its_metrics_to_who_may_read(dsn: str) -> None:
    async with asking(settings_of(dsn)) as api:
        answer = await api.get(api.base_url.copy_with(path="/metrics"))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert "lapstream_ingest_runs_total{outcome=" in answer.text
    async with asking(settings_of(dsn, api_open_read=False)) as api:
        assert (await api.get(api.base_url.copy_with(path="/metrics"))).status_code == 401


async def test_a_role_shows_its_metrics_where_it_is_told_to(settings: Settings) -> None:
    with_port = at(settings, metrics_port=ports.choose())
    async with role(with_port, "relay"), httpx.AsyncClient(trust_env=False) as client:

        async def shown() -> bool:
            try:
                answer = await client.get(f"http://127.0.0.1:{with_port.metrics_port}/metrics")
            except httpx.ConnectError:
                return False
            return "lapstream_outbox_backlog_rows 0.0" in answer.text

        await until(shown)


def test_a_port_that_is_taken_is_an_error_that_names_the_setting(unconnected: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = at(unconnected, metrics_port=taken.getsockname()[1])
        with (
            pytest.raises(SettingsError, match="LAPSTREAM_METRICS_PORT"),
            showing_metrics(settings, lambda: ready([])),
        ):
            pass


def test_spans_reach_the_collector_before_the_process_ends() -> None:
    with collector() as (endpoint, bodies):
        provider = make_provider(endpoint, "lapstream-relay")
        with provider.get_tracer("test").start_as_current_span("work"):
            pass
        shut_down(provider)
    [body] = bodies
    [of_a_service] = ExportTraceServiceRequest.FromString(body).resource_spans
    names = {one.key: one.value.string_value for one in of_a_service.resource.attributes}
    assert names["service.name"] == "lapstream-relay"
    assert [span.name for span in of_a_service.scope_spans[0].spans] == ["work"]


async def test_a_role_sends_its_spans_where_it_is_told_to(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    with collector() as (endpoint, bodies):
        async with role(at(settings, otlp_endpoint=endpoint), "fetcher") as fetcher:
            await imported(settings, pool, "projector")
            assert await fetcher.end(signal.SIGTERM) == 0
    spans = [
        span
        for body in bodies
        for of_a_service in ExportTraceServiceRequest.FromString(body).resource_spans
        for span in of_a_service.scope_spans[0].spans
    ]
    topics = settings.topics
    expected = [process(topics.requests), process(topics.details), process(topics.details)]
    assert sorted(span.name for span in spans) == expected
    assert {span.trace_id.hex() for span in spans} == {TRACE}


def test_a_collector_that_is_away_keeps_no_role_from_ending() -> None:
    provider = make_provider(f"http://127.0.0.1:{ports.choose()}", "lapstream")
    with provider.get_tracer("test").start_as_current_span("work"):
        pass
    began = time.monotonic()
    shut_down(provider)
    assert time.monotonic() - began < 4


def test_without_the_packages_for_traces_the_setting_is_refused(
    unconnected: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = at(unconnected, otlp_endpoint="http://127.0.0.1:4318")
    with (
        pytest.raises(SettingsError, match=r"LAPSTREAM_OTLP_ENDPOINT .*lapstream\[tracing\]"),
        sending_traces(settings, "lapstream"),
    ):
        pass


@pytest.fixture
def unconnected() -> Settings:
    """Settings of a process that asks no server."""
    return settings_of("postgresql://unused")


@contextmanager
def collector() -> Generator[tuple[str, list[bytes]]]:
    """A collector's address, and what it was sent."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()
        thread.join()
