"""The metrics' own port: a request is answered, whatever else is connected, whatever the event loop does."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec
import pytest

from runtime import readiness
from runtime.metrics_port import CONNECTIONS, showing
from runtime.readiness import Readiness, Ready, ready, ready_by
from telemetry import health

SILENT = 100


def nothing_missing() -> Ready:
    return ready([])


def asked(port: int, path: str) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=4) as answer:
            return answer.status, answer.read()
    except HTTPError as refused:
        return refused.code, refused.read()


def probed(port: int, path: str) -> tuple[int, Any, Sequence[str]]:
    """The status of a probe's answer, the one in its body, and the reasons there."""
    status, body = asked(port, path)
    found = msgspec.json.decode(body)
    return status, found["status"], found["reasons"]


def test_silent_connections_keep_nobody_from_the_metrics() -> None:
    with showing("127.0.0.1", 0, nothing_missing) as port, contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=4))
            for _ in range(SILENT)
        ]
        assert b"lapstream_ingest_runs_total" in asked(port, "/metrics")[1]
        assert all(ended(one) for one in silent[: SILENT - CONNECTIONS])


def test_a_path_that_is_none_is_not_found_so_that_no_probe_of_it_passes() -> None:
    with showing("127.0.0.1", 0, nothing_missing) as port:
        assert [asked(port, path)[0] for path in ("/", "/metrics", "/livez", "/readyz")] == [200] * 4
        refused = [asked(port, path) for path in ("/healthz", "/livez/", "/ready")]
    assert refused == [(404, b"there are /metrics, /livez and /readyz\n")] * 3


def ended(connection: socket.socket) -> bool:
    """Whether the server closed the connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


async def test_a_probe_is_answered_while_the_event_loop_is_stuck() -> None:
    with showing("127.0.0.1", 0, nothing_missing) as port:
        with health.working("event loop", bound_seconds=0.2):
            assert probed(port, "/livez") == (200, "ok", [])
            while (found := probed(port, "/livez"))[0] == 200:
                pass  # asked by the loop itself, which does not turn meanwhile
        assert found[:2] == (503, "stuck")
        assert "event loop has been silent" in found[2][0]
        assert probed(port, "/livez") == (200, "ok", [])


async def test_an_event_loop_that_is_stuck_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LOOP_SECONDS", 0.1)
    stuck = ready_by(Readiness({}), asyncio.get_running_loop())  # asked by the loop itself, which waits
    assert (stuck.status, stuck.reasons) == ("not_ready", ["the event loop did not answer within 0 s"])
    turning = await asyncio.to_thread(ready_by, Readiness({}), asyncio.get_running_loop())
    assert turning.status == "ok"


async def test_servers_are_asked_once_for_all_who_probe_at_a_time() -> None:
    asked_at: list[float] = []

    async def look() -> str | None:
        asked_at.append(time.monotonic())
        return "no tables"

    looking = Readiness({"the database": look})
    found = await asyncio.gather(*(looking.now() for _ in range(20)))
    assert (len(asked_at), {tuple(one.reasons) for one in found}) == (1, {("no tables",)})


def test_a_probe_is_told_what_is_missing() -> None:
    with showing("127.0.0.1", 0, lambda: ready(["the database can't be used"])) as port:
        assert probed(port, "/readyz") == (503, "not_ready", ["the database can't be used"])
        assert probed(port, "/livez") == (200, "ok", [])
