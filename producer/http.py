"""One request to the site: an address goes in, a page of bounded size comes out.

Redirects are not followed: an address that the site points to is an answer like any other.
"""

import asyncio
import datetime as dt
import email.utils
import hashlib
import ssl
import zlib
from collections.abc import Iterator, Mapping
from typing import cast

import httpx
from msgspec import Struct

from producer.errors import BadStatus, TooLarge, Unreachable
from schemas.terminal import clean
from schemas.topics import MAX_PAGE_BYTES
from store.faults import said_by
from telemetry import metrics

TIMEOUT_SECONDS = 30.0
"""How long one request may take, from its begin to the page's last byte."""

ERROR_BYTES = 64 * 1024
ERROR_SECONDS = 5.0
"""How much is read of an answer that is no page, and for how long: enough to know a bot check."""

MOST_PARTS = 20_000
"""In how many pieces a page may come: each costs 30 µs of a core, and may be of one byte."""

LONGEST_REASON = 300

LONGEST_HEADER = 500
"""Characters that are kept of a header of the site's."""

_OK = 200
NOT_MODIFIED = 304
NO_VALIDATORS: Mapping[str, str] = {}
_KEPT_HEADERS = ("content-type", "etag", "last-modified", "date", "server")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ACCEPT = {b"Accept": b"text/html", b"Accept-Encoding": b"gzip"}
_NOT_ACTED_ON = ("location", "set-cookie", "set-cookie2")
_NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError, zlib.error)
"""What httpx raises where no page comes; `UnicodeError` for a name that IDNA does not allow (`xn--a`)."""


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


class _Transport(httpx.AsyncHTTPTransport):
    """Leaves out what httpx would act on by itself: a cookie would be kept, a redirect's address be read."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        for name in _NOT_ACTED_ON:
            response.headers.pop(name, None)
        return response


class Client:
    """An HTTP client that says who it is, and reads no more than a page may have."""

    def __init__(self, user_agent: str, *, connections: int) -> None:
        self.user_agent = user_agent
        # Certificates are checked against the system's store, or against SSL_CERT_FILE.
        # Requests wait here, and not in httpcore's pool: it loses the connection of one that is cut short
        # when it has just been given that connection.
        self._free = asyncio.Semaphore(connections)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=connections)
        self._http = httpx.AsyncClient(
            headers={**_ACCEPT, b"User-Agent": user_agent.encode()},
            transport=_Transport(verify=ssl.create_default_context(), limits=limits),
            timeout=None,  # noqa: S113 - a request is timed as a whole
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, url: str, validators: Mapping[str, str] = NO_VALIDATORS) -> Page:
        """The page; raises `Unreachable`, `BadStatus` or `TooLarge`.

        With `validators`, the headers of a conditional request, it may be `not_modified`; its body is empty
        then.
        """
        status: int | None = None
        headers = {name.encode(): value.encode() for name, value in validators.items()}
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._free,
                self._http.stream("GET", url, headers=headers) as response,
            ):
                status = response.status_code
                metrics.site_answered(status)
                return await _page(url, response, conditional=bool(validators))
        except _NO_ANSWER as error:
            if status is None:
                metrics.site_answered(None)
            raise Unreachable(url, _told(error)) from error


def _told(error: BaseException) -> str:
    """What went wrong, in one line of bounded length."""
    of_system = [one for one in _chain(error) if isinstance(one, OSError)]
    cause = next((one for one in of_system if one.errno), [error, *of_system][-1])
    if isinstance(cause, TimeoutError) and cause.errno is None:
        return f"no answer within {TIMEOUT_SECONDS:.0f} s"
    return clean(" ".join(said_by(cause).split())[:LONGEST_REASON])


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it was raised from; of several at once the first."""
    while error:
        yield error
        several = (
            cast("BaseExceptionGroup[Exception]", error) if isinstance(error, BaseExceptionGroup) else None
        )
        error = several.exceptions[0] if several else error.__cause__ or error.__context__


async def _page(url: str, response: httpx.Response, *, conditional: bool) -> Page:
    observed_at = dt.datetime.now(dt.UTC)
    status = response.status_code
    not_modified = conditional and status == NOT_MODIFIED
    if status != _OK and not not_modified:
        retry_after = _retry_after(response, observed_at)
        raise BadStatus(url, status, retry_after=retry_after, body=await _read_error(response))
    body, whole = await _read(response, MAX_PAGE_BYTES)
    if not whole:
        raise TooLarge(url, f"more than {MAX_PAGE_BYTES} bytes, or {MOST_PARTS} parts")
    return Page(
        url=url,
        status=status,
        headers=_kept(response),
        body=body,
        observed_at=observed_at,
        not_modified=not_modified,
    )


def _kept(response: httpx.Response) -> dict[str, str]:
    """Some of the answer's headers."""
    found = ((name, _header(response, name)) for name in _KEPT_HEADERS)
    return {name: value[:LONGEST_HEADER] for name, value in found if value is not None}


def _header(response: httpx.Response, name: str) -> str | None:
    """The first header of this name, as text: UTF-8 where it is that, else Latin-1.

    It is data, whatever its bytes are: Latin-1 has a character for each.
    """
    wanted = name.encode()
    value = next((value for key, value in response.headers.raw if key.lower() == wanted), None)
    return None if value is None else _text(value)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


async def _read(response: httpx.Response, most: int) -> tuple[bytes, bool]:
    """The body, and whether that is all of it: bounded as it comes, as it unpacks and in how many parts."""
    packed = _header(response, "content-encoding") not in {None, "identity"}
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if packed else None
    body = bytearray()
    came = parts = 0
    async for part in response.aiter_raw():
        parts += 1
        came += len(part)
        body += unpacker.decompress(part, most + 1) if unpacker else part
        if max(came, len(body)) > most or parts > MOST_PARTS:
            return bytes(body[:most]), False
    if unpacker and came and not unpacker.eof:
        raise zlib.error("the compressed body ends before its end")
    return bytes(body), True


async def _read_error(response: httpx.Response) -> bytes:
    """The begin of what stands in an answer that is no page; its status counts all the same."""
    try:
        async with asyncio.timeout(ERROR_SECONDS):
            body, _ = await _read(response, ERROR_BYTES)
    except _NO_ANSWER:
        return b""
    return body


def _retry_after(response: httpx.Response, now: dt.datetime) -> float | None:
    """The seconds that the site asks to wait, in either of the header's forms."""
    text = (_header(response, "retry-after") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
