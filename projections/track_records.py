"""The fastest laps that a day gives to its track's records: what is known of the day in, rows out.

A session gives one when it exists and its newest observations state a fastest lap. A time of nothing is no
lap, and holds no record. Which of a track's rows is the record is asked when records are read.
"""

from collections.abc import Iterator
from uuid import UUID

from msgspec import Struct, field

from projections.precedence import shared_facts
from projections.rows import race_id
from projections.state import Day, DayRef
from schemas.identity import practice_event_id, source_driver_id, track_id
from schemas.tables import FastestLapRow


class FastestLapChanges(Struct):
    """Row changes: what goes, and what is new or changed."""

    gone: list[UUID] = field(default_factory=list[UUID])
    saved: list[FastestLapRow] = field(default_factory=list[FastestLapRow])


def add_fastest_laps(changes: FastestLapChanges, ref: DayRef, old: Day, new: Day) -> None:
    """Add the row changes of a day when what is known of it goes from `old` to `new`."""
    before = {row.id: row for row in fastest_laps(ref, old)}
    after = {row.id: row for row in fastest_laps(ref, new)}
    changes.gone += before.keys() - after.keys()
    changes.saved += [row for row in after.values() if row != before.get(row.id)]


def fastest_laps(ref: DayRef, day: Day) -> Iterator[FastestLapRow]:
    """The rows of the sessions that are known of a day."""
    for session_id in {*day.rows, *day.details}:
        if day.exists(session_id) and (row := _fastest_lap(ref, day, session_id)):
            yield row


def _fastest_lap(ref: DayRef, day: Day, session_id: str) -> FastestLapRow | None:
    shared = shared_facts(day.rows.get(session_id), day.details.get(session_id))
    if not shared.fastest_lap:
        return None
    return FastestLapRow(
        race_id(ref, session_id),
        practice_event_id(*ref),
        track_id(ref.source, ref.track_slug),
        session_id,
        shared.class_name,
        shared.fastest_lap,
        shared.driver_name,
        source_driver_id(session_id, shared.transponder_number),
        shared.start_time,
    )
