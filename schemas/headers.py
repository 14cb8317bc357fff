"""What a record's headers say, under the one set of checks that reading, writing and parking share.

A header is a text: UTF-8, without the NUL character, which no table can store, and at most `MAX_HEADER` bytes
long. Of a name that stands there twice the last one counts.
"""

from collections.abc import Iterable, Mapping
from typing import NoReturn

from schemas.errors import LapstreamError

MAX_HEADER = 2_000
"""The longest header in bytes."""

UNREADABLE = "lapstream-unreadable"
"""The header of a record that the client could not hand out as it is in its topic; its value says why."""

Header = tuple[str, bytes | None]
"""A name and what stands under it."""

Headers = tuple[Header, ...]
"""A record's headers, as they came."""


class BadRecord(LapstreamError):
    """A record that is no event: `code` names the kind of fault. It is parked, with its bytes."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def check_readable(headers: Iterable[tuple[str, bytes | None]]) -> None:
    """Raise `BadRecord` for a record that the client could not hand out as it is in its topic."""
    for name, data in headers:
        if name == UNREADABLE:
            raise BadRecord("unreadable", (data or b"").decode(errors="replace"))


def required(headers: Mapping[str, bytes | None], name: str) -> str:
    """A header's text; raises `BadRecord` where it is missing, empty or none."""
    if name not in headers:
        _refuse(name, "is missing")
    return _text(name, headers[name]) or _refuse(name, "is empty")


def optional(headers: Mapping[str, bytes | None], name: str) -> str | None:
    """A header's text, None where it is missing or null; raises `BadRecord` where it is there, and none."""
    return None if (data := headers.get(name)) is None else _text(name, data)


def readable(headers: Mapping[str, bytes | None], name: str) -> str | None:
    """A header's text, None where it is missing or none."""
    try:
        return optional(headers, name)
    except BadRecord:
        return None


def written(name: str, text: str) -> bytes:
    """A header's bytes; raises `BadRecord` for a text that no reader would take."""
    data = text.encode(errors="surrogatepass")
    _text(name, data)
    return data


def media_type(text: str | None) -> str:
    """A media type without its parameters, in lower case; empty where there is none."""
    return (text or "").partition(";")[0].strip().lower()


def _text(name: str, data: bytes | None) -> str:
    if data is None:
        _refuse(name, "is null")
    if len(data) > MAX_HEADER:
        _refuse(name, f"has {len(data)} bytes, {MAX_HEADER} allowed")
    if b"\0" in data:
        _refuse(name, "holds the NUL character")
    try:
        return data.decode()
    except UnicodeDecodeError:
        _refuse(name, f"is not UTF-8: {data[:40]!r}")


def _refuse(name: str, what: str) -> NoReturn:
    raise BadRecord("bad_header", f"the header {name} {what}")
