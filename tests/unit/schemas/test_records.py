"""Records by what they are."""

import gc
import weakref
from collections.abc import Callable, Generator, Iterable
from typing import Any

import pytest

from consumers.pages import decode_pages
from schemas.pages import PAGE_TYPE
from schemas.records import Decoded, Record, decode
from schemas.topics import Topics


class Held:
    """A record that can be watched."""

    topic, partition, offset, timestamp, key = "topic", 0, 0, 0, None

    def __init__(self, headers: tuple[tuple[str, bytes | None], ...], value: bytes) -> None:
        self.headers = headers
        self.value: bytes | None = value


@pytest.fixture
def no_collector() -> Generator[None]:
    """Without the collector of cycles."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    ("reads", "headers"),
    [
        (decode, (("ce_specversion", b"2.0"),)),
        (decode, (("content-type", b"application/cloudevents+json"),)),
        (decode_pages, (("ce_type", PAGE_TYPE.encode()),)),
    ],
)
def test_a_bad_record_goes_with_its_batch(
    reads: Callable[[Iterable[Record], Topics], Decoded[Any]], headers: tuple[tuple[str, bytes | None], ...]
) -> None:
    record = Held(headers, b"{")
    watched = weakref.ref(record)
    decoded = reads([record], Topics())
    assert [one for one, _ in decoded.faults] == [record]
    del decoded, record
    assert watched() is None
