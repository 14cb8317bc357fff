"""What is known of practice days: the newest list, rows and details, whatever order they came in.

Events go in; the newest of each subject comes out. Taking the newest is associative, commutative and
idempotent, so order, repetition and batches don't matter.
"""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from schemas.envelope import Received
from schemas.events import (
    DayStats,
    Lap,
    ListedSession,
    Observation,
    ObservationAsWritten,
    PracticeDayListed,
    SessionDetailFetched,
    SessionFacts,
)
from schemas.identity import content_digest, row_digest
from schemas.tables import Stamp

FactsT_co = TypeVar("FactsT_co", covariant=True)


class DayRef(NamedTuple):
    """A practice day by its natural key."""

    source: str
    track_slug: str
    date: dt.date


class ListFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What counts of a complete list: which sessions exist, the zone, and the page's own totals."""

    session_ids: tuple[str, ...]  # sorted
    time_zone: str | None = None
    stats: DayStats | None = None

    def carries(self, session_id: str) -> bool:
        """Whether the list has a row of the session."""
        place = bisect_left(self.session_ids, session_id)
        return self.session_ids[place : place + 1] == (session_id,)


class Seen(Struct, Generic[FactsT_co], frozen=True, kw_only=True):
    """The newest observation of a subject, and when the first one was.

    `laps` are a detail's, where they are at hand; None says that they lie in the tables, unchanged.
    `list_row_digest` is a detail's, too: of the list row that it was fetched for.
    """

    stamp: Stamp
    first_observed_at: dt.datetime
    page_sha256: str | None
    facts: FactsT_co
    laps: tuple[Lap, ...] | None = None
    list_row_digest: str | None = None


class Day(Struct, frozen=True, kw_only=True):
    """A practice day as far as it is known: its newest complete list, and its sessions' observations."""

    complete_list: Seen[ListFacts] | None = None
    rows: Mapping[str, Seen[ListedSession]] = {}
    details: Mapping[str, Seen[SessionFacts]] = {}

    def exists(self, session_id: str) -> bool:
        """Whether the newest complete list carries the session, or something newer than that list does."""
        listed = self.complete_list
        if listed is None or listed.facts.carries(session_id):
            return True
        seen = (self.rows.get(session_id), self.details.get(session_id))
        return any(one.stamp > listed.stamp for one in seen if one)


EMPTY_DAY = Day()


def newest(one: Seen[FactsT_co] | None, other: Seen[FactsT_co] | None) -> Seen[FactsT_co]:
    """The newer of two observations of a subject, with the earlier first sight of both.

    Where both are the same observation, the one whose laps lie in the tables already is kept.
    """
    if one is None or other is None:
        found = one or other
        if found is None:
            raise ValueError("newest() of no observation")
        return found
    winner = other if other.stamp > one.stamp else one
    first = min(one.first_observed_at, other.first_observed_at)
    if winner.first_observed_at == first:
        return winner
    return msgspec.structs.replace(winner, first_observed_at=first)


def merge_day(one: Day, other: Day) -> Day:
    """Both days' observations, the newest of each subject; on a tie that of `one`."""
    lists = (one.complete_list, other.complete_list)
    return Day(
        complete_list=newest(*lists) if any(lists) else None,
        rows=_merge(one.rows, other.rows),
        details=_merge(one.details, other.details),
    )


def _merge(
    one: Mapping[str, Seen[FactsT_co]], other: Mapping[str, Seen[FactsT_co]]
) -> dict[str, Seen[FactsT_co]]:
    return {**one, **{key: newest(one.get(key), seen) for key, seen in other.items()}}


class Sighted(NamedTuple):
    """An observation with its day, and with how new it is."""

    event: Observation
    day: DayRef
    stamp: Stamp


def sight(event: Observation, event_id: str, authority: int = 0) -> Sighted:
    """An observation of the present version of its type; `event_id` is the id in its envelope."""
    return _sight(event, event_id, event, authority)


def sight_of(received: Received) -> Sighted | None:
    """The observation that a record is, of any version of its type; None where it is none."""
    event, written = received.event, received.written
    if isinstance(event, Observation) and isinstance(written, ObservationAsWritten):
        return _sight(event, received.id, written, received.standing.authority)
    return None


def _sight(event: Observation, event_id: str, written: ObservationAsWritten, authority: int) -> Sighted:
    """The observation with the digest of its content, as its record has it."""
    observed_at = event.observed_at.astimezone(dt.UTC)
    return Sighted(
        event,
        DayRef(event.source, event.track_slug, event.date),
        Stamp(authority, observed_at, event.parser_version, content_digest(written), event_id),
    )


def fold_days(sighted: Iterable[Sighted]) -> dict[DayRef, Day]:
    """The newest observations of each day among these."""
    by_day: dict[DayRef, list[Sighted]] = {}
    for one in sighted:
        by_day.setdefault(one.day, []).append(one)
    return {day: _fold_day(ones) for day, ones in by_day.items()}


def _fold_day(ones: list[Sighted]) -> Day:
    complete_list: Seen[ListFacts] | None = None
    rows: dict[str, Seen[ListedSession]] = {}
    details: dict[str, Seen[SessionFacts]] = {}
    for one in ones:
        if isinstance(one.event, SessionDetailFetched):
            key = one.event.session_id
            details[key] = newest(details.get(key), _seen_detail(one, one.event))
            continue
        for key, row in _seen_rows(one, one.event).items():
            rows[key] = newest(rows.get(key), row)
        if one.event.complete:
            complete_list = newest(complete_list, _seen_list(one, one.event))
    return Day(complete_list=complete_list, rows=rows, details=details)


def _seen_list(one: Sighted, event: PracticeDayListed) -> Seen[ListFacts]:
    ids = tuple(sorted({session.session_id for session in event.sessions}))
    return _seen(one, ListFacts(session_ids=ids, time_zone=event.time_zone, stats=event.stats))


def _seen_rows(one: Sighted, event: PracticeDayListed) -> dict[str, Seen[ListedSession]]:
    rows = sorted(event.sessions, key=row_digest) if _has_duplicates(event) else event.sessions
    return {row.session_id: _seen(one, row) for row in rows}


def _has_duplicates(event: PracticeDayListed) -> bool:
    return len({session.session_id for session in event.sessions}) < len(event.sessions)


def _seen_detail(one: Sighted, event: SessionDetailFetched) -> Seen[SessionFacts]:
    kept = {name: getattr(event, name) for name in _KEPT_FACTS}
    facts = SessionFacts(**kept, valid_lap_range=_to_millis(event.valid_lap_range))
    return _seen(one, facts, laps=event.laps, list_row_digest=event.list_row_digest)


_KEPT_FACTS = tuple(
    name for name in SessionFacts.__struct_fields__ if name not in {"valid_lap_range", "laps", "findings"}
)


def _to_millis(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    """As `observations` keeps a lap range."""
    return bounds and (round(bounds[0], 3), round(bounds[1], 3))


def _seen(
    one: Sighted,
    facts: FactsT_co,
    laps: tuple[Lap, ...] | None = None,
    list_row_digest: str | None = None,
) -> Seen[FactsT_co]:
    return Seen(
        stamp=one.stamp,
        first_observed_at=one.stamp.observed_at,
        page_sha256=one.event.page_sha256,
        facts=facts,
        laps=laps,
        list_row_digest=list_row_digest,
    )
