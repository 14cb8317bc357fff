"""Batches of records: read as aiokafka reads them where it can, and to their ends where it can't."""

import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record import memory_records
from hypothesis import given
from hypothesis import strategies as st

from broker import clients as kafka
from broker.batches import ANSWER_BYTES, BATCH_BYTES, MAX_HEADERS, Batches, Unpacked
from schemas.headers import UNREADABLE
from schemas.topics import RECORD_BYTES
from tests.raw_records import (
    CODECS,
    GZIP,
    LZ4,
    NOON_MS,
    SNAPPY,
    ZSTD,
    RawRecord,
    batch,
    batch_of,
    varint,
)


def read(data: bytes) -> list[Unpacked]:
    """The records of a broker's answer."""
    batches = Batches(data)
    found: list[Unpacked] = []
    while batches.has_next():
        found += batches.next_batch()
    return found


def reason_of(record: Unpacked) -> str:
    """Why a record is unreadable."""
    reason = dict(record.headers)[UNREADABLE]
    assert reason is not None
    return reason.decode()


somewhat = st.binary(max_size=300)
raw_records = st.builds(
    RawRecord,
    value=st.none() | somewhat,
    headers=st.lists(st.tuples(st.text(max_size=70).map(str.encode), st.none() | somewhat), max_size=5),
    key=st.none() | somewhat,
)


@given(
    st.lists(st.tuples(st.lists(raw_records, min_size=1, max_size=5), st.sampled_from(CODECS)), max_size=4)
)
def test_records_are_read_as_aiokafka_reads_them(batches: Sequence[tuple[Sequence[RawRecord], int]]) -> None:
    data = b"".join(batch(records, packed_by) for records, packed_by in batches)
    theirs: Any = memory_records.MemoryRecords(data)
    expected: list[Any] = []
    while theirs.has_next():
        expected += theirs.next_batch()
    found = read(data)
    names = ("offset", "timestamp", "timestamp_type", "key", "value", "checksum")
    assert [[getattr(one, name) for name in names] for one in found] == [
        [getattr(one, name) for name in names] for one in expected
    ]
    assert [one.headers for one in found] == [tuple(one.headers) for one in expected]


@given(st.lists(raw_records, min_size=1, max_size=4), st.sampled_from(CODECS), st.data())
def test_whatever_the_bytes_are_each_offset_comes_once(
    records: Sequence[RawRecord], packed_by: int, data: st.DataObject
) -> None:
    whole = bytearray(batch(records, packed_by))
    for at in data.draw(st.lists(st.integers(61, len(whole) - 1), max_size=4)):
        whole[at] = data.draw(st.integers(0, 255))
    offsets = [one.offset for one in read(bytes(whole))]
    assert offsets == sorted(set(offsets))
    assert set(offsets) <= set(range(len(records)))


def test_a_name_that_is_not_utf_8_makes_its_record_unreadable_and_no_other() -> None:
    headers = [(b"ce_id", b"1"), (b"\xff\xfe", b"x"), (b"\xf0", None)]
    before, bad, behind = read(batch([RawRecord(), RawRecord(b"value", headers), RawRecord()], ZSTD))
    assert (before.headers, behind.headers) == ((), ())
    assert [one.offset for one in (before, bad, behind)] == [0, 1, 2]
    assert (bad.key, bad.value, bad.timestamp) == (b"key", b"value", NOON_MS + 1)
    assert bad.headers[1:] == (("ce_id", b"1"), ("%FF%FE", b"x"), ("%F0", None))
    assert reason_of(bad) == r"the name of a header is not UTF-8: b'\xff\xfe'"


def test_a_record_with_too_many_headers_is_unreadable_and_keeps_the_first_ones() -> None:
    many = RawRecord(b"value", [(b"", b"")] * (MAX_HEADERS + 1))
    bad, behind = read(batch([many, RawRecord()]))
    assert len(bad.headers) == MAX_HEADERS + 1
    assert (bad.value, behind.value) == (b"value", b"{}")
    assert reason_of(bad) == "the record has 1001 headers, 1000 allowed"
    [most] = read(batch([RawRecord(b"value", [(b"", b"")] * MAX_HEADERS)]))
    assert len(most.headers) == MAX_HEADERS


def test_a_record_that_is_too_large_is_unreadable_and_keeps_its_headers() -> None:
    large = RawRecord(bytes(RECORD_BYTES), [(b"ce_id", b"1")])
    bad, behind = read(batch([large, RawRecord()], ZSTD))
    assert (bad.key, bad.value, bad.headers[1:]) == (b"key", None, (("ce_id", b"1"),))
    assert reason_of(bad).endswith(f"bytes, {RECORD_BYTES} allowed")
    assert behind.value == b"{}"
    [largest] = read(batch([RawRecord(bytes(RECORD_BYTES - 20))], ZSTD))
    assert largest.value == bytes(RECORD_BYTES - 20)


@pytest.mark.parametrize("packed_by", [GZIP, SNAPPY, LZ4, ZSTD])
def test_a_batch_that_unpacks_to_too_much_is_bounded(packed_by: int) -> None:
    bomb = batch([RawRecord(), RawRecord(bytes(BATCH_BYTES)), RawRecord()], packed_by)
    tracemalloc.start()
    found = read(bomb + batch([RawRecord(b"behind")]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [one.value for one in found] == [None, None, None, b"behind"]
    assert [one.offset for one in found[:3]] == [0, 1, 2]
    assert "unpack" in reason_of(found[0])
    assert peak < 2.5 * BATCH_BYTES


@pytest.mark.parametrize("packed_by", CODECS)
def test_a_batch_of_the_largest_size_is_read(packed_by: int) -> None:
    size = BATCH_BYTES // 16 - 20
    found = read(batch([RawRecord(bytes(size))] * 16, packed_by))
    assert [one.value for one in found] == [bytes(size)] * 16


def test_what_lies_behind_enough_is_asked_for_again() -> None:
    large = batch([RawRecord(bytes(ANSWER_BYTES // 4))], ZSTD)
    batches = Batches(large * 9)
    found = 0
    while batches.has_next():
        found += len(list(batches.next_batch()))
    assert found == 4


@pytest.mark.parametrize(
    "data",
    [
        b"\x02\0",
        varint(100) + b"short",
        varint(-5),
        b"\0" * 20,
        b"\xff" * 40,
        varint(8) + b"\0\0\0\0\0\x04\x01\0",
    ],
)
def test_bytes_that_are_no_records_cost_their_batch_alone(data: bytes) -> None:
    first, second, behind = read(batch_of(data, 2) + batch([RawRecord(b"behind")]))
    assert [one.offset for one in (first, second)] == [0, 1]
    assert [UNREADABLE in dict(one.headers) for one in (first, second, behind)] == [True, True, False]


def test_an_answer_that_ends_within_a_batch_has_the_batches_before() -> None:
    whole = batch([RawRecord()])
    for length in (0, 11, 12, 40, len(whole) - 1):
        assert len(read(whole + whole[:length])) == 1


@pytest.mark.parametrize("data", [bytes(12), batch([RawRecord()])[:11] + b"\x05" + bytes(5)])
def test_a_batch_without_a_head_is_an_error(data: bytes) -> None:
    with pytest.raises(CorruptRecordException):
        Batches(data).next_batch()


def test_every_consumer_of_the_process_reads_batches_like_this() -> None:
    assert kafka.make_reader
    assert fetcher.MemoryRecords is Batches
