"""Histories for hypothesis: the events of days that change while several producers look at them.

The values are few, so that observations meet: the same sessions, drivers and moments again and again. A
history comes in the order in which it happened; `deliveries` has it arrive in any other one.

Strategies are made once, not at each draw: hypothesis looks into each new one before it draws from it, which
takes longer than drawing.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import Struct

from schemas.checks import FIRST_YEAR, LAST_YEAR
from schemas.envelope import Received
from schemas.events import (
    ClassLaps,
    DayStats,
    Event,
    EventAsWritten,
    Finding,
    Lap,
    LeaderboardEntry,
    ListedSession,
    PracticeDayListed,
    PracticeDayListFailed,
    SessionDetailFailed,
    SessionDetailFetched,
    SessionDetailFetchedV1,
)
from tests.events import received, seen

Strategy = st.SearchStrategy
Facts = dict[str, Any]

FIRST_MOMENT = dt.datetime(1, 1, 1)
"""The calendar's begin: east of Greenwich, UTC has no such moment."""

LAST_MOMENT = dt.datetime(9999, 12, 31, 23, 59, 59)
"""The calendar's end: west of Greenwich, UTC has no such moment."""

YES_OR_NO = st.booleans()
MOSTLY = st.sampled_from((True, True, False))
SESSIONS = st.sampled_from(("1", "1", "2", "3"))
DAYS = st.sampled_from(
    (
        *(("liverc", "alpha", dt.date(2025, 10, 25)),) * 6,
        ("liverc", "alpha", dt.date(2025, 10, 26)),
        ("liverc", "beta", dt.date(2025, 10, 25)),
        *(("mylaps", "alpha", dt.date(2025, 10, 25)),) * 2,
    )
)
"""Mostly one day, so that it sees much; now and then another one, another track's, or another source's."""

AUTHORITIES = st.sampled_from((0, 0, 0, -1, -2))
"""Mostly the topic that counts most for the source; now and then one that counts less."""

MOMENTS = st.integers(0, 6).map(seen)
PARSERS = st.sampled_from((1, 1, 1, 2))
PAGES = st.sampled_from((None, "a" * 64, "b" * 64))
ZONES = st.sampled_from((None, None, "Australia/Sydney", "America/New_York"))
STARTS = st.sampled_from(
    (
        dt.datetime(2025, 10, 25, 10, 0),
        dt.datetime(2025, 10, 25, 23, 59, 59),
        dt.datetime(FIRST_YEAR, 1, 1),
        dt.datetime(LAST_YEAR, 12, 31, 23, 59, 59),
    )
)
LAP_TIMES = st.sampled_from((None, 30.5, 31.25, 0.0))

SHARED: dict[str, Strategy[Any]] = {
    "driver_name": st.sampled_from(
        ("Unknown Driver", "Ann Lee", "LEE, Ann", "7 Bo & Co", "", "Bo RC Club", "Žofie")
    ),
    "class_name": st.sampled_from(("Open", "Buggy", "", "Open (11)")),
    "transponder_number": st.sampled_from(("11", " 11 ", "22", "", "practice_session_1")),
    "start_time": STARTS,
    "duration_seconds": st.sampled_from((0, 120)),
    "lap_count": st.integers(0, 2),
    "fastest_lap": st.sampled_from((30.5, 0.0)),
    "average_lap": st.sampled_from((31.0, 33.125)),
}
"""The facts that both rows and details may state."""

DETAIL_ONLY: dict[str, Strategy[Any]] = {
    "end_time": STARTS,
    "top_3_consecutive": st.just(91.5),
    "avg_top_5": st.sampled_from((30.0, 0.001)),
    "std_deviation": st.just(0.5),
    "consistency": st.sampled_from((94.695, -3.0)),
    "findings": st.just((Finding(code="lap_count_differs", found="2"),)),
    "list_row_digest": st.sampled_from(("0" * 32, "f" * 32)),
}

RANGES = st.sampled_from((None, (20.0, 70.0), (20.0004, 70.0), (0.0, 86_400.0)))
TEXTS = st.sampled_from((None, "20 to 1:10", "", "15,5 to 2:00.25", "any"))
"""The valid lap range, as version 2 of a detail says it, and as version 1 does."""

STATS = st.sampled_from(
    (
        None,
        DayStats(),
        DayStats(
            total_laps=3,
            time_range_start=dt.time(10, 0),
            laps_by_class=(ClassLaps(class_name="Open", laps=3),),
            leaderboard=(LeaderboardEntry(session_id="1", fastest_lap=30.5),),
        ),
    )
)

LAP_FACTS: dict[str, Strategy[Any]] = {
    "position_on_lap": st.just(1),
    "lap_time_raw": st.sampled_from(("30.500", "0:30.5")),
    "lap_time_seconds": LAP_TIMES,
    "is_valid": st.booleans(),
    "lapped_at": STARTS,
    "pace_string": st.just("10/5:05"),
    "elapsed_race_time": st.just(61.75),
    "segments": st.sampled_from(((), (10.5, None), (1e-07, 20.0))),
}


def some(facts: dict[str, Strategy[Any]]) -> Strategy[Facts]:
    """Any part of these facts; what is left out is absent."""
    return st.fixed_dictionaries({}, optional=facts)


TRANSPONDERS = SHARED["transponder_number"] | st.none()
SOME_SHARED = some(SHARED)
SOME_OF_DETAILS = some(DETAIL_ONLY)
SOME_OF_LAPS = some(LAP_FACTS)
NUMBERS = st.permutations((1, 0, 2))
LENGTHS = st.sampled_from((1, 2, 3, 0))
URLS = st.sampled_from((None, "https://alpha.example/1", "https://alpha.example/2"))


def shared_facts(draw: st.DrawFn) -> Facts:
    """Any part of what both rows and details may state, the transponder more often than not."""
    return {**draw(SOME_SHARED), "transponder_number": draw(TRANSPONDERS)}


def laps(draw: st.DrawFn) -> tuple[Lap, ...]:
    """A few laps, in any order, with the numbers that a foreign producer may give them."""
    numbers = draw(NUMBERS)[: draw(LENGTHS)]
    return tuple(Lap(lap_number=number, **draw(SOME_OF_LAPS)) for number in numbers)


@st.composite
def rows(draw: st.DrawFn) -> ListedSession:
    """Any row."""
    url = draw(URLS)
    return ListedSession(session_id=draw(SESSIONS), session_url=url, **shared_facts(draw))


class Look(Struct, frozen=True):
    """One look at the site: at which day, when, by which parser."""

    source: str
    track_slug: str
    date: dt.date
    observed_at: dt.datetime
    parser_version: int
    page_sha256: str | None

    def facts(self) -> Facts:
        """What every observation carries."""
        return msgspec.structs.asdict(self)


def any_look(draw: st.DrawFn) -> Look:
    """A look at one of the days, at any moment."""
    return look_at(draw, draw(MOMENTS))


def look_at(draw: st.DrawFn, moment: dt.datetime) -> Look:
    """A look at one of the days, at this moment."""
    return Look(*draw(DAYS), moment, draw(PARSERS), draw(PAGES))


SESSIONS_OF_A_LIST = st.lists(rows(), max_size=4)
TRACK_NAMES = st.sampled_from((None, "Alpha", "Alpha Raceway"))


@st.composite
def lists(draw: st.DrawFn) -> PracticeDayListed:
    """Any list: complete or not, empty or not, with a session twice."""
    return PracticeDayListed(
        **any_look(draw).facts(),
        complete=draw(YES_OR_NO),
        track_name=draw(TRACK_NAMES),
        sessions=tuple(draw(SESSIONS_OF_A_LIST)),
        stats=draw(STATS),
        time_zone=draw(ZONES),
    )


Detail = SessionDetailFetched | SessionDetailFetchedV1


def detail(draw: st.DrawFn, **facts: Any) -> Detail:
    """A detail with these facts, in any version."""
    facts |= draw(SOME_OF_DETAILS)
    if draw(YES_OR_NO):
        return SessionDetailFetchedV1(**facts, valid_lap_range=draw(TEXTS))
    return SessionDetailFetched(**facts, valid_lap_range=draw(RANGES))


@st.composite
def details(draw: st.DrawFn) -> Detail:
    """Any detail of any session."""
    facts = any_look(draw).facts() | shared_facts(draw)
    return detail(draw, **facts, session_id=draw(SESSIONS), laps=laps(draw))


@st.composite
def failures(draw: st.DrawFn) -> Event:
    """A page that failed to be fetched."""
    facts: Facts = {"code": "http_500", "message": "no", "url": "https://alpha.example", "attempts": 3}
    look = any_look(draw).facts()
    if draw(YES_OR_NO):
        return PracticeDayListFailed(**look, **facts)
    return SessionDetailFailed(**look, **facts, session_id=draw(SESSIONS))


class Drive(Struct, frozen=True):
    """What the site knows of a session at a moment."""

    session_id: str
    facts: Facts
    laps: tuple[Lap, ...] = ()

    def row(self) -> ListedSession:
        """The session as a list shows it."""
        return ListedSession(session_id=self.session_id, **self.facts)


Key = tuple[str, str, str, dt.date]
"""A session: its id, and its day."""


class Site(Struct):
    """A site that changes: the sessions that it shows of each day, and those that it took away."""

    shown: dict[Key, Drive]
    taken: dict[Key, Drive]

    def of(self, look: Look) -> list[Drive]:
        """The sessions that a look finds."""
        return [
            drive for key, drive in self.shown.items() if key[1:] == (look.source, look.track_slug, look.date)
        ]


Change = Callable[[st.DrawFn, Site], None]


def _appears(draw: st.DrawFn, site: Site) -> None:
    session_id = draw(SESSIONS)
    drive = Drive(session_id, shared_facts(draw), laps(draw))
    site.shown[session_id, *draw(DAYS)] = drive


def _goes(draw: st.DrawFn, site: Site) -> None:
    if site.shown:
        key = draw(st.sampled_from(sorted(site.shown)))
        site.taken[key] = site.shown.pop(key)


def _comes_back(draw: st.DrawFn, site: Site) -> None:
    if site.taken:
        key = draw(st.sampled_from(sorted(site.taken)))
        site.shown[key] = site.taken.pop(key)


CORRECTIONS = st.one_of(
    *(st.tuples(st.just(name), st.none() | SHARED[name]) for name in ("transponder_number", *SHARED))
)
NUMBERS_OF_LAPS = st.integers(0, 3)


def _is_corrected(draw: st.DrawFn, site: Site) -> None:
    """One fact changes or becomes empty: now and then the transponder."""
    for key, drive in _one(draw, site):
        name, fact = draw(CORRECTIONS)
        site.shown[key] = msgspec.structs.replace(drive, facts={**drive.facts, name: fact})


def _has_other_laps(draw: st.DrawFn, site: Site) -> None:
    """A lap is added, corrected or removed."""
    for key, drive in _one(draw, site):
        lap = Lap(lap_number=draw(NUMBERS_OF_LAPS), **draw(SOME_OF_LAPS))
        others = tuple(one for one in drive.laps if one.lap_number != lap.lap_number)
        site.shown[key] = msgspec.structs.replace(drive, laps=others if draw(YES_OR_NO) else (*others, lap))


def _one(draw: st.DrawFn, site: Site) -> list[tuple[Key, Drive]]:
    return [draw(st.sampled_from(sorted(site.shown.items(), key=lambda item: item[0])))] if site.shown else []


CHANGES: Strategy[Change] = st.sampled_from(
    (_appears, _appears, _goes, _comes_back, _is_corrected, _has_other_laps)
)


def _look_at_list(draw: st.DrawFn, look: Look, site: Site) -> PracticeDayListed:
    drives = site.of(look)
    complete = draw(MOSTLY)
    shown = drives if complete else [drive for drive in drives if draw(YES_OR_NO)]
    return PracticeDayListed(
        **look.facts(),
        complete=complete,
        track_name=draw(TRACK_NAMES),
        sessions=tuple(drive.row() for drive in shown),
        stats=DayStats(unique_drivers=len(shown)) if drives else None,
        time_zone=draw(ZONES),
    )


def _look_at_sessions(draw: st.DrawFn, look: Look, site: Site) -> list[Detail]:
    return [
        detail(
            draw,
            **look.facts(),
            session_id=drive.session_id,
            laps=drive.laps,
            **{
                name: fact for name, fact in drive.facts.items() if name != "transponder_number" or not silent
            },
        )
        for drive in site.of(look)
        if draw(MOSTLY)
        for silent in [draw(YES_OR_NO)]
    ]


SKEWS = st.integers(-2, 2)
SECONDS = st.integers(3, 8)
FEW = st.integers(1, 2)


@st.composite
def imports(draw: st.DrawFn) -> list[EventAsWritten]:
    """A site that changes, looked at now and then by two producers whose clocks differ."""
    site = Site({}, {})
    events: list[EventAsWritten] = []
    skew = draw(SKEWS)
    for second in range(draw(SECONDS)):
        for _ in range(draw(FEW)):
            draw(CHANGES)(draw, site)
        look = look_at(draw, seen(second + skew * draw(YES_OR_NO)))
        if draw(MOSTLY):
            events.append(_look_at_list(draw, look, site))
        events += _look_at_sessions(draw, look, site)
    return events


IMPORTS = imports()
EVENTS = st.one_of(lists(), lists(), details(), details(), failures())
"""Any events at all, that no site may ever have caused."""

FEW_EVENTS, SOME_EVENTS = st.lists(EVENTS, max_size=8), st.lists(EVENTS, min_size=2, max_size=8)

OTHERS_COPY = "-by-another-producer"
"""What another producer's id of the same observation ends with."""


@st.composite
def histories(draw: st.DrawFn) -> list[Received]:
    """An import of a site that changes, any events at all, or both; now and then one under two ids."""
    events = draw(IMPORTS) if draw(YES_OR_NO) else []
    events += draw(FEW_EVENTS if events else SOME_EVENTS)
    histories = [received(event, draw(AUTHORITIES)) for event in events]
    if draw(YES_OR_NO):
        copy = draw(st.sampled_from(histories))
        histories.append(msgspec.structs.replace(copy, id=copy.id + OTHERS_COPY))
    return histories


HISTORIES = histories()
