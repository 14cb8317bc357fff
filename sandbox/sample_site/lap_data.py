"""A session's laps as data in a script, in the form of practice or of races.

In: a session. Out: the script's statements; none where the page shows laps as text only, or not at all.
"""

import math
from itertools import accumulate

from sandbox.sample_site import literals, pen, wording
from sandbox.sample_site.model import SampleSession, SessionQuirk
from sandbox.sample_site.templates import Spelling

_INDENT = 14
_RACE_MILLIS = 300_000


def script(session: SampleSession, spelling: Spelling) -> str:
    """The statements that carry the laps."""
    if session.quirks & {SessionQuirk.NO_LAP_DATA, SessionQuirk.NO_LAPS_SHOWN}:
        return ""
    if SessionQuirk.HOLESHOT in session.quirks:
        return _holeshot_form(session)
    if SessionQuirk.RACE_FORM in session.quirks:
        key = session.transponder or session.session_id
        data = {"driverName": session.driver, "laps": _race_laps(session)}
        statements: list[tuple[str, literals.Value]] = [
            ("var racerLaps", dict[str, literals.Value]()),
            (f"racerLaps[{key}]", data),
        ]
    else:
        statements = [("var lapsObj", _practice_laps(session))]
    end = ";" if spelling == "served" else ""
    lines = [f"{name} = {pen.literal(spelling, value, _INDENT)}{end}" for name, value in statements]
    return f"\n{' ' * _INDENT}".join(lines)


def _practice_laps(session: SampleSession) -> list[literals.Value]:
    write = pen.time_writer(session)
    return [
        {
            "x": str(number),
            "lap_time": write(lap.millis),
            "date": lap.ended_at.date().isoformat(),
            "time": lap.ended_at.time().isoformat(),
            "date_time_display": f"{lap.ended_at:%m/%d/%Y} {wording.clock(lap.ended_at)}",
            "time_display": wording.clock(lap.ended_at),
            "is_valid": "1" if lap.is_valid else "0",
        }
        for number, lap in enumerate(session.laps, 1)
    ]


def _holeshot_form(session: SampleSession) -> str:
    """The race form as a script's author writes it, with commas after last items."""
    holeshot = {"lapNum": "0", "pos": "1", "time": "0", "pace": "0", "segments": list[str]()}
    laps = "".join(f"    {literals.quoted(lap)},\n" for lap in (holeshot, *_race_laps(session)))
    car = f"racerLaps[{session.transponder or session.session_id}]"
    head = f"  'driverName' : {literals.quoted(session.driver.upper())},\n"
    return f"var racerLaps = {{}};\n{car} = {{\n{head}  'laps' : [\n{laps}  ]\n}};\nconsole.log({car});"


def _race_laps(session: SampleSession) -> list[literals.Value]:
    write = pen.time_writer(session)
    elapsed = accumulate(lap.millis for lap in session.laps)
    return [
        {
            "lapNum": str(number),
            "pos": "1",
            "time": write(lap.millis),
            "pace": _pace(so_far / number),
            "segments": [write(millis) for millis in _thirds(lap.millis)],
        }
        for number, (lap, so_far) in enumerate(zip(session.laps, elapsed, strict=True), 1)
    ]


def _pace(average: float) -> str:
    """Laps and time of a five-minute race at that average: `7/5:00.972`."""
    laps = math.ceil(_RACE_MILLIS / average)
    return f"{laps}/{wording.clock_time(laps * average)}"


def _thirds(millis: int) -> tuple[int, int, int]:
    third = millis // 3
    return third, third, millis - 2 * third
