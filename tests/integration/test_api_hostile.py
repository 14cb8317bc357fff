"""The API under requests that nobody sends by mistake: none of them is a fault of ours, and none is taken."""

import asyncio
import base64
import itertools
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from runtime.settings import Settings
from schemas.scopes import Scope
from server.listening import serving
from tests.api import no_month, settings_of, stored, token
from tests.events import fetched, listed, row

HEADERS = (
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Method",
    "Authorization",
    "Connection",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Expect",
    "Forwarded",
    "Host",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "Last-Event-ID",
    "Origin",
    "Prefer",
    "Range",
    "Referer",
    "TE",
    "traceparent",
    "tracestate",
    "Upgrade",
    "X-Api-Key",
    "X-Forwarded-For",
    "X-Http-Method-Override",
    "X-Request-Id",
)
VALUES = (
    b"",
    b",",
    b";",
    b"=",
    b'"',
    b"*",
    b"*/*;q=1e999",
    b"application/problem+json;q=1e999",
    b"a/b;q=nan",
    b"application/problem+json;q=-inf, a",
    b"text/html;q=" + b"9" * 5_000,
    b"\x80\xff\xfe",
    "é🏁".encode(),
    b"application/json; charset=utf-99",
    b"multipart/form-data",
    b"multipart/form-data; boundary=",
    b"application/x-www-form-urlencoded",
    b"Bearer",
    b"Bearer \xff",
    b"Basic Og==",
    b"lapstream_" + b"x" * 4_000,
    b"bytes=0-99999999999999999999",
    b"bytes=-1,-,2-1",
    b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01",
    b"00-" + b"f" * 32 + b"-" + b"f" * 16 + b"-ff",
    b'respond-async; wait=1e999, x="',
    b"chunked",
    b"100-continue",
    b"websocket",
    b"http://[::1",
    b"a" * 6_000,
    b"(((((" * 800,
)
QUERIES = (
    b"limit=1e999",
    b"limit=" + b"9" * 5_000,
    b"limit=-1",
    b"limit=%00",
    b"limit=1&limit=2",
    b"cursor=%ff%fe",
    b"cursor=%ED%A0%80",
    b"cursor=AA==AA",
    b"cursor=" + base64.urlsafe_b64encode(b"[" * 120),
    b"from=0001-01-01",
    b"to=9999-12-31",
    b"from=2025-10-25T00:00:00Z",
    b"track=\xff",
    b"track=%F0%9F%8F%81",
    b"&&&===&",
    b"%",
    b"a=%zz",
    b"cursor=" + base64.urlsafe_b64encode(b'["0001-01-01","00000000-0000-0000-0000-000000000000"]'),
    b"cursor=" + base64.urlsafe_b64encode(b'["9999-12-31","ffffffff-ffff-ffff-ffff-ffffffffffff"]'),
    b"cursor=" + base64.urlsafe_b64encode(b'["a\\u0000b"]'),
    b"state=\xc3\x28",
    b"x=" + b"y" * 9_000,
    b"key=%00",
    b"called=%00",
    b"called=%ED%A0%80",
    b"class_name=a%00",
    b"cursor=" + base64.urlsafe_b64encode(b'[9999999999,"a","00000000-0000-0000-0000-000000000000"]'),
    b"cursor=" + base64.urlsafe_b64encode(b'[1,"a\\u0000b","00000000-0000-0000-0000-000000000000"]'),
)
BODIES = (
    b"",
    b"{",
    b"null",
    b"[" * 10_000,
    b'{"date":' * 5_000,
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0",
    b"NaN",
    b"1" * 5_000,
    b'{"date": "2025-10-25", "track_slug": "track", "wait_seconds": 1e999}',
    b'{"date": "2025-10-25", "track_slug": "track", "wait_seconds": -0.0, "refresh": "\\ud800"}',
    b'{"date": "2025-10-25", "track_slug": "tr\\u0000ck"}',
    b'{"date": "9999-12-31", "track_slug": "track"}',
    b'{"date": "0001-01-01", "track_slug": "track"}',
    b'{"date": "2025-10-25", "track_id": "\xc3\x28"}',
    b'{"date": "2025-10-25", "date": "2025-10-24", "track_slug": "track"}',
    b'{"track_slug": "track", "year": 1e400, "month": 1}',
    b'{"track_slug": "track", "year": 2025, "month": 99999999999}',
)
GETS = (
    b"/api/v1/tracks",
    b"/api/v1/drivers",
    b"/api/v1/tracks/track/records/history",
    b"/api/v1/practice-days/search",
    b"/api/v1/ingest-runs",
    b"/api/v1/nowhere",
    b"/metrics",
    b"/readyz",
    b"/api/v1/practice-days/track/2025-10-25",
    b"/api/v1/provenance/laps",
    b"/api/v1/ingest-runs/00000000-0000-0000-0000-000000000000/events",
    b"/api/v1/openapi.json",
)
PATHS = (
    b"/api/v1/practice-days/track/0001-01-01",
    b"/api/v1/practice-days/track/99999-01-01",
    b"/\xff",
    b"/%ff%00",
    b"//",
    b"/api/v1/practice-days/%ED%A0%80/2025-10-25",
    b"/api/v1/sessions/%00",
    b"/api/v1/../../etc/passwd",
    b"*",
    b"/api/v1/drivers/urn:uuid:00000000-0000-0000-0000-000000000000",
    b"/api/v1/provenance/" + b"a" * 9_000,
    b"/api/v1/provenance/laps?key=" + b"%00/" * 4,
    b"/api/v1/provenance/races?key=track/0001-01-01/%F0%9F%8F%81",
)
POSTS = (b"/api/v1/practice-days/ingest", b"/api/v1/practice-days/discover")


@pytest.fixture
async def settings(dsn: str) -> Settings:
    return settings_of(dsn)


class Raw:
    """A client that sends what it is told, byte for byte."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self._place = (parts.hostname, parts.port)
        self._key = f"Authorization: Bearer {key}\r\n".encode()

    async def status(self, method: bytes, path: bytes, header: bytes = b"", body: bytes = b"") -> int:
        """The status of the answer; the connection is one of its own."""
        usual = b"" if header.startswith(b"Host:") else b"Host: api\r\n"
        if not header.startswith((b"Authorization:", b"X-Api-Key:")):
            usual += self._key
        head = b"%b %b HTTP/1.1\r\n%bPrefer: respond-async\r\nContent-Length: %d\r\n%b\r\n"
        reader, writer = await asyncio.open_connection(*self._place)
        try:
            writer.write(head % (method, path, usual, len(body), header) + body)
            first = await asyncio.wait_for(reader.readline(), 20)
        finally:
            writer.close()
        assert first.startswith(b"HTTP/1.1 "), (method, path, header[:200], body[:200])
        return int(first.split()[1])


@asynccontextmanager
async def raw(settings: Settings) -> AsyncGenerator[Raw]:
    async with serving(settings, no_month) as address:
        yield Raw(address, await token(settings, Scope.ingest))


GOOD = b'{"track_slug": "track", "date": "2025-10-25"}'
JSON = b"Content-Type: application/json\r\n"

Request = tuple[bytes, bytes, bytes, bytes]
"""Method, path, a header, a body."""


def requests() -> Iterator[Request]:
    """Each odd part alone, in requests that are right otherwise."""
    turn = itertools.cycle(
        [*((b"GET", path, b"") for path in GETS), *((b"POST", path, GOOD) for path in POSTS)]
    )
    for name, value in itertools.product(HEADERS, VALUES):
        method, path, body = next(turn)
        yield method, path, b"%b: %b\r\n" % (name.encode(), value), body
    for query, path in itertools.product(QUERIES, GETS):
        yield b"GET", path + b"?" + query, b"", b""
    for body, path in itertools.product(BODIES, POSTS):
        yield b"POST", path, JSON, body
    for path, method in itertools.product(
        (*PATHS, *GETS, *POSTS), (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"BREW")
    ):
        yield method, path, b"", b""


async def test_no_request_is_a_fault_of_ours(settings: Settings) -> None:
    await stored(settings, [listed(1, row("1"), row("2")), fetched(2, "1")])
    async with raw(settings) as client:
        found = [(await client.status(*request), *(part[:100] for part in request)) for request in requests()]
    assert [one for one in found if one[0] >= 500] == []


@pytest.mark.parametrize(
    ("method", "path", "header", "body"),
    [
        (b"GET", b"/api/v1/tracks?limit=1&limit=2", b"", b""),
        (b"GET", b"/api/v1/tracks?a=1&%61=1", b"", b""),
        (b"GET", b"/api/v1/tracks", b"Authorization: Bearer x\r\nauthorization: Bearer y\r\n", b""),
        (b"GET", b"/api/v1/tracks", b"X-Api-Key: x\r\nX-API-KEY: x\r\n", b""),
        (b"POST", POSTS[0], b"Idempotency-Key: 1\r\nIdempotency-Key: 2\r\n", GOOD),
        (b"POST", POSTS[0], JSON + JSON, GOOD),
        (b"POST", POSTS[0], JSON, GOOD[:-1] + b', "date": "2025-10-24"}'),
        (b"POST", POSTS[0], JSON, GOOD[:-1] + b', "d\\u0061te": "2025-10-25"}'),
        (b"POST", POSTS[1], JSON, b'{"track_slug": "track", "year": 2025, "month": 1, "month": 2}'),
    ],
)
async def test_what_is_said_twice_is_refused(
    settings: Settings, method: bytes, path: bytes, header: bytes, body: bytes
) -> None:
    async with raw(settings) as client:
        assert await client.status(method, path, header, body) == 400
