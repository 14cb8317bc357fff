"""The projection of practice days on a connection: observations in, rows of all tables of a day out.

What is known of the days is read, merged with what came, and the difference of the rows is written. All of it
is one transaction of the caller's; the days are locked first, so that two projectors never mix.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from projections.changes import Changes, DayChange, Plan, add_changes, day_change, plan_day
from projections.rows import race_id
from projections.sightings import newest_drivers, newest_tracks
from projections.state import (
    EMPTY_DAY,
    Day,
    DayRef,
    FactsT_co,
    ListFacts,
    Seen,
    Sighted,
    fold_days,
    merge_day,
    sight,
)
from schemas.envelope import Received
from schemas.events import (
    Lap,
    ListedSession,
    PracticeDayChanged,
    PracticeDayListed,
    SessionDetailFetched,
    SessionFacts,
)
from schemas.identity import practice_event_id, source_event_id, track_id
from schemas.tables import DayRow, LapRow, Stamp
from store import practice_days as store
from store.pool import Connection, Record
from store.practice_days import LapChanges

Days = dict[DayRef, Day]


async def project(connection: Connection, received: Iterable[Received]) -> list[PracticeDayChanged]:
    """Apply a batch of events, once in a transaction; what is no observation of a page changes nothing.

    Returns what changed, day by day; days whose rows stayed as they were are left out.
    """
    sighted = [
        sight(one.event, one.id)
        for one in received
        if isinstance(one.event, PracticeDayListed | SessionDetailFetched)
    ]
    if not sighted:
        return []
    batch = fold_days(sighted)
    await store.lock_days(connection, map(day_row, batch))
    return await _apply(connection, sighted, batch)


async def _apply(connection: Connection, sighted: Sequence[Sighted], batch: Days) -> list[PracticeDayChanged]:
    """Write the days, and last the names: other members wait for those rows until this one commits."""
    old = await _load(connection, batch)
    plans = [plan_day(ref, old[ref], merge_day(old[ref], batch[ref])) for ref in sorted(batch)]
    moved = await _wanted_laps(connection, plans)
    changes = Changes()
    for plan in plans:
        add_changes(changes, plan, moved.get(plan.ref, {}))
    drivers = newest_drivers(sighted)
    await store.add_drivers(connection, drivers)
    laps = await _write(connection, changes)
    await store.name_tracks(connection, newest_tracks(sighted))
    await store.name_drivers(connection, drivers)
    now = dt.datetime.now(dt.UTC)
    return [found for plan in plans if (found := _changed(day_change(plan), laps, now))]


def _changed(
    change: DayChange, laps: Mapping[UUID, LapChanges], now: dt.datetime
) -> PracticeDayChanged | None:
    """What became of a day; None where it stayed as it was."""
    counts = [laps[result] for result in change.results & laps.keys()]
    also = [session for result, session in change.laps_written.items() if any(laps.get(result, ()))]
    added, changed, gone = (sum(one[kind] for one in counts) for kind in range(3))
    if not (change.added or change.changed or change.gone or also):
        return None
    return PracticeDayChanged(
        **change.ref._asdict(),
        changed_at=now,
        sessions_added=tuple(change.added),
        sessions_changed=tuple(sorted((*change.changed, *also))),
        sessions_gone=tuple(change.gone),
        laps_added=added,
        laps_changed=changed,
        laps_gone=gone,
    )


async def _write(connection: Connection, changes: Changes) -> dict[UUID, LapChanges]:
    """Write the changes of rows; returns those of laps, by result."""
    gone = await store.count_laps(connection, changes.results_gone)
    await store.delete_rows(connection, "races", changes.races_gone)
    await store.delete_rows(connection, "race_drivers", changes.race_drivers_gone)
    await store.save_rows(connection, "metadata", changes.metadata)
    await store.save_rows(connection, "races", changes.races)
    await store.save_rows(connection, "race_drivers", changes.race_drivers)
    await store.save_rows(connection, "race_results", changes.race_results)
    written = await store.save_laps(connection, changes.laps)
    await store.save_observations(connection, changes.observations)
    return gone | written


def day_row(ref: DayRef) -> DayRow:
    """The row of a day of which anything was seen."""
    return DayRow(
        practice_event_id(*ref),
        track_id(ref.source, ref.track_slug),
        ref.source,
        source_event_id(ref.track_slug, ref.date),
        ref.date,
        ref.track_slug,
    )


async def _load(connection: Connection, batch: Days) -> Days:
    """What is known: of days with a new complete list everything, of others what the batch is about."""
    by_id = {practice_event_id(*ref): ref for ref in batch}
    whole = [event_id for event_id, ref in by_id.items() if batch[ref].complete_list]
    others = [event_id for event_id, ref in by_id.items() if not batch[ref].complete_list]
    sessions = [
        race_id(by_id[event_id], session_id)
        for event_id in others
        for session_id in {*batch[by_id[event_id]].rows, *batch[by_id[event_id]].details}
    ]
    records = await store.load_observations(connection, whole, others, sessions)
    known: dict[UUID, list[Record]] = {}
    for record in records:
        known.setdefault(record["event_id"], []).append(record)
    return {ref: _day(known[event_id]) if event_id in known else EMPTY_DAY for event_id, ref in by_id.items()}


def _day(records: Sequence[Record]) -> Day:
    complete_list: Seen[ListFacts] | None = None
    rows: dict[str, Seen[ListedSession]] = {}
    details: dict[str, Seen[SessionFacts]] = {}
    for record in records:
        if record["kind"] == "list":
            complete_list = _seen(record, _list_facts.decode(record["facts"]))
        elif record["kind"] == "row":
            row = _row_facts.decode(record["facts"])
            rows[row.session_id] = _seen(record, row)
        else:
            detail = _detail_facts.decode(record["facts"])
            shelved = record["shelved_laps"]
            laps = None if shelved is None else _laps.decode(shelved)
            details[detail.session_id] = _seen(record, detail, laps)
    return Day(complete_list=complete_list, rows=rows, details=details)


_list_facts = msgspec.json.Decoder(ListFacts)
_row_facts = msgspec.json.Decoder(ListedSession)
_detail_facts = msgspec.json.Decoder(SessionFacts)
_laps = msgspec.json.Decoder(tuple[Lap, ...])


def _seen(record: Record, facts: FactsT_co, laps: tuple[Lap, ...] | None = None) -> Seen[FactsT_co]:
    return Seen(
        stamp=Stamp(
            record["observed_at"],
            record["parser_version"],
            record["content_digest"],
            record["source_event_id"],
        ),
        first_observed_at=record["first_observed_at"],
        page_sha256=record["page_sha256"],
        facts=facts,
        laps=laps,
        list_row_digest=record["list_row_digest"],
    )


async def _wanted_laps(
    connection: Connection, plans: Sequence[Plan]
) -> dict[DayRef, dict[str, tuple[Lap, ...]]]:
    """The laps that move with their sessions, read from the tables."""
    wanted = {
        result: (plan.ref, session_id) for plan in plans for result, session_id in plan.laps_wanted().items()
    }
    found: dict[UUID, list[Lap]] = {result: [] for result in wanted}
    for row in await store.load_laps(connection, sorted(wanted)) if wanted else ():
        found[row.race_result_id].append(_lap(row))
    moved: dict[DayRef, dict[str, tuple[Lap, ...]]] = {}
    for result, (ref, session_id) in wanted.items():
        moved.setdefault(ref, {})[session_id] = tuple(found[result])
    return moved


def _lap(row: LapRow) -> Lap:
    values: dict[str, Any] = row._asdict()
    segments = values.pop("segments_json")
    del values["race_result_id"]
    return Lap(**values, segments=None if segments is None else _segments.decode(segments))


_segments = msgspec.json.Decoder(tuple[float | None, ...])
