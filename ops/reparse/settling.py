"""New readings against what is known: observations go in, those that say anything new come out.

What differs, and what becomes of sessions in the tables, is noted on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from consumers.known_days import Days, load_days
from ops.reparse.differences import FactsDifference, SubjectChange, differences, taken
from ops.reparse.report import Outcome, ReparseReport, Sessions, add_page
from ops.reparse.work import ParseTask
from projections.changes import day_change, plan_day
from projections.rows import lap_of, session_rows
from projections.state import Day, DayRef, Sighted, fold_days, merge_day, sight
from schemas.events import Lap, Observation, SessionFacts
from schemas.identity import event_id
from store import practice_days as store
from store.pool import Connection

Laps = Mapping[tuple[DayRef, str], Sequence[Lap]]
"""The laps that are known of sessions."""


class Read(NamedTuple):
    """A page's new reading."""

    reading: ParseTask
    event: Observation


class _Weighed(NamedTuple):
    """A new reading: as a day of which nothing else is known, and the subjects that it would set."""

    reading: ParseTask
    sighted: Sighted
    alone: Day
    taken: list[SubjectChange]

    @property
    def is_news(self) -> bool:
        return any(one.is_news for one in self.taken)


async def settle(
    connection: Connection,
    report: ReparseReport,
    reads: Iterable[Read],
    sessions: dict[DayRef, Sessions],
    authority: int,
) -> list[Observation]:
    """Note each reading's outcome, and what becomes of sessions; returns what is to be published.

    `authority` is that of the topic that it is published to.
    """
    pairs = [(one.reading, sight(one.event, event_id(one.event), authority)) for one in reads]
    known = await load_days(connection, fold_days(sighted for _, sighted in pairs))
    weighed = [_weigh(known, reading, sighted) for reading, sighted in pairs]
    laps = await _known_laps(connection, known, weighed)
    news: list[Sighted] = []
    for one in weighed:
        day = one.sighted.day
        of_day = {session_id: found for (ref, session_id), found in laps.items() if ref == day}
        found = differences(one.reading, one.alone, one.taken, of_day)
        add_page(report, one.reading, _outcome(one, found, report.parser_version), found)
        if one.is_news and one.reading.version != report.parser_version:
            news.append(one.sighted)
            with_laps = {each.session_id for each in found if each.session_id and each.laps}
            sessions.setdefault(day, Sessions()).changed |= with_laps
    _note_rows(sessions, known, news)
    return [one.event for one in news]


def _weigh(known: Days, reading: ParseTask, sighted: Sighted) -> _Weighed:
    alone = fold_days([sighted])[sighted.day]
    return _Weighed(reading, sighted, alone, taken(known[sighted.day], alone))


def _outcome(one: _Weighed, found: Sequence[FactsDifference], present: int) -> Outcome:
    if one.reading.version is None:
        return "newly_readable" if one.is_news else "unchanged"
    if not found:
        return "unchanged"
    return "version_not_raised" if one.reading.version == present else "changed"


def _note_rows(sessions: dict[DayRef, Sessions], known: Days, news: Iterable[Sighted]) -> None:
    """Note the sessions whose rows in the tables will be other ones, as the projection works them out."""
    for ref, day in fold_days(news).items():
        change = day_change(plan_day(ref, known[ref], merge_day(known[ref], day)))
        noted = sessions.setdefault(ref, Sessions())
        noted.added.update(change.added)
        noted.changed.update(change.changed)
        noted.gone.update(change.gone)


async def _known_laps(connection: Connection, known: Days, weighed: Iterable[_Weighed]) -> Laps:
    """The laps of sessions whose details are read otherwise: those on the shelf, and those in the tables."""
    found: dict[tuple[DayRef, str], Sequence[Lap]] = {}
    stored: dict[UUID, tuple[DayRef, str]] = {}
    for one in weighed:
        for old, session_id in _other_details(one):
            key = (one.sighted.day, session_id)
            if old.laps is not None:
                found[key] = old.laps
            elif rows := session_rows(one.sighted.day, known[one.sighted.day], session_id):
                stored[rows.result.id] = key
    lists: dict[UUID, list[Lap]] = {result: [] for result in stored}
    for row in await store.load_laps(connection, list(stored)) if stored else ():
        lists[row.race_result_id].append(lap_of(row))
    return found | {stored[result]: laps for result, laps in lists.items()}


def _other_details(one: _Weighed) -> list[tuple[Any, str]]:
    """The details that a reading says something else than, with their sessions."""
    return [
        (each.old, each.new.facts.session_id)
        for each in one.taken
        if each.old and each.says_else and isinstance(each.new.facts, SessionFacts)
    ]
