"""A fetched page as a record of the topic `pages`: a CloudEvent whose data is the page itself.

The key is the address, the value the body as it was decompressed; the headers say when it was seen, under
which status, and with which headers of the site's. Kafka compresses the records.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec
from msgspec import Struct

from schemas.checks import is_possible
from schemas.cloudevents import SPECVERSION, headers_by_name
from schemas.envelope import Context, Outgoing, headers_of, is_foreign
from schemas.fields import FIRST_YEAR, LAST_YEAR
from schemas.headers import BadRecord, check_readable, readable, required
from schemas.identity import digest

PAGE_TYPE = "page.fetched.v1"

LONGEST_URL = 2_000
"""Bytes of an address: an index of PostgreSQL takes a little more."""

MAX_HEADERS_BYTES = 32 * 1024
"""Bytes of the site's headers as they stand in a record; the fetcher keeps a tenth of that."""

_STATUSES = range(100, 600)


def pack_page(
    *,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    observed_at: dt.datetime,
    context: Context,
) -> Outgoing:
    """The page as a record; raises `BadRecord` for one that `unpack_page` would refuse."""
    seen = observed_at.isoformat()
    texts = {
        "ce_specversion": SPECVERSION,
        "ce_id": digest(b"\0".join((PAGE_TYPE.encode(), url.encode(), seen.encode(), body))),
        "ce_type": PAGE_TYPE,
        "ce_source": context.source,
        "ce_subject": url,
        "ce_time": seen,
        "ce_correlationid": context.correlation_id,
        "ce_causationid": context.causation_id,
        "traceparent": context.traceparent,
        "ce_httpstatus": str(status),
        "content-type": headers.get("content-type", "text/html"),
    }
    packed = (*headers_of(texts), ("ce_httpheaders", msgspec.json.encode(dict(headers))))
    unpack_page(packed, body)
    return Outgoing(key=url.encode(), value=body, headers=packed)


class ArchivedPage(Struct, frozen=True, kw_only=True, dict=True):
    """A page as it stands in its topic: `body` is what the site wrote, `headers` some of its headers."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    observed_at: dt.datetime

    @cached_property
    def sha256(self) -> str:
        """The digest of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()


def unpack_page(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> ArchivedPage | None:
    """The page of a record; None for a type of another vendor's namespace; `BadRecord` for all else."""
    found = tuple(headers)
    check_readable(found)
    fields = headers_by_name(found)
    if is_foreign(readable(fields, "ce_type")):
        return None
    if (type_name := required(fields, "ce_type")) != PAGE_TYPE:
        raise BadRecord("unknown_version", f"{type_name!r} is no type of a page")
    texts = {name: data for name, data in fields.items() if data is not None}
    if value is None:
        raise BadRecord("null_value", "the record has no value")
    try:
        return ArchivedPage(
            url=_address(texts["ce_subject"]),
            status=_status(texts["ce_httpstatus"].decode()),
            headers=_site_headers(texts["ce_httpheaders"]),
            body=value,
            observed_at=_moment(texts["ce_time"].decode()),
        )
    except (KeyError, ValueError, msgspec.DecodeError, OverflowError) as error:
        raise BadRecord("bad_page", f"a header of the page is missing or can't be read: {error!r}") from error


def _address(data: bytes) -> str:
    if len(data) > LONGEST_URL:
        raise ValueError(f"an address of {len(data)} bytes, more than {LONGEST_URL}")
    return _without_null(data.decode())


def _status(text: str) -> int:
    found = int(text)
    if found not in _STATUSES:
        raise ValueError(f"status {found}")
    return found


def _site_headers(data: bytes) -> dict[str, str]:
    if len(data) > MAX_HEADERS_BYTES:
        raise ValueError(f"headers of {len(data)} bytes, more than {MAX_HEADERS_BYTES}")
    found = msgspec.json.decode(data, type=dict[str, str])
    return {name: _without_null(text) for name, text in found.items()}


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text with a null character")
    return text


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    if not is_possible(found):
        raise ValueError(f"{text!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return found.astimezone(dt.UTC)
