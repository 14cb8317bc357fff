"""Pages as records: what was packed is read again; a bad record is a fault, and takes no other with it."""

import dataclasses
from typing import Any

import pytest

from consumers.pages import decode_pages
from schemas.envelope import Context, Outgoing
from schemas.headers import BadRecord
from schemas.pages import LONGEST_URL, pack_page, unpack_page
from schemas.topics import Topics
from tests.unit.producer.answers import NOON

URL = "http://site.test/practice/"
Headers = tuple[tuple[str, bytes | None], ...]


@dataclasses.dataclass(frozen=True)
class Taken:
    """A record as a Kafka client hands it out."""

    headers: Headers
    value: bytes | None = b"<html></html>"
    key: bytes | None = URL.encode()
    topic: str = "pages"
    partition: int = 3
    offset: int = 7
    timestamp: int = 0


def but(**changes: Any) -> dict[str, Any]:
    """What the usual page is packed from, with changes."""
    usual = {
        "url": URL,
        "status": 200,
        "headers": {"etag": '"a"', "last-modified": "Sat, 25 Oct 2025 11:00:00 GMT"},
        "body": b"<html></html>",
        "observed_at": NOON,
        "context": Context(source="test"),
    }
    return usual | changes


def packed() -> Outgoing:
    return pack_page(**but())


def with_header(name: str, data: bytes | None) -> Taken:
    return Taken(headers=tuple((key, data if key == name else old) for key, old in packed().headers))


def test_a_page_is_read_as_it_was_packed() -> None:
    page = unpack_page(packed().headers, packed().value)
    assert page is not None
    assert (page.url, page.status, page.body, page.observed_at) == (URL, 200, b"<html></html>", NOON)
    assert page.headers["etag"] == '"a"'


def test_a_page_is_indexed_by_its_place() -> None:
    [row] = decode_pages([Taken(headers=packed().headers)], Topics()).events
    assert (row.url, row.observed_at, row.status, row.etag) == (URL, NOON, 200, '"a"')
    assert (row.topic, row.partition, row.record_offset, row.body_bytes) == ("pages", 3, 7, 13)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ce_subject", None),
        ("ce_subject", b"\xff"),
        ("ce_subject", b"http://\0"),
        ("ce_subject", b"h" * (LONGEST_URL + 1)),
        ("ce_httpstatus", b"OK"),
        ("ce_httpstatus", b"99999999999"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2025-10-25T12:00:00"),
        ("ce_time", b"0001-01-01T00:00:00+23:59"),
        ("ce_httpheaders", b"[]"),
        ("ce_httpheaders", b'{"etag": "\\u0000"}'),
        ("ce_httpheaders", b'{"etag": "' + b"x" * 33_000 + b'"}'),
    ],
)
def test_a_bad_record_is_set_apart_and_its_neighbours_are_read(name: str, data: bytes | None) -> None:
    good, bad = Taken(headers=packed().headers), with_header(name, data)
    decoded = decode_pages([good, bad, good], Topics())
    assert [(record, fault.code) for record, fault in decoded.faults] == [(bad, "bad_page")]
    assert len(decoded.events) == 2


def test_a_page_without_a_body_is_a_fault() -> None:
    [(_, fault)] = decode_pages([Taken(headers=packed().headers, value=None)], Topics()).faults
    assert fault.code == "null_value"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"page.fetched.v9", "unknown_version"),
        (b"session_detail.fetched.v1", "unknown_version"),
        (None, "bad_header"),
    ],
)
def test_what_is_ours_and_no_page_is_a_fault(data: bytes | None, code: str) -> None:
    [(_, fault)] = decode_pages([with_header("ce_type", data)], Topics()).faults
    assert fault.code == code


def test_what_is_no_page_is_ignored() -> None:
    decoded = decode_pages([with_header("ce_type", b"org.example.thing.v1")], Topics())
    assert (decoded.ignored, decoded.events, decoded.faults) == (1, [], [])


@pytest.mark.parametrize("change", [{"url": "h" * (LONGEST_URL + 1)}, {"url": "http://\0"}, {"status": 99}])
def test_a_page_that_no_reader_would_take_is_not_written(change: dict[str, Any]) -> None:
    with pytest.raises(BadRecord):
        pack_page(**but(**change))


def test_a_page_with_long_headers_of_the_site_is_read_again() -> None:
    kept = dict.fromkeys(("content-type", "etag", "last-modified", "date", "server"), "☃" * 500)
    record = pack_page(**but(headers=kept))
    page = unpack_page(record.headers, record.value)
    assert page is not None
    assert page.headers == kept
