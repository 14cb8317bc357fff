"""A file in pieces: each is sent before the next is read, and one that breaks off is not taken for whole."""

import gzip
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import Struct

from server.web.csv_stream import streamed


class Row(Struct, frozen=True, kw_only=True):
    """A row."""

    number: int


def asked(accepted: str) -> Any:
    return SimpleNamespace(headers={"accept-encoding": accepted})


async def pieces(parts: AsyncIterator[Iterable[Struct]], accepted: str = "") -> AsyncIterator[bytes]:
    stream = streamed(asked(accepted), Row, parts, "x.csv")
    async for piece in cast("Any", stream).iterator:
        yield piece


async def test_a_piece_is_sent_before_the_next_part_is_read() -> None:
    read: list[int] = []

    async def parts() -> AsyncIterator[Iterable[Struct]]:
        for number in range(3):
            read.append(number)
            yield [Row(number=number)]

    sent = [(piece, len(read)) async for piece in pieces(parts())]
    assert sent == [(b"number\n", 0), (b"0\n", 1), (b"1\n", 2), (b"2\n", 3)]


async def test_packed_it_is_the_same_file() -> None:
    async def parts() -> AsyncIterator[Iterable[Struct]]:
        for first in range(0, 30_000, 1_000):
            yield [Row(number=number) for number in range(first, first + 1_000)]

    packed = [piece async for piece in pieces(parts(), "br, gzip")]
    assert len(packed) > 1
    lines = gzip.decompress(b"".join(packed)).decode().splitlines()
    assert lines == ["number", *map(str, range(30_000))]


@pytest.mark.parametrize("accepted", ["", "gzip"])
async def test_what_fails_in_the_middle_ends_the_file_by_its_error(accepted: str) -> None:
    async def parts() -> AsyncIterator[Iterable[Struct]]:
        yield [Row(number=1)]
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        [piece async for piece in pieces(parts(), accepted)]
