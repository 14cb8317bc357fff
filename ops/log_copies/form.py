"""A segment's inside: records go in, frames come out; and back.

A frame is the record's offset (8 bytes) and the length of what follows (4 bytes), both unsigned and
big-endian, then MessagePack: an array of timestamp (milliseconds since 1970, -1 for none), key, headers and
value; the headers are an array of arrays of a name and a value. Key, value and a header's value are bytes or
nil.
"""

import hashlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ops.log_copies.manifest import Contents, Gap
from schemas.headers import Headers
from schemas.records import Record

_FRAME = struct.Struct(">QI")


class Content(NamedTuple):
    """All of a record but its place."""

    timestamp: int
    key: bytes | None
    headers: Headers
    value: bytes | None


class Entry(NamedTuple):
    """A record in a segment; `data` is its content as it is written."""

    offset: int
    data: bytes

    @property
    def content(self) -> Content:
        """The record's content; raises `msgspec.DecodeError` or `ValidationError`."""
        return _decoder.decode(self.data)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Content)


def entry_of(record: Record) -> Entry:
    """A record as it is written."""
    headers = tuple((name, value) for name, value in record.headers)
    content = Content(record.timestamp, record.key, headers, record.value)
    return Entry(record.offset, _encoder.encode(content))


def entries(frames: bytes) -> Iterator[Entry]:
    """The records of a segment in their order; raises ValueError where it ends in the middle of one."""
    at = 0
    while at < len(frames):
        begin = at + _FRAME.size
        if begin > len(frames):
            raise ValueError(f"it ends within the frame at byte {at}")
        offset, length = _FRAME.unpack_from(frames, at)
        at = begin + length
        if at > len(frames):
            raise ValueError(f"it ends within the record of offset {offset}")
        yield Entry(offset, frames[begin:at])


class Draft:
    """Records on their way into a segment, and what there is to say of them."""

    def __init__(self, start_offset: int) -> None:
        self.frames = bytearray()
        self.start_offset = start_offset
        self.next_offset = start_offset
        self._records = 0
        self._gaps: list[Gap] = []
        self._times: tuple[int, int] | None = None
        self._digest = hashlib.sha256()

    def add(self, entry: Entry, timestamp: int) -> None:
        """Take the next record in; raises ValueError where its offset is not beyond the last one's."""
        if entry.offset < self.next_offset:
            raise ValueError(f"offset {entry.offset} stands where {self.next_offset} is the next one")
        self.pass_over(entry.offset)
        self.frames += _FRAME.pack(entry.offset, len(entry.data)) + entry.data
        self._digest.update(entry.data)
        self._records += 1
        self.next_offset += 1
        if timestamp >= 0:
            earliest, latest = self._times or (timestamp, timestamp)
            self._times = (min(earliest, timestamp), max(latest, timestamp))

    def pass_over(self, offset: int) -> None:
        """Note that no record lies before this offset."""
        if offset > self.next_offset:
            self._gaps.append(Gap(self.next_offset, offset - self.next_offset))
            self.next_offset = offset

    def contents(self) -> Contents:
        """What is in it so far."""
        earliest, latest = self._times or (None, None)
        return Contents(
            start_offset=self.start_offset,
            next_offset=self.next_offset,
            records=self._records,
            bytes=len(self.frames),
            earliest_timestamp=earliest,
            latest_timestamp=latest,
            content_sha256=self._digest.hexdigest(),
            gaps=self._gaps,
        )
