"""Which observation sets which column: a session's observations go in, its rows' columns by them come out.

Which of a row and a detail counts is not said here: `projections.precedence` is asked, with observations that
state their own kind in the place of each fact. Here stands only of which facts a column is made.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ops.provenance.answer import Columns, Kind, Table
from projections.precedence import SharedFacts, row_beside, weigh
from projections.state import Day, FactsT_co, ListFacts, Seen
from schemas.events import ListedSession

_SESSION_STATS = (
    "top_3_consecutive",
    "avg_top_5",
    "avg_top_10",
    "avg_top_15",
    "std_deviation",
    "valid_lap_range",
)

FACTS: dict[Table, dict[str, tuple[str, ...]]] = {
    "races": {
        "class_name": ("class_name",),
        "race_label": ("driver_name",),
        "race_url": ("session_url",),
        "start_time": ("start_time",),
        "start_time_utc": ("start_time", "time_zone"),
        "duration_seconds": ("duration_seconds",),
        "race_metadata": ("end_time", *_SESSION_STATS),
    },
    "race_drivers": {
        "driver_id": ("transponder_number",),
        "source_driver_id": ("transponder_number",),
        "display_name": ("driver_name",),
        "transponder_number": ("transponder_number",),
    },
    "race_results": {
        "race_driver_id": ("transponder_number",),
        "laps_completed": ("lap_count",),
        "fast_lap_time": ("fastest_lap",),
        "avg_lap_time": ("average_lap",),
        "consistency": ("consistency",),
        "raw_fields_json": _SESSION_STATS,
    },
    "laps": {
        "race_result_id": ("transponder_number",),
        "lap_number": ("laps",),
        "position_on_lap": ("laps",),
        "lap_time_raw": ("laps",),
        "lap_time_seconds": ("laps",),
        "is_valid": ("laps",),
        "lapped_at": ("laps",),
        "pace_string": ("laps",),
        "elapsed_race_time": ("laps",),
        "segments_json": ("laps",),
    },
    "track_records.fastest_laps": {
        "class_name": ("class_name",),
        "fast_lap_time": ("fastest_lap",),
        "driver_name": ("driver_name",),
        "source_driver_id": ("transponder_number",),
        "start_time": ("start_time",),
    },
}
"""The facts that each column of a session's rows is made of; ids that come of the key alone are left out."""


def known_kinds(day: Day, session_id: str) -> dict[Kind, Seen[object]]:
    """The observations that may set a session's rows; none, where none is of the session itself."""
    row, detail = day.rows.get(session_id), day.details.get(session_id)
    if row is None and detail is None:
        return {}
    found: dict[Kind, Seen[object] | None] = {"list": day.complete_list, "row": row, "detail": detail}
    return {kind: seen for kind, seen in found.items() if seen is not None}


def existence_of(day: Day, session_id: str) -> Kind:
    """By which observation a session exists, or does not; one of its own observations must be known."""
    known = known_kinds(day, session_id)
    if day.complete_list and (day.complete_list.facts.carries(session_id) or not day.exists(session_id)):
        return "list"
    return max((kind for kind in known if kind != "list"), key=lambda kind: known[kind].stamp)


def columns_of(table: Table, day: Day, session_id: str) -> tuple[Columns, ...]:
    """The columns of a session's row in a table, together with others that the same observations set."""
    row, detail = day.rows.get(session_id), day.details.get(session_id)
    weighed = weigh(
        _marked(row_beside(row, detail) if row and detail else row, "row"), _marked(detail, "detail")
    )
    known = known_kinds(day, session_id)
    groups: dict[tuple[Kind, ...], list[str]] = {}
    for column, facts in FACTS[table].items():
        groups.setdefault(_setters(facts, weighed, known), []).append(column)
    return tuple(Columns(columns=tuple(names), set_by=kinds) for kinds, names in groups.items())


def _marked(seen: Seen[FactsT_co] | None, kind: Kind) -> Seen[FactsT_co] | None:
    """The observation with its kind in the place of each shared fact that it states."""
    if seen is None:
        return None
    stated: dict[str, Any] = {
        name: kind for name in SharedFacts.__struct_fields__ if getattr(seen.facts, name) is not None
    }
    facts: Any = seen.facts
    return msgspec.structs.replace(seen, facts=msgspec.structs.replace(facts, **stated))


def _setters(
    facts: Iterable[str], weighed: SharedFacts, known: Mapping[Kind, Seen[object]]
) -> tuple[Kind, ...]:
    found = {_setter(fact, weighed) for fact in facts}
    return tuple(kind for kind in known if kind in found)


def _setter(fact: str, weighed: SharedFacts) -> Kind | None:
    """Who sets a fact: where only one kind of observation can state it, that one."""
    if fact in SharedFacts.__struct_fields__:
        return getattr(weighed, fact)
    if fact in ListFacts.__struct_fields__:
        return "list"
    return "row" if fact in ListedSession.__struct_fields__ else "detail"
