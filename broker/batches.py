"""Batches of records as the broker sends them: bytes go in, records come out, whatever the bytes are.

It takes the place of aiokafka's own reader, which unpacks a batch to whatever size it has, and which no
consumer gets past where a header's name is not UTF-8. Here the size of what is unpacked is bounded, that of a
batch as that of a record, and so is the number of a record's headers. A record that can't be handed out as it
is comes with a header `UNREADABLE` that says why, at its place, between the records before and behind it:
whoever reads it parks it.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from broker.codecs import CannotUnpack, unpacked
from schemas.headers import UNREADABLE, Header, Headers
from schemas.topics import RECORD_BYTES

BATCH_BYTES = 32 * 1024 * 1024
"""The most that a batch may unpack to."""

ANSWER_BYTES = 8 * 1024 * 1024
"""How much is unpacked of the broker's answer for a partition; what lies behind is asked for again."""

MAX_HEADERS = 1_000
"""The most headers that a record may have."""

_LENGTH = slice(8, 12)
_BEFORE_LENGTH_ENDS = 12
_MAGIC = 16
_COUNT = slice(57, 61)
_HEAD_BYTES = 61
_FIRST_WITH_HEADERS = 2
_LOG_APPEND_TIME = 1
_ONE_BYTE = 0x80
_WIDEST = 63


class Unpacked(NamedTuple):
    """A record of a batch, in the form that aiokafka's consumer takes it."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    checksum: None = None


class Batches:
    """The batches of the broker's answer for one partition; the last one may be there in part."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0
        self._bytes_before = 0
        self._batch: Batch | None = None

    def size_in_bytes(self) -> int:
        """The size of the answer."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether another whole batch is there, and not enough was unpacked yet."""
        return self._end() <= len(self._data) and self._unpacked() < ANSWER_BYTES

    def next_batch(self) -> Any:  # noqa: ANN401 - as aiokafka's own
        """The next batch; raises `CorruptRecordException` for one that is too short to be one."""
        self._bytes_before = self._unpacked()
        data = self._data[self._at : self._end()]
        if len(data) <= _HEAD_BYTES and (len(data) <= _MAGIC or data[_MAGIC] >= _FIRST_WITH_HEADERS):
            raise CorruptRecordException(f"a batch of {len(data)} bytes")
        self._at += len(data)
        if data[_MAGIC] < _FIRST_WITH_HEADERS:  # of a time before compression and headers as they are now
            return LegacyRecordBatch(bytes(data), data[_MAGIC])
        self._batch = Batch(data)
        return self._batch

    def _end(self) -> int:
        """Where the next batch ends."""
        length = self._data[self._at :][_LENGTH]
        return self._at + _BEFORE_LENGTH_ENDS + int.from_bytes(length, "big")

    def _unpacked(self) -> int:
        return self._bytes_before + (self._batch.unpacked_bytes if self._batch else 0)


class Batch:
    """A batch: its head is aiokafka's own, its records are read here."""

    def __init__(self, data: memoryview) -> None:
        self._head: Any = DefaultRecordBatch(bytes(data))
        self._count = int.from_bytes(data[_COUNT], "big")
        self._packed = data[_HEAD_BYTES:]
        self.unpacked_bytes = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as aiokafka's own
        """What the batch's head says."""
        return getattr(self._head, name)

    def __next__(self) -> object:
        """The record of a transaction's end."""
        return next(self._head)

    def __iter__(self) -> Iterator[Unpacked]:
        """Its records, in their order."""
        first, end = self._head.base_offset, self._head.next_offset
        offset = first
        try:
            for record in self._records():
                if not offset <= record.offset < end:
                    _refuse(f"a record has offset {record.offset}, where {offset} is next")
                yield record
                offset = record.offset + 1
        except (CannotUnpack, IndexError, ValueError) as error:
            reason = f"the batch at offset {first} can't be unpacked: {error}"
            yield from self._unreadable(range(offset, end), reason)

    def _records(self) -> Iterator[Unpacked]:
        """Its records with offsets and times, which are counted from the batch's first."""
        data, head = self._unpack(), self._head
        self.unpacked_bytes = len(data)
        offset, kind = head.base_offset, head.timestamp_type
        first = head.first_timestamp
        last = head.max_timestamp if kind == _LOG_APPEND_TIME else None
        for since, beyond, key, value, headers in _records(data, self._count):
            time = first + since if last is None else last
            yield Unpacked(offset + beyond, time, kind, key, value, headers)

    def _unpack(self) -> bytes:
        if codec := self._head.compression_type:
            return unpacked(codec, self._packed, BATCH_BYTES)
        return bytes(self._packed)

    def _unreadable(self, offsets: Iterable[int], reason: str) -> Iterator[Unpacked]:
        """Records of which nothing is known but that they are there."""
        head = self._head
        for offset in offsets:
            yield Unpacked(offset, head.max_timestamp, head.timestamp_type, None, None, (_mark(reason),))


_Counted = tuple[int, int, bytes | None, bytes | None, Headers]
"""A record: time and offset from the batch's first, key, value, headers."""


def _records(data: bytes, count: int) -> Iterator[_Counted]:
    """So many records of an unpacked batch; raises IndexError or ValueError where its bytes are not these."""
    at = 0
    for _ in range(count):
        length, begin = _number(data, at)
        at = begin + length
        if length <= 0 or at > len(data):
            _refuse(f"a record of {length} bytes")
        yield _record(data, begin, at)
    if at != len(data):
        _refuse(f"{len(data) - at} bytes are left over")


def _refuse(found: str) -> NoReturn:
    raise ValueError(found)


def _record(data: bytes, at: int, end: int) -> _Counted:
    """A record; of one that is larger than a producer may send all but the value."""
    size = end - at
    time, at = _number(data, at + 1)  # the byte before is of no use yet
    offset, at = _number(data, at)
    key, at = _bytes(data, at)
    value, at = _bytes(data, at)
    headers = _headers(data, at, end)
    if size > RECORD_BYTES:
        value, headers = None, (_mark(f"the record has {size} bytes, {RECORD_BYTES} allowed"), *headers)
    return time, offset, key, value, headers


def _headers(data: bytes, at: int, end: int) -> Headers:
    """A record's headers, or so many of them as it may have."""
    count, at = _number(data, at)
    found: list[tuple[bytes, bytes | None]] = []
    for _ in range(min(count, MAX_HEADERS)):
        name, at = _bytes(data, at)
        text, at = _bytes(data, at)
        found.append((name or b"", text))
    if count > MAX_HEADERS:
        return (_mark(f"the record has {count} headers, {MAX_HEADERS} allowed"), *_named(found))
    if at != end:
        _refuse(f"a record ends at byte {at}, not {end}")
    return _named(found)


def _named(headers: Iterable[tuple[bytes, bytes | None]]) -> Headers:
    """Headers by names that are texts; one that is not UTF-8 is percent-encoded."""
    try:
        return tuple([(name.decode(), text) for name, text in headers])
    except UnicodeDecodeError as error:
        named = [(_as_text(name), text) for name, text in headers]
        return (_mark(f"the name of a header is not UTF-8: {error.object[:40]!r}"), *named)


def _as_text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return quote(name)


def _mark(reason: str) -> Header:
    return UNREADABLE, reason.encode()


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Bytes with their length before them, None for a negative one; and where they end."""
    length = data[at]
    if length < _ONE_BYTE:
        if length & 1:
            return None, at + 1
        begin, end = at + 1, at + 1 + (length >> 1)
    else:
        length, begin = _number(data, at)
        if length < 0:
            return None, begin
        end = begin + length
    return data[begin:end], end


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of varying length, zigzag-encoded, seven bits a byte; and where it ends."""
    found = shift = 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < _ONE_BYTE:
            return (found >> 1) ^ -(found & 1), at
        shift += 7
        if shift > _WIDEST:
            _refuse("a number of more than ten bytes")


def read_batches_here() -> None:
    """Have every consumer of this process read batches here; to be done before the first one fetches."""
    if not hasattr(fetcher, "MemoryRecords"):
        raise RuntimeError("this version of aiokafka reads batches in another way than the one that is known")
    fetcher.MemoryRecords = Batches
