"""A row as it is stored, and as its observations have it, go in; the columns that differ come out."""

import datetime as dt
from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec


def edited(stored: Mapping[str, object], expected: Mapping[str, object]) -> list[str]:
    """The columns in which a row, read as JSON, is not as expected."""
    return [name for name, value in expected.items() if not _same(stored[name], value)]


def note_of(columns: Iterable[str]) -> str | None:
    """What is said of these columns; None where there are none."""
    names = ", ".join(columns)
    return (
        f"not what the observations say: {names}; edited by hand? `lapstream verify` tells" if names else None
    )


def _same(stored: object, expected: object) -> bool:
    match expected:
        case dt.datetime():
            return _moment(stored) == expected
        case UUID():
            return stored == str(expected)
        case str() if isinstance(stored, dict):
            return stored == msgspec.json.decode(expected)
        case tuple():
            return stored == list(expected)  # pyright: ignore[reportUnknownArgumentType] - a lap's segments
        case _:
            return stored == expected


def _moment(stored: object) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(stored) if isinstance(stored, str) else None
    except ValueError:
        return None
