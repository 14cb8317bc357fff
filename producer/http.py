"""One request to the site: an address goes in, a page of bounded size comes out.

Redirects are not followed: an address that the site points to is an answer like any other.
"""

import asyncio
import datetime as dt
import email.utils
import hashlib
import zlib
from collections.abc import Mapping

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from msgspec import Struct

from producer.errors import BadStatus, TooLarge, Unreachable
from schemas.terminal import clean
from schemas.topics import MAX_PAGE_BYTES
from telemetry import metrics

TIMEOUT_SECONDS = 30.0
"""How long one request may take, from its begin to the page's last byte."""

ERROR_BYTES = 64 * 1024
ERROR_SECONDS = 5.0
"""How much is read of an answer that is no page, and for how long: enough to know a bot check."""

LONGEST_REASON = 300

LONGEST_HEADER = 500
"""Characters that are kept of a header of the site's."""

_OK = 200
NOT_MODIFIED = 304
NO_VALIDATORS: Mapping[str, str] = {}
_KEPT_HEADERS = ("content-type", "etag", "last-modified", "date", "server")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Page(Struct, frozen=True, kw_only=True):
    """A page as it was answered: `body` is decompressed, `observed_at` is when the answer began.

    With `not_modified` the site said that it is the one that the archive holds.
    """

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    observed_at: dt.datetime
    not_modified: bool = False

    @property
    def sha256(self) -> str:
        """The digest of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()


class Client:
    """An HTTP client that says who it is, and reads no more than a page may have; made in a running loop."""

    def __init__(self, user_agent: str, *, connections: int) -> None:
        self.user_agent = user_agent
        self._session = ClientSession(
            headers={"User-Agent": user_agent, "Accept": "text/html", "Accept-Encoding": "gzip"},
            connector=TCPConnector(limit=connections),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=TIMEOUT_SECONDS),
            auto_decompress=False,
            middlewares=[_once],
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def get(self, url: str, validators: Mapping[str, str] = NO_VALIDATORS) -> Page:
        """The page; raises `Unreachable`, `BadStatus` or `TooLarge`.

        With `validators`, the headers of a conditional request, it may be `not_modified`; its body is empty
        then.
        """
        status: int | None = None
        try:
            async with self._session.get(url, headers=validators, allow_redirects=False) as response:
                status = response.status
                metrics.site_answered(status)
                return await _page(url, response, conditional=bool(validators))
        except (ClientError, TimeoutError, zlib.error) as error:
            if status is None:
                metrics.site_answered(None)
            raise Unreachable(url, _told(error)) from error


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Make a request once: one that breaks off aiohttp would make again, without a permit or a wait."""
    try:
        return await handler(request)
    except (ClientOSError, ServerDisconnectedError) as error:
        raise ClientConnectionError(str(error)) from error


def _told(error: Exception) -> str:
    """What went wrong, in one line of bounded length."""
    text = clean(" ".join(str(error).split())[:LONGEST_REASON])
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__} ({TIMEOUT_SECONDS:.0f} s)"


async def _page(url: str, response: ClientResponse, *, conditional: bool) -> Page:
    observed_at = dt.datetime.now(dt.UTC)
    status = response.status
    not_modified = conditional and status == NOT_MODIFIED
    if status != _OK and not not_modified:
        retry_after = _retry_after(response, observed_at)
        raise BadStatus(url, status, retry_after=retry_after, body=await _read_error(response))
    body, whole = await _read(response, MAX_PAGE_BYTES)
    if not whole:
        raise TooLarge(url, f"more than {MAX_PAGE_BYTES} bytes")
    return Page(
        url=url,
        status=status,
        headers=_kept(response),
        body=body,
        observed_at=observed_at,
        not_modified=not_modified,
    )


def _kept(response: ClientResponse) -> dict[str, str]:
    """Some of the answer's headers: data, whatever their bytes are."""
    return {
        name: _text(response.headers[name])[:LONGEST_HEADER]
        for name in _KEPT_HEADERS
        if name in response.headers
    }


def _text(header: str) -> str:
    """A header as text: UTF-8 where it is that, else Latin-1, which has a character for each byte."""
    data = header.encode(errors="surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


async def _read(response: ClientResponse, most: int) -> tuple[bytes, bool]:
    """The body, and whether that is all of it: bounded as it comes and as it unpacks."""
    packed = response.headers.get("content-encoding", "identity") != "identity"
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if packed else None
    body = bytearray()
    came = 0
    async for part in response.content.iter_any():
        came += len(part)
        body += unpacker.decompress(part, most + 1) if unpacker else part
        if max(came, len(body)) > most:
            return bytes(body[:most]), False
    if unpacker and came and not unpacker.eof:
        raise zlib.error("the compressed body ends before its end")
    return bytes(body), True


async def _read_error(response: ClientResponse) -> bytes:
    """The begin of what stands in an answer that is no page; its status counts all the same."""
    try:
        async with asyncio.timeout(ERROR_SECONDS):
            body, _ = await _read(response, ERROR_BYTES)
    except (ClientError, TimeoutError, zlib.error):
        return b""
    return body


def _retry_after(response: ClientResponse, now: dt.datetime) -> float | None:
    """The seconds that the site asks to wait, in either of the header's forms."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
