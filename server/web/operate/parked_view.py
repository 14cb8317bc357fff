"""What the pages of parked records hold: their bytes as they may be shown. Pure.

The bytes may be hostile: of text only what can be printed is shown as it is, of everything the beginning.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from ops.parked.queries import Head, Parked
from schemas.envelope import attributes_of
from schemas.events import EVENT_TYPES
from schemas.terminal import clean
from server.web.texts import TEXTS

SHOWN_CHARACTERS = 4_000
SHOWN_BYTES = 1_024
"""The most of a key, a value or a header that is shown as text, and in hex."""

SHOWN_HEADERS = 100
EDITABLE_BYTES = 200_000
"""A larger event is mended in a file."""

LINE = 16
"""Bytes of a line in hex."""


class Shown(Struct, frozen=True, kw_only=True):
    """Bytes as a page shows them: `text` is None where they are no text; `size` is None for null."""

    size: int | None
    text: str | None
    hex: str
    is_cut: bool


class RecordView(Struct, frozen=True, kw_only=True):
    """A record as a page shows it."""

    head: Parked
    key: Shown
    value: Shown
    headers: list[tuple[str, Shown]]
    more_headers: int


def record_of(record: Parked) -> RecordView:
    """A record, its bytes made harmless and bounded."""
    return RecordView(
        head=record,
        key=shown(record.key),
        value=shown(record.value),
        headers=[(clean(name), shown(data)) for name, data in record.headers[:SHOWN_HEADERS]],
        more_headers=max(0, len(record.headers) - SHOWN_HEADERS),
    )


def shown(data: bytes | None) -> Shown:
    """Bytes as text, where they are text, and in hex; the beginning where they are many."""
    if data is None:
        return Shown(size=None, text=None, hex="", is_cut=False)
    text = _decoded(data)
    return Shown(
        size=len(data),
        text=None if text is None else "\n".join(map(clean, text[:SHOWN_CHARACTERS].split("\n"))),
        hex="\n".join(_hex_lines(data[:SHOWN_BYTES])),
        is_cut=len(data) > SHOWN_BYTES if text is None else len(text) > SHOWN_CHARACTERS,
    )


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _hex_lines(data: bytes) -> Iterator[str]:
    """Bytes as `xxd` prints them: where a line begins, in hex, and as ASCII."""
    for begin in range(0, len(data), LINE):
        part = data[begin : begin + LINE]
        ascii_ = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)  # noqa: PLR2004 - printable
        yield f"{begin:08x}  {part.hex(' '):<{3 * LINE - 1}}  {ascii_}"


def editable(record: Parked) -> str | None:
    """The event of a record as a form may have it; None where it is no text, or too large."""
    if record.value is None or len(record.value) > EDITABLE_BYTES:
        return None
    return _decoded(record.value)


def type_of(record: Parked) -> str | None:
    """The type of the event, where its record says one that is known."""
    name = attributes_of(record.headers, record.value).type
    return name if name in EVENT_TYPES else None


def faults_of(heads: Sequence[Head]) -> list[str]:
    """How many records have which fault, and by how many groups they are parked."""
    faults = Counter(code for _, code in {(head.place, head.code) for head in heads})
    parked_by = sorted({head.group for head in heads})
    by = [TEXTS("operate.parked_by", groups=", ".join(parked_by))] if parked_by else []
    return [*(TEXTS("operate.faults", n=number, code=code) for code, number in faults.most_common()), *by]
