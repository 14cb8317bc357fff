"""A session's laps: from data where the page holds it, else from text; in findings, where they disagree.

In: the data's script and the texts of the lap list. Out: laps by their numbers, each with the sum of the
lap times so far, which is unknown after a lap without a readable time.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from producer.pages import scripts
from producer.pages.errors import TooManyEntries
from producer.pages.findings import Code, Findings
from producer.pages.text import count, folded
from producer.pages.values import Values
from schemas.events import MAX_LAPS, Lap
from schemas.times import DAY_MILLIS

_SHOWN = re.compile(r"Lap ([0-9]{1,7}): ?(\S*?) ?(\*?)")
_VALIDITY = {"1": True, "0": False, "True": True, "False": False}
_MAX_TEXT, _MAX_SEGMENTS = 40, 100


class _Lap(NamedTuple):
    """A lap before the sum is known; `millis` is its time in milliseconds."""

    number: int
    raw: str | None
    millis: int | None
    is_valid: bool | None
    lapped_at: dt.datetime | None = None
    position: int | None = None
    pace: str | None = None
    segments: tuple[float | None, ...] | None = None


def read_laps(
    script: str, texts: list[str], transponder: str | None, day: dt.date, url: str, values: Values
) -> tuple[Lap, ...]:
    """The laps of the page, of a session that began on `day`; raises `TooManyEntries`."""
    data = _from_data(script, transponder, day, values)
    held = texts if data is None else data
    if len(held) > MAX_LAPS:
        raise TooManyEntries(url, f"{len(held)} laps, {MAX_LAPS} allowed")
    if data is None:
        if texts:
            values.findings.add(Code.LAPS_FROM_TEXT, f"{len(texts)} laps")
        return _summed(_unique(_from_text(texts, values), values), values)
    laps = _unique(data, values)
    if texts and texts != [_written(lap) for lap in laps]:
        laps = _compared(laps, _from_text(texts, Values(Findings())), values)
    return _summed(laps, values)


def _from_data(script: str, transponder: str | None, day: dt.date, values: Values) -> list[_Lap] | None:
    try:
        data = scripts.lap_data(script)
    except scripts.UnreadableData as error:
        values.findings.add(Code.LAP_DATA_UNREADABLE, error)
        return None
    if data is None:
        return None
    if data.practice is not None:
        return [lap for each in data.practice if (lap := _practice_lap(each, day, values))]
    race = data.race.get(transponder or "") or (
        next(iter(data.race.values())) if len(data.race) == 1 else None
    )
    if race is None:
        values.findings.add(Code.RACE_LAPS_AMBIGUOUS, ", ".join(data.race), transponder)
        return None
    return [lap for each in race if (lap := _race_lap(each, values))]


def _practice_lap(each: scripts.PracticeLap, day: dt.date, values: Values) -> _Lap | None:
    number = _number(each.x, values)
    if number is None:
        return None
    raw, millis = _time(each.lap_time, values)
    validity = _VALIDITY.get(str(each.is_valid))
    if validity is None and each.is_valid is not None:
        values.findings.add(Code.UNREADABLE_VALUE, f"is_valid of lap {number}: {each.is_valid}")
    moment = f"{each.date} {each.time}" if each.date and each.time else None
    return _Lap(number, raw, millis, validity, values.stamp("lapped_at", moment, day))


def _race_lap(each: scripts.RaceLap, values: Values) -> _Lap | None:
    """A lap of the race form; None also for lap 0, which is the way to the line before the first."""
    number = _number(each.number, values)
    if not number:
        return None
    raw, millis = _time(each.time, values)
    return _Lap(
        number,
        raw,
        millis,
        is_valid=None,
        position=values.count("position_on_lap", _text(each.pos)),
        pace=values.label("pace_string", _text(each.pace), _MAX_TEXT),
        segments=_segments(each.segments, values),
    )


def _text(value: object) -> str:
    return "" if value is None else folded(str(value))


def _number(value: object, values: Values) -> int | None:
    number = count(_text(value))
    if number is None:
        values.findings.add(Code.UNREADABLE_LAP, f"number {_text(value)!r}")
    return number


def _time(value: object, values: Values) -> tuple[str | None, int | None]:
    """A lap's time as written, and in milliseconds."""
    raw = values.label("lap_time_raw", _text(value), _MAX_TEXT)
    return raw, values.lap_millis("lap_time", raw)


def _segments(value: object, values: Values) -> tuple[float | None, ...] | None:
    if not value:
        return None
    if not isinstance(value, list) or len(segments := cast("list[Any]", value)) > _MAX_SEGMENTS:
        values.findings.add(Code.UNREADABLE_VALUE, f"segments: {value}")
        return None
    return tuple(values.seconds("segments", _text(each)) for each in segments)


def _from_text(texts: Iterable[str], values: Values) -> list[_Lap]:
    """The laps of the list."""
    laps: list[_Lap] = []
    for text in texts:
        match = _SHOWN.fullmatch(text)
        number = count(match[1]) if match else None
        if match is None or number is None:
            values.findings.add(Code.UNREADABLE_LAP, text)
        else:
            laps.append(_Lap(number, *_time(match[2], values), is_valid=not match[3]))
    return laps


def _unique(laps: Iterable[_Lap], values: Values) -> list[_Lap]:
    """The laps by number, the first of each."""
    by_number: dict[int, _Lap] = {}
    for lap in laps:
        if lap.number in by_number:
            values.findings.add(Code.DUPLICATE_LAP, f"lap {lap.number}: {lap.raw}")
        else:
            by_number[lap.number] = lap
    return [by_number[number] for number in sorted(by_number)]


def _written(lap: _Lap) -> str | None:
    """The lap as the list shows it; None when its validity is unknown."""
    return None if lap.is_valid is None else f"Lap {lap.number}: {lap.raw}{'' if lap.is_valid else '*'}"


def _compared(laps: list[_Lap], shown: list[_Lap], values: Values) -> list[_Lap]:
    """The laps of the data, with the text's validity where the data has none; disagreements are noted."""
    findings, by_number = values.findings, {lap.number: lap for lap in shown}
    if len(laps) != len(shown):
        findings.add(Code.LAP_TEXT_COUNT_DIFFERS, len(shown), len(laps))
    for place, lap in enumerate(laps):
        text = by_number.get(lap.number)
        if text is None:
            continue
        if text.millis != lap.millis:
            findings.add(Code.LAP_TEXT_TIME_DIFFERS, f"lap {lap.number}: {text.raw}", lap.raw)
        if lap.is_valid is None:
            laps[place] = lap._replace(is_valid=text.is_valid)
        elif text.is_valid != lap.is_valid:
            findings.add(Code.LAP_TEXT_VALIDITY_DIFFERS, f"lap {lap.number}: {text.is_valid}", lap.is_valid)
    return laps


def _summed(laps: list[_Lap], values: Values) -> tuple[Lap, ...]:
    """The laps, each with the sum of lap times so far: unknown from an unknown one on, and beyond a day."""
    elapsed: int | None = 0
    out: list[Lap] = []
    for lap in laps:
        if elapsed is not None:
            elapsed = None if lap.millis is None else elapsed + lap.millis
        if elapsed is not None and elapsed > DAY_MILLIS:
            found = f"elapsed_race_time of lap {lap.number}: {elapsed / 1_000} s"
            values.findings.add(Code.UNREADABLE_VALUE, found)
            elapsed = None
        out.append(
            Lap(
                lap_number=lap.number,
                position_on_lap=lap.position,
                lap_time_raw=lap.raw,
                lap_time_seconds=None if lap.millis is None else lap.millis / 1_000,
                is_valid=lap.is_valid,
                lapped_at=lap.lapped_at,
                pace_string=lap.pace,
                elapsed_race_time=None if elapsed is None else elapsed / 1_000,
                segments=lap.segments,
            )
        )
    return tuple(out)
