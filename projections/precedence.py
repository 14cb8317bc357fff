"""Which observation sets which column: the one place where a list row and a detail are weighed.

    fact                                                        set by
    ----------------------------------------------------------  ------------------------------------------
    driver_name, class_name, transponder_number, start_time,    the newer of row and detail that states it;
    duration_seconds, lap_count, fastest_lap, average_lap       the other one where the newer is silent
    session_url                                                 the row
    end_time, top_3_consecutive, avg_top_5, avg_top_10,         the detail
    avg_top_15, std_deviation, consistency, valid_lap_range,
    laps
    the day's stats, time zone, and which sessions exist        the newest complete list
    a track's name and zone                                     the newest list that names the track
    a driver's name                                             the newest session that names the driver,
                                                                a real name before "Unknown Driver"

Of each session only the newest row and the newest detail count: what an older one said is forgotten. A row
has class and transponder in one text, `Stock (4455667)`: where the detail states that very text as its class,
the row has that class, and no transponder.
"""

import datetime as dt
from typing import TypeVar

import msgspec
from msgspec import Struct

from projections.state import Seen
from schemas.events import ListedSession, SessionFacts


class SharedFacts(Struct, frozen=True, kw_only=True, gc=False):
    """The facts of a session that both its row and its detail may state."""

    driver_name: str | None = None
    class_name: str | None = None
    transponder_number: str | None = None
    start_time: dt.datetime | None = None
    duration_seconds: int | None = None
    lap_count: int | None = None
    fastest_lap: float | None = None
    average_lap: float | None = None


def shared_facts(row: Seen[ListedSession] | None, detail: Seen[SessionFacts] | None) -> SharedFacts:
    """Each shared fact by the newer observation that states it; the detail wins a tie."""
    return weigh(row_beside(row, detail) if row and detail else row, detail)


def weigh(row: Seen[ListedSession] | None, detail: Seen[SessionFacts] | None) -> SharedFacts:
    """As `shared_facts`, of a row as `row_beside` gives it."""
    if row is None or detail is None:
        only = row or detail
        return _weighed(only.facts, only.facts) if only else SharedFacts()
    if row.stamp > detail.stamp:
        return _weighed(row.facts, detail.facts)
    return _weighed(detail.facts, row.facts)


def row_beside(row: Seen[ListedSession], detail: Seen[SessionFacts]) -> Seen[ListedSession]:
    """The row without a transponder that is a part of its class, as the detail has it."""
    facts = row.facts
    if facts.transponder_number is None or detail.facts.class_name is None:
        return row
    if detail.facts.class_name != f"{facts.class_name or ''} ({facts.transponder_number})".lstrip():
        return row
    facts = msgspec.structs.replace(facts, class_name=detail.facts.class_name, transponder_number=None)
    return msgspec.structs.replace(row, facts=facts)


def _weighed(newer: ListedSession | SessionFacts, older: ListedSession | SessionFacts) -> SharedFacts:
    return SharedFacts(
        driver_name=_stated(newer.driver_name, older.driver_name),
        class_name=_stated(newer.class_name, older.class_name),
        transponder_number=_stated(newer.transponder_number, older.transponder_number),
        start_time=_stated(newer.start_time, older.start_time),
        duration_seconds=_stated(newer.duration_seconds, older.duration_seconds),
        lap_count=_stated(newer.lap_count, older.lap_count),
        fastest_lap=_stated(newer.fastest_lap, older.fastest_lap),
        average_lap=_stated(newer.average_lap, older.average_lap),
    )


FactT = TypeVar("FactT")


def _stated(newer: FactT | None, older: FactT | None) -> FactT | None:
    return older if newer is None else newer
