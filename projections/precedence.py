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
    a driver's name                                             the newest observation that names the driver,
                                                                a real name before "Unknown Driver"

Of each session only the newest row and the newest detail count: what an older one said is forgotten.
"""

import datetime as dt

from msgspec import Struct

from projections.state import Seen
from schemas.events import ListedSession, SessionFacts

_SHARED = (
    "driver_name",
    "class_name",
    "transponder_number",
    "start_time",
    "duration_seconds",
    "lap_count",
    "fastest_lap",
    "average_lap",
)


class SharedFacts(Struct, frozen=True, kw_only=True):
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
    newest_last = sorted((seen for seen in (row, detail) if seen), key=lambda seen: seen.stamp)
    stated: dict[str, object] = {}
    for seen in newest_last:
        stated |= {name: value for name in _SHARED if (value := getattr(seen.facts, name)) is not None}
    return SharedFacts(**stated)  # pyright: ignore[reportArgumentType] - the names are the struct's own
