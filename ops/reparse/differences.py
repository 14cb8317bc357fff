"""How a page's new reading differs from what is known: a day as known and as read go in, the differences out.

Only what the reading would take the place of is compared: what something newer said is left alone. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from ops.reparse.work import ParseTask
from projections.state import Day, FactsT_co, ListFacts, Seen
from schemas.events import DayStats, Lap, ListedSession, SessionFacts
from schemas.plain import plain

NUMBERS = 20
"""The most lap numbers, or session ids, of one kind that a difference names."""


Kind = Literal["list", "row", "detail"]


class FieldChange(Struct, frozen=True, kw_only=True):
    """A field's value as it is known, and as it is read now."""

    field: str
    old: Any
    new: Any


class Sample(Struct, frozen=True, kw_only=True):
    """How many there are, and the first of them."""

    count: int
    first: list[Any]


class LapsChange(Struct, frozen=True, kw_only=True):
    """The laps of a session, by their numbers, that a reading adds, changes or lacks."""

    added: Sample
    changed: Sample
    gone: Sample


class FactsDifference(Struct, frozen=True, kw_only=True):
    """What is different of a day's list, which has no `session_id`, or of a session's row or detail.

    Of one that `is_new`, because nothing was known of it, no fields are named.
    """

    kind: Kind
    session_id: str | None = None
    is_new: bool = False
    fields: list[FieldChange]
    laps: LapsChange | None = None


class SubjectChange(NamedTuple):
    """A subject as it is known, or None, and as the reading has it, which is at least as new."""

    old: Seen[Any] | None
    new: Seen[Any]

    @property
    def is_news(self) -> bool:
        """Whether the new one takes the place of the old one."""
        return self.old is None or self.new.stamp > self.old.stamp

    @property
    def says_else(self) -> bool:
        """Whether the contents differ at all: of rows, those of their lists."""
        return self.old is None or self.old.stamp.content_digest != self.new.stamp.content_digest


def taken(old: Day, read: Day) -> list[SubjectChange]:
    """The subjects that a reading has at least as new, by authority, moment and parser, as what is known."""
    lists = [(old.complete_list, read.complete_list)] if read.complete_list else []
    rows = [(old.rows.get(key), seen) for key, seen in read.rows.items()]
    details = [(old.details.get(key), seen) for key, seen in read.details.items()]
    return [SubjectChange(one, new) for one, new in (*lists, *rows, *details) if new and _as_new(one, new)]


def _as_new(old: Seen[FactsT_co] | None, new: Seen[FactsT_co]) -> bool:
    return old is None or new.stamp[:3] >= old.stamp[:3]


def differences(
    reading: ParseTask, read: Day, found: Iterable[SubjectChange], laps: Mapping[str, Sequence[Lap]]
) -> list[FactsDifference]:
    """What is different; `laps` are those that are known of the sessions that the reading is about."""
    all_of = [*_of_list(reading, read), *(_difference(one, laps) for one in found if one.says_else)]
    return [one for one in all_of if one.is_new or one.fields or one.laps]


def _of_list(reading: ParseTask, read: Day) -> Iterator[FactsDifference]:
    """What a list's page does not say any more."""
    if reading.session_id is not None:
        return
    fields: list[FieldChange] = []
    if lost := sorted(reading.rows - read.rows.keys()):
        fields.append(FieldChange(field="rows", old=plain_some(lost), new=None))
    if reading.complete and read.complete_list is None:
        fields.append(FieldChange(field="complete", old=True, new=False))
    yield FactsDifference(kind="list", fields=fields)


def _difference(one: SubjectChange, laps: Mapping[str, Sequence[Lap]]) -> FactsDifference:
    new = one.new.facts
    change = None
    if isinstance(new, SessionFacts):
        change = _laps(laps.get(new.session_id, ()), one.new.laps or ())
    return FactsDifference(
        kind=_KINDS[type(new)],
        session_id=None if isinstance(new, ListFacts) else new.session_id,
        is_new=one.old is None,
        fields=_fields(one.old.facts, new) if one.old else [],
        laps=change,
    )


_KINDS: dict[type[Struct], Kind] = {ListFacts: "list", ListedSession: "row", SessionFacts: "detail"}


def _fields(old: Struct, new: Struct) -> list[FieldChange]:
    """The fields that differ; of a list the sessions that it has not any more, or has now, and its totals."""
    if isinstance(old, ListFacts) and isinstance(new, ListFacts):
        return [*_changed(old.stats or DayStats(), new.stats or DayStats()), *_list_changes(old, new)]
    return _changed(old, new)


def _changed(old: Struct, new: Struct) -> list[FieldChange]:
    names = [name for name in new.__struct_fields__ if name not in {"session_id", "laps", "findings"}]
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in names)
    return [FieldChange(field=name, old=plain(was), new=plain(now)) for name, was, now in pairs if was != now]


def _list_changes(old: ListFacts, new: ListFacts) -> Iterator[FieldChange]:
    was, now = set(old.session_ids), set(new.session_ids)
    if was != now:
        gone, added = plain_some(sorted(was - now)), plain_some(sorted(now - was))
        yield FieldChange(field="sessions", old=gone, new=added)
    if old.time_zone != new.time_zone:
        yield FieldChange(field="time_zone", old=old.time_zone, new=new.time_zone)


def some(found: Iterable[Any]) -> Sample:
    """These, counted, and the first of them."""
    items = list(found)
    return Sample(count=len(items), first=items[:NUMBERS])


def plain_some(found: Iterable[Any]) -> dict[str, Any]:
    """As `some`, as plain values."""
    return msgspec.to_builtins(some(found))


def _laps(old: Sequence[Lap], new: Sequence[Lap]) -> LapsChange | None:
    """The laps that differ, by number; None where none does."""
    was, now = ({lap.lap_number: lap for lap in laps} for laps in (old, new))
    if was == now:
        return None
    return LapsChange(
        added=some(sorted(now.keys() - was.keys())),
        changed=some(sorted(number for number in was.keys() & now.keys() if was[number] != now[number])),
        gone=some(sorted(was.keys() - now.keys())),
    )
