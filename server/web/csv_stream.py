"""A large table as a CSV file, sent in pieces: neither memory nor other requests wait for the whole of it.

A piece is made of what is read at a time. Where reading fails in the middle, the connection is broken off, so
that no client takes a part for the whole.
"""

import zlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable

from litestar.response import Stream
from msgspec import Struct

from laps.csv_text import csv_header, csv_rows
from server.http.csv_answers import CSV
from server.http.services import ApiRequest
from server.web.assets import takes_gzip
from server.web.pages import HEADERS

_GZIP = 31
"""zlib's number for the format of gzip."""

_LEVEL = 6


def streamed(
    request: ApiRequest, kind: type[Struct], parts: AsyncIterable[Iterable[Struct]], file: str
) -> Stream:
    """A file of this name, whose rows come in parts."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{file}"'}
    pieces = _pieces(kind, parts)
    if takes_gzip(request):
        headers["Content-Encoding"], pieces = "gzip", _packed(pieces)
    return Stream(pieces, media_type=CSV, headers=headers)


async def _pieces(kind: type[Struct], parts: AsyncIterable[Iterable[Struct]]) -> AsyncGenerator[bytes]:
    yield csv_header(kind).encode()
    async for rows in parts:
        yield "".join(csv_rows(kind, rows)).encode("utf-8", "replace")


async def _packed(pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    async for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
