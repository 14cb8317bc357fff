"""The order of locks: what each statement holds, by the page; and connections that note who breaks it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from store.session import Session
from tests.statements import all_statements

PAGE = Path("docs/architecture.md")

ADVISORY = {"lock_idempotency_key": 1, "lock_feeding": 1, "lock_following": 1, "lock_aggregates": 8}
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
    for name, text in all_statements().items():
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
        self._so_far: WeakKeyDictionary[Session, int] = WeakKeyDictionary()
        self._held_by = held_by()
        self._order = places()

    def statement(self, session: Session, query: str) -> None:
        """Hold a statement against what its transaction holds."""
        self._asked(session, self._held_by.get(query.strip(), set()), query)

    def copied(self, session: Session, table: str) -> None:
        """Hold rows that are copied into a table against what their transaction holds."""
        self._asked(session, {self._order[table]} if table in self._order else set(), f"COPY {table}")

    def _asked(self, session: Session, asked: set[int], what: str) -> None:
        connection: Any = session
        so_far = self._so_far.get(session, 0) if connection.is_in_transaction() else 0
        if asked:
            again = so_far == ADVISORY["lock_aggregates"] and "advisory" in what
            if min(asked) < so_far or again:
                self.broken.append(f"{sorted(asked)} after {so_far}: {what[:200]}")
            self.seen |= asked
        self._so_far[session] = max(so_far, *asked, 0)


def noting(monkeypatch: pytest.MonkeyPatch) -> Noted:
    """Hold the statements of every session against the order from now on."""
    noted = Noted()

    def with_note(method: Any, note: Callable[[Session, str], None]) -> Any:
        async def call(self: Session, what: str, *args: Any, **kwargs: Any) -> Any:
            note(self, what)
            return await method(self, what, *args, **kwargs)

        return call

    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        monkeypatch.setattr(Session, name, with_note(getattr(Session, name), noted.statement))
    name = "copy_records_to_table"
    monkeypatch.setattr(Session, name, with_note(getattr(Session, name), noted.copied))
    return noted
