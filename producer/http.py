"""One request to the site: an address goes in, a page of bounded size comes out.

Redirects are not followed: an address that the site points to is an answer like any other.
"""

import asyncio
import datetime as dt
import email.utils
import hashlib
import zlib
from collections.abc import Mapping

import httpx
from msgspec import Struct

from producer.errors import BadStatus, TooLarge, Unreachable
from schemas.topics import MAX_PAGE_BYTES
from telemetry import metrics

TIMEOUT_SECONDS = 30.0
"""How long one request may take, from its begin to the page's last byte."""

_OK = 200
NOT_MODIFIED = 304
NO_VALIDATORS: Mapping[str, str] = {}
_KEPT_HEADERS = ("content-type", "etag", "last-modified", "date", "server")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Page(Struct, frozen=True, kw_only=True):
    """A page as it was answered: `body` is decompressed, `observed_at` is when the answer began."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    observed_at: dt.datetime

    @property
    def sha256(self) -> str:
        """The digest of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()


class Client:
    """An HTTP client that says who it is, and reads no more than a page may have."""

    def __init__(self, user_agent: str, *, connections: int) -> None:
        self.user_agent = user_agent
        self._client = httpx.AsyncClient(
            headers={"User-Agent": user_agent, "Accept": "text/html", "Accept-Encoding": "gzip"},
            follow_redirects=False,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, url: str, validators: Mapping[str, str] = NO_VALIDATORS) -> Page:
        """The page; raises `Unreachable`, `BadStatus` or `TooLarge`.

        With `validators`, the headers of a conditional request, its status may be `NOT_MODIFIED`; its body is
        empty then.
        """
        status: int | None = None
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._client.stream("GET", url, headers=validators) as response,
            ):
                status = response.status_code
                metrics.site_answered(status)
                observed_at = dt.datetime.now(dt.UTC)
                if status != _OK and not (status == NOT_MODIFIED and validators):
                    raise BadStatus(
                        url, response.status_code, retry_after=_retry_after(response, observed_at)
                    )
                body = await _read(url, response)
        except (httpx.HTTPError, TimeoutError, zlib.error) as error:
            if status is None:
                metrics.site_answered(None)
            raise Unreachable(url, repr(error)) from error
        return Page(
            url=url, status=response.status_code, headers=_kept(response), body=body, observed_at=observed_at
        )


def _kept(response: httpx.Response) -> dict[str, str]:
    return {name: response.headers[name][:500] for name in _KEPT_HEADERS if name in response.headers}


async def _read(url: str, response: httpx.Response) -> bytes:
    """The body: bounded as it comes and as it unpacks, so that no small answer grows large."""
    packed = response.headers.get("content-encoding", "identity") != "identity"
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if packed else None
    body = bytearray()
    came = 0
    async for part in response.aiter_raw():
        came += len(part)
        body += unpacker.decompress(part, MAX_PAGE_BYTES + 1) if unpacker else part
        if max(came, len(body)) > MAX_PAGE_BYTES:
            raise TooLarge(url, f"more than {MAX_PAGE_BYTES} bytes")
    if unpacker and not unpacker.eof:
        raise zlib.error("the compressed body ends before its end")
    return bytes(body)


def _retry_after(response: httpx.Response, now: dt.datetime) -> float | None:
    """The seconds that the site asks to wait, in either of the header's forms."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None
