"""Connections that are no requests: whatever they do, requests are answered, and the process works on."""

import asyncio
import contextlib
import resource
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from ops.imports import follow
from producer.site import SOURCE
from runs import changes as run_changes
from runtime.database import connected
from runtime.settings import Settings, environment
from sandbox.embedded import ports
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.scopes import Scope
from server.http.connections import Bounds
from server.listening import serving
from tests.api import no_month, settings_of, token
from tests.conftest import DAY, TRACK, at
from tests.imports import import_day
from tests.members import until

GET = b"GET /api/v1/tracks HTTP/1.1\r\nHost: api\r\n\r\n"
LARGE = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: api\r\n\r\n"
POST = b"POST /api/v1/practice-days/ingest HTTP/1.1\r\nHost: api\r\nContent-Length: 50\r\n\r\n"

NEEDED = 2_000
FULL = 503

Raw = tuple[StreamReader, StreamWriter]


@pytest.fixture
async def api(dsn: str) -> Settings:
    """Settings of an API that needs no broker."""
    return settings_of(dsn)


@asynccontextmanager
async def serving_at(settings: Settings, bounds: Bounds) -> AsyncGenerator[tuple[str, int]]:
    async with serving(settings, no_month, bounds) as address:
        parts = urlsplit(address)
        yield str(parts.hostname), parts.port or 0


@asynccontextmanager
async def raw(place: tuple[str, int], count: int, say: bytes = b"") -> AsyncGenerator[list[Raw]]:
    """So many connections, each of which says this and then nothing."""
    opened: list[Raw] = []
    try:
        for _ in range(count):
            reader, writer = await asyncio.open_connection(*place)
            writer.write(say)
            opened.append((reader, writer))
        yield opened
    finally:
        for _, writer in opened:
            writer.close()


async def ended(connection: Raw) -> bytes:
    """What came before the server closed the connection."""
    async with asyncio.timeout(20):
        got = b""
        with contextlib.suppress(ConnectionError):
            while data := await connection[0].read(65_536):
                got += data
        return got


async def answers(place: tuple[str, int]) -> None:
    """A client of its own is answered, once no others than these are being answered."""
    host, port = place
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client, asyncio.timeout(20):
        while (response := await client.get(f"http://{host}:{port}/api/v1/tracks")).status_code == FULL:
            assert response.headers["retry-after"]
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("say", "count"),
    [(b"", 1_000), (b"GET / HT", 200), (GET, 200), (POST, 200), (LARGE * 40, 40)],
    ids=["silent", "half a head", "idle", "no body", "no reader"],
)
async def test_who_asks_is_answered_beside_any_number_of_others(
    api: Settings, say: bytes, count: int
) -> None:
    patient = Bounds(connections=20, request_seconds=60, read_seconds=60)
    async with serving_at(api, patient) as place, raw(place, count, say) as others:
        await answers(place)
        await asyncio.gather(*(ended(one) for one in others[: count - 20]))
        await answers(place)


async def test_connections_that_are_slow_are_closed(api: Settings) -> None:
    with_key = POST.replace(b"\r\n\r\n", f"\r\nX-Api-Key: {await token(api, Scope.ingest)}\r\n\r\n".encode())
    async with serving_at(api, Bounds(request_seconds=0.3)) as place:
        for say in (b"", b"GET / HT", with_key, with_key + b"{"):
            async with raw(place, 1, say) as [one]:
                assert await ended(one) == b""
        for say, status in ((GET, b"200"), (POST, b"401")):
            async with raw(place, 1, say) as [one]:
                assert (await ended(one)).startswith(b"HTTP/1.1 " + status)


async def test_a_request_that_trickles_in_is_given_up(api: Settings) -> None:
    async with serving_at(api, Bounds(request_seconds=0.3)) as place, raw(place, 1) as [one]:
        for byte in GET[:-2] * 5:
            one[1].write(bytes([byte]))
            await asyncio.sleep(0.01)
            if one[1].is_closing() or one[0].at_eof():
                break
        assert await ended(one) == b""


async def test_an_answer_that_nobody_reads_is_given_up(api: Settings) -> None:
    async with serving_at(api, Bounds(read_seconds=0.2)) as place, raw(place, 1, LARGE * 300) as [one]:
        one[0]._transport.pause_reading()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
        await asyncio.sleep(1)
        one[0]._transport.resume_reading()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
        assert (await ended(one)).count(b"HTTP/1.1 200") < 300


@asynccontextmanager
async def streams(
    settings: Settings, place: tuple[str, int], count: int
) -> AsyncGenerator[tuple[list[Raw], UUID]]:
    """So many streams of a run's progress, which have begun."""
    async with connected(settings) as connection:
        run, _ = await run_changes.request(connection, follow.request(SOURCE, "track", DAY))
    ask = f"GET /api/v1/ingest-runs/{run.id}/events HTTP/1.1\r\nHost: api\r\n\r\n".encode()
    async with raw(place, count, ask) as found:
        for reader, _ in found:
            await reader.readuntil(b"event: progress")
        yield found, run.id


async def test_who_waits_for_an_answer_is_not_closed_for_others(api: Settings) -> None:
    async with (
        serving_at(api, Bounds(connections=8, request_seconds=60)) as place,
        streams(api, place, 4) as (found, run_id),
    ):
        async with raw(place, 50) as others:
            await asyncio.gather(*(ended(one) for one in others[:40]))
            await answers(place)
        async with connected(api) as connection:
            await run_changes.cancel(connection, run_id)
        for reader, _ in found:
            await reader.readuntil(b"event: end")


async def test_where_every_connection_is_at_work_a_new_one_is_told_to_come_again(api: Settings) -> None:
    async with (
        serving_at(api, Bounds(connections=2)) as place,
        streams(api, place, 1),
        raw(place, 2, await waiting(api)) as [one, other],
    ):
        assert (await ended(other)).startswith(b"HTTP/1.1 503")
        assert not one[0].at_eof()


async def waiting(settings: Settings) -> bytes:
    """A request that waits for the run's end."""
    body = b'{"track_slug": "track", "date": "%b"}' % str(DAY).encode()
    key = (await token(settings, Scope.ingest)).encode()
    head = b"POST /api/v1/practice-days/ingest HTTP/1.1\r\nHost: api\r\nX-Api-Key: %b\r\n" % key
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.fixture
def many_descriptors() -> Generator[None]:
    """This process may open as many connections as the test takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < NEEDED != resource.RLIM_INFINITY:
        pytest.skip(f"no more than {hard} descriptors may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, NEEDED), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_silent_connections_cost_no_other_role_anything(
    settings: Settings, site: SampleSite, tmp_path: Path, many_descriptors: None
) -> None:
    """All roles in a process with 256 descriptors, beside 1,100 connections that say nothing."""
    site.put(generate_day(TRACK, DAY, seed=1, sessions=4, laps_per_session=3))
    port = ports.choose()
    settings = at(settings, api_port=port)
    place = ("127.0.0.1", port)
    said = tmp_path / "log"
    with said.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            'ulimit -n 256 && exec "$@"',
            "sh",
            *(sys.executable, "-m", "lapstream.cli", "run", "all"),
            env=environment(settings),
            stdout=DEVNULL,
            stderr=log,
        )
    try:
        await until(lambda: listens(place))
        async with raw(place, 1_100):
            await answers(place)
            summary = await import_day(settings)
            await answers(place)
        assert (summary.status, summary.laps_ingested) == ("completed", 12)
        assert said.stat().st_size < 100_000, said.read_text()[:10_000]
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()


async def listens(place: tuple[str, int]) -> bool:
    try:
        async with raw(place, 1):
            return True
    except OSError:
        return False
