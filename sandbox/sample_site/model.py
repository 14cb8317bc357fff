"""What the site knows: days, their sessions, and the laps of each.

In: whatever a generator or a test invents. Out: immutable values that `figures` sums up and `render` shows.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

UNKNOWN_DRIVER = "Unknown Driver"
UNKNOWN_CLASS = "Unknown Class"


class SessionQuirk(Enum):
    """How one session's row or page differs from the usual."""

    COMMA = auto()  # times are written with a decimal comma, in the row and on the page
    CLOCK_TIMES = auto()  # times over a minute read 1:10.123 instead of 70.123
    RACE_FORM = auto()  # laps stand in `racerLaps[...]` instead of `lapsObj`
    HOLESHOT = auto()  # the race form in single quotes, with a lap 0: the way to the line
    NO_LAP_DATA = auto()  # laps stand in the text alone
    NO_LAPS_SHOWN = auto()  # laps stand nowhere on the page, though it counts them
    TEXT_DISAGREES = auto()  # the text shows lap 2 a second slower than the data
    NO_TRANSPONDER_ROW = auto()  # the page has no row `Transponder`, not even an empty one


class DayQuirk(Enum):
    """How a day's list differs from the usual."""

    DUPLICATE_ROW = auto()  # the newest session's row stands twice; the totals count it once
    WRONG_TOTALS = auto()  # the totals count ten laps more than the rows hold
    PLAIN_TABLE = auto()  # the table lacks its class name
    NO_ROWS = auto()  # the table is empty, though the totals are there
    ROW_OF_ANOTHER_DAY = auto()  # the oldest session's row says that it began the day before
    OTHER_LINKS = auto()  # the links name the session before the page


@dataclass(frozen=True, slots=True)
class SampleLap:
    """One lap: its time in milliseconds, and the local moment at which it ended, to the second."""

    millis: int
    ended_at: dt.datetime
    is_valid: bool = True


@dataclass(frozen=True, slots=True)
class SampleSession:
    """One session; `start` is the track's local clock, `valid_range` whole seconds, both ends included."""

    session_id: str
    driver: str
    class_name: str
    transponder: str | None
    start: dt.datetime
    laps: tuple[SampleLap, ...]
    valid_range: tuple[int, int] = (15, 120)
    quirks: frozenset[SessionQuirk] = frozenset()


@dataclass(frozen=True, slots=True)
class SampleDay:
    """A day of one track; `sessions` in the order in which they began."""

    track_slug: str
    track_name: str
    date: dt.date
    sessions: tuple[SampleSession, ...] = ()
    quirks: frozenset[DayQuirk] = field(default_factory=frozenset[DayQuirk])

    def session(self, session_id: str) -> SampleSession | None:
        """The session with that id, or None."""
        return next((s for s in self.sessions if s.session_id == session_id), None)


def driven(
    start: dt.datetime, lap_millis: Sequence[int], valid_range: tuple[int, int] = (15, 120)
) -> tuple[SampleLap, ...]:
    """Laps driven one after the other from `start`, each valid when its time lies in the range (seconds)."""
    low, high = valid_range
    laps: list[SampleLap] = []
    elapsed = 0
    for millis in lap_millis:
        elapsed += millis
        ended_at = start + dt.timedelta(seconds=round(elapsed / 1000))
        laps.append(SampleLap(millis, ended_at, low * 1000 <= millis <= high * 1000))
    return tuple(laps)
