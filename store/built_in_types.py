"""What a server says of its built-in types, remembered for all sessions of this process.

asyncpg knows the scalar types. For an array of them, such as `uuid[]`, it asks the server in each new
session: three statements, which take longer than opening the session does (MagicStack/asyncpg#1272). A
built-in type has the same number, name and elements on every server, so one answer holds for all. What a
database defines for itself is asked for in each session, as asyncpg does it.
"""

from collections.abc import Collection, Iterable

import asyncpg

FIRST_OF_OTHERS = 10_000
"""Lower numbers are written into PostgreSQL's sources ("OID Assignment" in its documentation)."""

_SCALAR_OR_ARRAY = b"b"

_known: dict[int, asyncpg.Record] = {}
"""By their numbers, elements before their arrays."""


def described(numbers: Iterable[int]) -> Collection[asyncpg.Record] | None:
    """What is remembered, these types among it, in asyncpg's form; None where one of them is not."""
    return _known.values() if _known.keys() >= set(numbers) else None


def remember(types: Iterable[asyncpg.Record]) -> None:
    """Remember what a server said, in its order; what is not built in, or is composite, is left out."""
    for one in types:
        if one["oid"] < FIRST_OF_OTHERS and one["kind"] == _SCALAR_OR_ARRAY:
            _known.setdefault(one["oid"], one)
