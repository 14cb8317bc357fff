"""What a batch of records unpacks to: packed bytes and a bound go in, unpacked bytes come out.

The broker bounds a batch as it comes, packed; a few kilobytes may unpack to gigabytes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import cramjam

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
"""The codecs by their numbers in a batch."""

USUAL_FACTOR = 16
"""What packs better than that is given all the room that it may take, at the second attempt."""

_SNAPPY_STREAM = b"\x82SNAPPY\0"
_SNAPPY_STREAM_HEAD = 16

Unpack = Callable[[Any, bytearray], int]
"""Unpacks bytes into a buffer, and returns how many they are."""


class CannotUnpack(Exception):
    """Bytes that unpack to more than they may, or to nothing."""


def unpacked(codec: int, packed: memoryview, limit: int) -> bytes:
    """The bytes that were packed, at most `limit` of them; raises `CannotUnpack`."""
    try:
        if codec == SNAPPY:
            return b"".join(_snappy(packed, limit))
        return _bounded(_UNPACK[codec], packed, limit)
    except KeyError as error:
        raise CannotUnpack(f"no codec has the number {codec}") from error
    except cramjam.DecompressionError as error:
        raise CannotUnpack(
            f"{len(packed)} bytes unpack to more than {limit}, or are damaged ({error})"
        ) from error


def _bounded(unpack: Unpack, packed: memoryview, limit: int) -> bytes:
    room = min(USUAL_FACTOR * (len(packed) + 1_024), limit)
    try:
        return _into(unpack, packed, room)
    except cramjam.DecompressionError:
        if room == limit:
            raise
        return _into(unpack, packed, limit)


def _into(unpack: Unpack, packed: memoryview, room: int) -> bytes:
    """Unpack into a buffer of this size, which is too small for a bomb."""
    buffer = bytearray(room)
    with memoryview(buffer) as view:
        return bytes(view[: unpack(packed, buffer)])


_UNPACK: dict[int, Unpack] = {
    GZIP: cramjam.gzip.decompress_into,
    LZ4: cramjam.lz4.decompress_into,
    ZSTD: cramjam.zstd.decompress_into,
}


def _snappy(packed: memoryview, limit: int) -> Iterator[bytes]:
    """Blocks, each with its length before it, as Java's clients write; or one block, as others do."""
    if bytes(packed[: len(_SNAPPY_STREAM)]) != _SNAPPY_STREAM:
        yield _snappy_block(packed, limit)
        return
    at = _SNAPPY_STREAM_HEAD
    while at < len(packed):
        begin = at + 4
        at = begin + int.from_bytes(packed[at:begin], "big")
        block = _snappy_block(packed[begin:at], limit)
        limit -= len(block)
        yield block


def _snappy_block(packed: memoryview, limit: int) -> bytes:
    """A block, whose first bytes say how much it unpacks to."""
    if cramjam.snappy.decompress_raw_len(packed) > limit:
        raise CannotUnpack(f"a block of {len(packed)} bytes unpacks to more than {limit}")
    return bytes(cramjam.snappy.decompress_raw(packed))
