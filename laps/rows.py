"""Laps and comparisons as tables have them: one row a lap, with all that says whose it is."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from laps.comparing import Comparison
from laps.sessions import SessionReport
from schemas import fields as f
from store.days import DayView
from store.people import Person
from store.reading import DriverSession, LapView, SessionDetail, SessionStats


class LapRow(Struct, frozen=True, kw_only=True):
    """A lap with its session; `session` is the id of the session's row, times are in seconds.

    `person_id` is the person whose session it is by an alias, null where none is set.
    """

    source: str
    track_slug: str
    date: dt.date
    session_id: str
    session: UUID
    class_name: str | None
    driver_name: str | None
    transponder_number: str | None
    source_driver_id: str
    run: int
    lap_number: int
    lap_time_seconds: float | None
    is_valid: bool | None
    is_mistake: bool
    lapped_at: f.LocalTime | None
    elapsed_race_time: float | None
    position_on_lap: int | None
    person_id: UUID | None


class SessionRow(Struct, frozen=True, kw_only=True):
    """A session with the site's figures; times are in seconds, consistency in percent."""

    source: str
    track_slug: str
    track_name: str | None
    time_zone: str | None
    date: dt.date
    session_id: str
    session: UUID
    class_name: str | None
    driver_name: str | None
    transponder_number: str | None
    source_driver_id: str
    driver_id: UUID
    run: int
    start_time: f.LocalTime | None
    start_time_utc: f.Instant | None
    end_time: f.LocalTime | None
    duration_seconds: int | None
    has_detail: bool
    laps_completed: int | None
    fast_lap_time: float | None
    avg_lap_time: float | None
    top_3_consecutive: float | None
    avg_top_5: float | None
    avg_top_10: float | None
    avg_top_15: float | None
    std_deviation: float | None
    consistency: float | None
    session_url: str | None
    person_id: UUID | None


class ComparedLapRow(Struct, frozen=True, kw_only=True):
    """A lap of a comparison; `side` counts the sessions in the order in which they were named, from 1."""

    lap_number: int
    side: int
    session_id: str
    session: UUID
    driver_name: str | None
    class_name: str | None
    run: int
    lap_time_seconds: float | None
    counts: bool
    is_mistake: bool
    gap: float | None
    gap_in_all: float | None


class AliasRow(Struct, frozen=True, kw_only=True):
    """An alias with the person whose it is, and the sessions that count for the person by it."""

    person_id: UUID
    person: str | None
    driver_id: UUID
    source: str
    source_driver_id: str
    driver_name: str | None
    names: list[str]
    sessions: int
    last_day: dt.date | None


def alias_rows(people: Iterable[Person]) -> Iterator[AliasRow]:
    """The aliases of people."""
    for person in people:
        for one in person.aliases:
            yield AliasRow(
                person_id=person.id,
                person=person.display_name,
                driver_id=one.driver_id,
                source=one.source,
                source_driver_id=one.source_driver_id,
                driver_name=one.driver_name,
                names=one.names,
                sessions=one.sessions,
                last_day=one.last_day,
            )


def session_row(session: SessionDetail) -> SessionRow:
    """A session without its laps."""
    values: dict[str, Any] = asdict(session) | {"session": session.id}
    values |= asdict(session.stats) if session.stats else dict.fromkeys(SessionStats.__struct_fields__)
    return SessionRow(**{name: values[name] for name in SessionRow.__struct_fields__})


def day_rows(day: DayView) -> Iterator[DriverSession]:
    """The sessions of a day, with what says which day it is."""
    of_day = asdict(day)
    for session in day.sessions:
        values = of_day | asdict(session)
        yield DriverSession(**{name: values[name] for name in DriverSession.__struct_fields__})


def lap_rows(session: SessionReport) -> Iterator[LapRow]:
    """The laps of a session."""
    return (lap_row(session, lap) for lap in session.laps)


def lap_row(session: SessionReport, lap: LapView) -> LapRow:
    """A lap of a session."""
    return LapRow(
        source=session.source,
        track_slug=session.track_slug,
        date=session.date,
        session_id=session.session_id,
        session=session.id,
        class_name=session.class_name,
        driver_name=session.driver_name,
        transponder_number=session.transponder_number,
        source_driver_id=session.source_driver_id,
        run=session.run,
        lap_number=lap.lap_number,
        lap_time_seconds=lap.lap_time_seconds,
        is_valid=lap.is_valid,
        is_mistake=session.is_mistake(lap.lap_number),
        lapped_at=lap.lapped_at,
        elapsed_race_time=lap.elapsed_race_time,
        position_on_lap=lap.position_on_lap,
        person_id=session.person_id,
    )


def compared_rows(comparison: Comparison) -> Iterator[ComparedLapRow]:
    """The laps of a comparison, lap by lap."""
    sessions = [side.session for side in comparison.sides]
    for line in comparison.laps:
        for number, (session, lap) in enumerate(zip(sessions, line.laps, strict=True), 1):
            if lap:
                yield ComparedLapRow(
                    lap_number=line.lap_number,
                    side=number,
                    session_id=session.session_id,
                    session=session.id,
                    driver_name=session.driver_name,
                    class_name=session.class_name,
                    run=session.run,
                    lap_time_seconds=lap.lap_time_seconds,
                    counts=lap.counts,
                    is_mistake=lap.is_mistake,
                    gap=lap.gap,
                    gap_in_all=lap.gap_in_all,
                )
