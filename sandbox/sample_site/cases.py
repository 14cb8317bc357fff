"""A day that holds the cases of the real world, each by a name.

In: a track and a date. Out: `case_sessions`, the sessions by name; `cases_day`, the day of them all.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.sample_site import naming
from sandbox.sample_site.model import (
    UNKNOWN_CLASS,
    UNKNOWN_DRIVER,
    DayQuirk,
    SampleDay,
    SampleSession,
    SessionQuirk,
    driven,
)

_USUAL = (42_996, 45_815, 44_102, 47_340, 48_822)
_CLOCK = (70_123, 64_500, 61_007, 59_999, 125_250)
_INVALID = (43_210, 17_298, 44_003, 181_640, 45_120, 43_999)
_FALSE_CROSSING = (2_104, 30_100, 75_000, 30_600)


@dataclass(frozen=True, slots=True)
class _Case:
    driver: str = naming.DRIVERS[0]
    class_name: str = "1/10 Open"
    transponder: str | None = "4100000"
    times: Sequence[int] = _USUAL
    valid_range: tuple[int, int] = (15, 130)
    starts_at: dt.time | None = None
    quirks: frozenset[SessionQuirk] = frozenset()


_CASES: dict[str, _Case] = {
    "usual": _Case(),
    "unknown_driver": _Case(UNKNOWN_DRIVER, "1/8 Nitro Buggy", "4100001"),
    "unknown_class": _Case(UNKNOWN_DRIVER, UNKNOWN_CLASS, "4100002"),
    "no_transponder": _Case(naming.DRIVERS[1], "Open Practice", None),
    "no_transponder_without_laps": _Case(
        naming.DRIVERS[2],
        "Open Practice",
        None,
        quirks=frozenset({SessionQuirk.NO_LAPS_SHOWN, SessionQuirk.NO_TRANSPONDER_ROW}),
    ),
    "no_laps": _Case(naming.DRIVERS[3], transponder="4100005", times=()),
    "one_lap": _Case(naming.DRIVERS[3], transponder="4100005", times=(54_527,)),
    "laps_over_a_minute": _Case(
        naming.DRIVERS[4],
        transponder="4100006",
        times=_CLOCK,
        quirks=frozenset({SessionQuirk.CLOCK_TIMES}),
    ),
    "invalid_laps": _Case(naming.DRIVERS[5], transponder="4100007", times=_INVALID, valid_range=(20, 70)),
    "only_invalid_laps": _Case(naming.DRIVERS[5], transponder="4100007", times=(9_001, 190_002)),
    "false_crossing": _Case(
        naming.DRIVERS[13], transponder="4100021", times=_FALSE_CROSSING, valid_range=(20, 70)
    ),
    "lent_transponder": _Case(naming.DRIVERS[15], transponder="4100021"),
    "class_with_number": _Case(naming.DRIVERS[14], "Masters (40)", None),
    "class_with_number_and_transponder": _Case(naming.DRIVERS[14], "17.5 Stock (13)", "4100022"),
    "class_with_parentheses": _Case(naming.DRIVERS[6], "1/10 Buggy (Stock 17.5T)", "4100008"),
    "class_with_parentheses_without_transponder": _Case(naming.DRIVERS[6], "Buggy (Stock)", None),
    "markup": _Case('<script>alert("x")</script> & O\'Dell', 'Open <b>"A"</b> & B', "4100009"),
    "arabic": _Case("سامر الخيّال", transponder="4100010"),
    "cjk": _Case("架空太郎 虚构", transponder="4100011"),
    "cyrillic": _Case("Вымысел Придуманов", transponder="4100012"),
    "emoji": _Case("Racer 🏎️👩‍🔧", transponder="4100013"),
    "combining": _Case("Zoe\u0308 Nin\u0303o", transponder="4100014"),
    "decimal_comma": _Case(naming.DRIVERS[7], transponder="4100015", quirks=frozenset({SessionQuirk.COMMA})),
    "race_form": _Case(naming.DRIVERS[8], transponder="4100016", quirks=frozenset({SessionQuirk.RACE_FORM})),
    "race_form_holeshot": _Case(
        naming.DRIVERS[21], transponder="4100023", quirks=frozenset({SessionQuirk.HOLESHOT})
    ),
    "text_only": _Case(
        naming.DRIVERS[9], transponder="4100017", quirks=frozenset({SessionQuirk.NO_LAP_DATA})
    ),
    "text_disagrees": _Case(
        naming.DRIVERS[10], transponder="4100018", quirks=frozenset({SessionQuirk.TEXT_DISAGREES})
    ),
    "long": _Case(naming.DRIVERS[11], transponder="4100019", times=(59_500,) * 70),
    "past_midnight": _Case(naming.DRIVERS[12], transponder="4100020", starts_at=dt.time(23, 57, 30)),
}


def case_sessions(track_slug: str, date: dt.date) -> dict[str, SampleSession]:
    """The sessions by the name of what is special about them, in the order in which they began."""
    return {
        name: _session(case, track_slug, date, number) for number, (name, case) in enumerate(_CASES.items())
    }


def cases_day(track_slug: str, date: dt.date, *, quirks: frozenset[DayQuirk] = frozenset()) -> SampleDay:
    """The day of all these sessions; its list is complete unless `quirks` say otherwise."""
    sessions = tuple(case_sessions(track_slug, date).values())
    return SampleDay(track_slug, naming.track_name(track_slug), date, sessions, quirks)


def _session(case: _Case, track_slug: str, date: dt.date, number: int) -> SampleSession:
    start = dt.datetime.combine(date, case.starts_at or dt.time(9 + number // 2, 30 * (number % 2)))
    return SampleSession(
        naming.session_id(track_slug, date, number),
        case.driver,
        case.class_name,
        case.transponder,
        start,
        driven(start, case.times, case.valid_range),
        case.valid_range,
        case.quirks,
    )
