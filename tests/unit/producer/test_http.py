"""One request: what it says of itself, how much it reads, what it makes of an answer that is no page."""

import asyncio
import contextlib
import datetime as dt
import email.utils
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from producer import http
from producer.archive import validators
from producer.errors import BadStatus, TooLarge, Unreachable
from producer.http import ERROR_BYTES, LONGEST_HEADER, MOST_PARTS, Client
from producer.site import Site
from sandbox.sample_site.faults import Fault
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.server import RunningSite, serve
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context
from schemas.pages import ArchivedPage, pack_page, unpack_page
from store.pages import PageRow
from tests.conftest import DAY, TRACK


@pytest.fixture
async def running(site: SampleSite) -> AsyncGenerator[RunningSite]:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    async with serve(site) as running:
        yield running


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    client = Client("lapstream/0.1 (test)", connections=2)
    yield client
    await client.close()


@pytest.fixture
def url(running: RunningSite) -> str:
    return Site(running.site_template).day(TRACK, DAY)


async def test_a_page_comes_unpacked_with_its_name(site: SampleSite, client: Client, url: str) -> None:
    page = await client.get(url)
    assert page.body == site.list_page(TRACK, DAY).body
    assert page.headers["etag"] == site.list_page(TRACK, DAY).etag
    assert not page.not_modified


async def test_an_unchanged_page_comes_without_a_body(site: SampleSite, client: Client, url: str) -> None:
    page = await client.get(url, {"If-None-Match": site.list_page(TRACK, DAY).etag})
    assert (page.status, page.not_modified, page.body) == (304, True, b"")


async def test_an_answer_that_nobody_asked_for_is_no_page(client: Client, running: RunningSite) -> None:
    with pytest.raises(BadStatus, match="status 404"):
        await client.get(f"{running.base_url}/nowhere")


async def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(
    site: SampleSite, client: Client, url: str
) -> None:
    site.faults.add(Fault(kind="gzip_bomb", megabytes=200))
    with pytest.raises(TooLarge):
        await client.get(url)


async def test_a_connection_that_breaks_off_is_no_page(site: SampleSite, client: Client, url: str) -> None:
    site.faults.add(Fault(kind="drop"))
    with pytest.raises(Unreachable):
        await client.get(url)


async def test_a_request_that_breaks_off_is_made_once(site: SampleSite, client: Client, url: str) -> None:
    await client.get(url)
    site.faults.add(Fault(kind="drop"))
    with pytest.raises(Unreachable, match="Server disconnected"):
        await client.get(url)
    assert len(site.ledger.requests) == 2


NOWHERE = {
    "http://127.0.0.1:9/": "unreachable: Connection refused",
    "http://localhost:9/": "unreachable: Connection refused",
    "http://nowhere.invalid/": "unreachable: the host's name can't be resolved",
    f"http://{'a' * 70}.invalid/": "unreachable: the host's name can't be resolved",
    "http://xn--zzzzzz.invalid/": "unreachable: Invalid A-label",
    "http://nowhere.invalid:99999/": "unreachable: the host's name can't be resolved",
    "http://[::1/": "unreachable: Invalid port",
}


@pytest.mark.parametrize("address", NOWHERE)
async def test_an_address_where_nobody_listens_is_told_in_a_line(client: Client, address: str) -> None:
    with pytest.raises(Unreachable, match=NOWHERE[address]) as caught:
        await client.get(address)
    assert "\n" not in caught.value.found


async def test_an_answer_that_is_no_http_is_told_in_a_short_line(client: Client) -> None:
    async with sending(b"\x1b[31m" + b"no http\n" * 1_000) as (url, _):
        with pytest.raises(Unreachable) as caught:
            await client.get(url)
    assert caught.value.found.isprintable()
    assert len(caught.value.found) < 400


async def test_what_stands_in_an_error_is_kept_to_be_looked_at(
    site: SampleSite, client: Client, url: str
) -> None:
    site.faults.add(Fault(kind="status", status=503))
    with pytest.raises(BadStatus) as caught:
        await client.get(url)
    assert b"<title>503" in caught.value.body
    assert len(caught.value.body) <= ERROR_BYTES


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("120", 120, 120), ("0", 0, 0), ("Sat, 25 Oct 2025 11:00:00 GMT", 0, 0)],
)
async def test_how_long_to_wait_is_read_in_both_forms(
    site: SampleSite, client: Client, url: str, header: str, least: float, most: float
) -> None:
    site.faults.add(Fault(kind="status", status=429, retry_after=header))
    with pytest.raises(BadStatus) as caught:
        await client.get(url)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most


async def test_a_moment_to_wait_for_is_read(site: SampleSite, client: Client, url: str) -> None:
    in_two_minutes = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
    header = email.utils.format_datetime(in_two_minutes)
    site.faults.add(Fault(kind="status", status=429, retry_after=header))
    with pytest.raises(BadStatus) as caught:
        await client.get(url)
    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 121


@pytest.mark.parametrize("header", [None, "soon", "-5", "²", "١٢"])
async def test_what_names_no_time_is_no_time(
    site: SampleSite, client: Client, url: str, header: str | None
) -> None:
    site.faults.add(Fault(kind="status", status=429, retry_after=header))
    with pytest.raises(BadStatus) as caught:
        await client.get(url)
    assert caught.value.retry_after is None


@asynccontextmanager
async def sending(
    answer: bytes, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A site that answers everything with these bytes: its address, and the requests that came."""
    asked: list[bytes] = []

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve_one, "127.0.0.1", 0, ssl=tls) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield f"https://{address}" if tls else f"http://{address}", asked


@asynccontextmanager
async def answering(head: bytes, status: bytes = b"200 OK") -> AsyncGenerator[str]:
    """A site whose every answer is a page under these headers, byte for byte."""
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 4\r\nConnection: close\r\n" + head + b"\r\npage"
    async with sending(answer) as (url, _):
        yield url


NAMES = (b"Server", b"ETag", b"Content-Type", b"Last-Modified", b"Date", b"Retry-After", b"X-Any")
VALUES = (
    *(bytes([number]) for number in b"\x00\x01\x09\x1f\x7f\x80\x9f\xad\xe9\xff"),
    bytes(range(128, 256)) * 3,
    b"caf\xc3\xa9 \xe2\x80\xae \xed\xa0\x80",
)


@pytest.mark.parametrize("name", NAMES)
async def test_whatever_stands_in_a_header_is_data(client: Client, name: bytes) -> None:
    for value in VALUES:
        async with answering(name + b": " + value + b"\r\n") as url:
            if b"\0" in value:
                with pytest.raises(Unreachable, match="illegal header line"):
                    await client.get(url)
                continue
            page = await client.get(url)
        packed = pack_page(
            url=page.url,
            status=page.status,
            headers=page.headers,
            body=page.body,
            observed_at=page.observed_at,
            context=Context(source="test"),
        )
        read = unpack_page(packed.headers, packed.value)
        assert read is not None
        assert read.headers == page.headers
        async with answering(b"") as url:
            await client.get(url, validators(index_row(read)))


def index_row(page: ArchivedPage) -> PageRow:
    etag, modified = page.headers.get("etag"), page.headers.get("last-modified")
    return PageRow(page.url, page.observed_at, page.sha256, 200, etag, modified, 4, "pages", 0, 0)


async def test_a_header_is_kept_as_it_was_meant(client: Client) -> None:
    head = b'Server: caf\xe9\r\nETag: "\xe2\x82\xac"\r\nContent-Type: ' + b"x" * 2_000 + b"\r\n"
    async with answering(head) as url:
        page = await client.get(url)
    assert page.headers == {"server": "café", "etag": '"€"', "content-type": "x" * LONGEST_HEADER}


LOCATIONS = (
    b"/elsewhere",
    b"http://127.0.0.1:9/",
    b"//[",
    b"http://[::1",
    b"http://h:abc/",
    b"http://xn--\xff/",
    b"mailto:x@y",
    b"\x01",
    b"x" * 70_000,
)


@pytest.mark.parametrize("location", LOCATIONS, ids=lambda value: repr(value[:20]))
async def test_a_redirect_is_an_answer_wherever_it_leads(client: Client, location: bytes) -> None:
    async with answering(b"Location: " + location + b"\r\n", b"302 Found") as url:
        with pytest.raises(BadStatus, match="status 302"):
            await client.get(url)


async def test_no_cookie_is_kept(client: Client) -> None:
    head = b"Set-Cookie: a=b; Path=/\r\nSet-Cookie2: c=d; Version=1\r\n"
    async with sending(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + head + b"\r\n") as (url, asked):
        for _ in range(2):
            await client.get(url)
    assert len(asked) == 2
    assert b"cookie" not in asked[1].lower()


async def test_what_the_environment_says_of_proxies_is_not_heeded(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fresh = Client("lapstream/0.1 (test)", connections=1)
    await fresh.get(url)
    await fresh.close()


async def test_who_asks_is_told_whatever_the_name_is() -> None:
    client = Client("lapstream/0.1 (josé@example.org)", connections=1)
    async with sending(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, asked):
        await client.get(url)
    await client.close()
    assert "User-Agent: lapstream/0.1 (josé@example.org)\r\n" in asked[0].decode()


async def test_a_page_in_a_great_many_parts_is_refused(client: Client) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = b"1\r\nx\r\n" * (MOST_PARTS + 1)
    async with sending(head + parts + b"0\r\n\r\n") as (url, _):
        with pytest.raises(TooLarge, match="20000 parts"):
            await client.get(url)


@pytest.mark.parametrize("turns", range(12))
async def test_requests_that_were_cut_short_leave_their_connections_to_others(
    site: SampleSite, client: Client, url: str, turns: int
) -> None:
    """Two have connections; two wait for one, and are cut short when they get it, so many turns later."""
    site.faults.add(Fault(kind="delay", seconds=60, times=4))
    asking = [asyncio.create_task(client.get(url)) for _ in range(4)]
    while site.ledger.in_flight < 2:  # noqa: ASYNC110 - the site runs in this loop
        await asyncio.sleep(0.01)
    for task in asking[:2]:
        task.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in asking[2:]:
        task.cancel()
    ends = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(end) for end in ends} == {asyncio.CancelledError}
    site.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*(client.get(url) for _ in range(4)))


async def test_requests_that_took_too_long_leave_their_connections_to_others(
    monkeypatch: pytest.MonkeyPatch, site: SampleSite, client: Client, url: str
) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.1)
    site.faults.add(Fault(kind="delay", seconds=60, times=4))
    ends = await asyncio.gather(*(client.get(url) for _ in range(4)), return_exceptions=True)
    assert {type(end) for end in ends} == {Unreachable}
    monkeypatch.undo()
    site.faults.clear()
    await asyncio.gather(*(client.get(url) for _ in range(4)))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody vouches for, and its key, in one file."""
    path = tmp_path / "site.pem"
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1"
    command = ["openssl", "req", *options.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", path, "-out", path], check=True, capture_output=True)
    return path


async def test_a_certificate_is_checked_against_the_systems_store_or_a_named_file(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, client: Client
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with sending(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage", tls) as (url, asked):
        with pytest.raises(Unreachable, match="TLS failed: self-signed certificate"):
            await client.get(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = Client("lapstream/0.1 (test)", connections=1)
        assert (await trusting.get(url)).body == b"page"
        await trusting.close()
    assert len(asked) == 1
