"""The order of locks: what each statement holds, by the page; and connections that note who breaks it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from store import statements

PAGE = Path("docs/architecture.md")

ADVISORY = {"lock_idempotency_key": 1, "lock_feeding": 1, "lock_aggregates": 7}
"""The statements that ask for an advisory lock, with their rows on the page."""

_ROW = re.compile(r"^\| (\d) \| (.*?) \|", re.MULTILINE)
_WRITTEN = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
_HELD = re.compile(r"\bFROM (\w+)\b[^;]*?\bFOR (?:NO KEY )?UPDATE", re.DOTALL)


def places() -> dict[str, int]:
    """Where each table stands in the order, as the page has it."""
    section = PAGE.read_text(encoding="utf-8").partition("### The order of locks")[2].partition("\n## ")[0]
    return {
        table: int(place) for place, what in _ROW.findall(section) for table in re.findall(r"`(\w+)`", what)
    }


def held_by() -> dict[str, set[int]]:
    """The places of what each statement holds."""
    order = places()
    found: dict[str, set[int]] = {}
    for name in statements.names():
        text = statements.statement(name)
        code = re.sub(r"--.*", "", text)
        tables = {*_WRITTEN.findall(code), *_HELD.findall(code)}
        found[text] = {order[table] for table in tables if table in order}
        if name in ADVISORY:
            found[text].add(ADVISORY[name])
    return found


class Noted:
    """What transactions held, and where one asked for something that stands before what it held already."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.seen: set[int] = set()
        self._held_by = held_by()
        self._order = places()

    def connection_class(self) -> type[asyncpg.Connection]:
        """A connection that notes each statement."""
        noted = self
        base: Any = asyncpg.Connection

        class Noting(base):
            """A connection whose statements are held against the order."""

            so_far = 0

        def noting(method: Callable[..., Any]) -> Callable[..., Any]:
            async def call(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
                noted.statement(self, query)
                return await method(self, query, *args, **kwargs)

            return call

        for name in ("execute", "fetch", "fetchrow", "fetchval"):
            setattr(Noting, name, noting(getattr(base, name)))

        async def copy(self: Any, table_name: str, **kwargs: Any) -> Any:
            noted.holds(self, {noted.place(table_name)}, f"COPY {table_name}")
            return await base.copy_records_to_table(self, table_name, **kwargs)

        Noting.copy_records_to_table = copy
        return Noting

    def place(self, table: str) -> int:
        """Where a table stands in the order; nowhere, if it is not on the page."""
        return self._order.get(table, 0)

    def statement(self, connection: Any, query: str) -> None:
        """Hold a statement against what its transaction holds."""
        self.holds(connection, self._held_by.get(query.strip(), set()), query)

    def holds(self, connection: Any, asked: set[int], what: str) -> None:
        """Note what is asked for; the end of the order may be asked for once."""
        if not connection.is_in_transaction():
            connection.so_far = 0
            return
        asked.discard(0)
        if not asked:
            return
        self.seen |= asked
        at_end = connection.so_far == ADVISORY["lock_aggregates"]
        if min(asked) < connection.so_far or (at_end and "advisory" in what):
            self.broken.append(f"{sorted(asked)} after {connection.so_far}: {what[:200]}")
        connection.so_far = max(*asked, connection.so_far)


def noting(monkeypatch: pytest.MonkeyPatch) -> Noted:
    """Have every connection that is opened from now on note its statements."""
    noted = Noted()
    kind = noted.connection_class()
    for name in ("create_pool", "connect"):
        opened = getattr(asyncpg, name)

        def opening(*args: Any, opened: Any = opened, **kwargs: Any) -> Any:
            return opened(*args, **kwargs, connection_class=kind)

        monkeypatch.setattr(asyncpg, name, opening)
    return noted
