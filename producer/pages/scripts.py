"""Data in a page's scripts: a script's text goes in, typed values come out.

As served it is strict JSON, which msgspec reads; what a formatter made of it is read by chompjs.
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, TypeVar

import chompjs
import msgspec
from msgspec import Struct

T = TypeVar("T")


class UnreadableData(Exception):
    """A script announces data that can't be read; the callers turn it into a finding."""


class ClassSlice(Struct):
    """One entry of the chart of laps by class."""

    label: str
    data: int | float | str


class PracticeLap(Struct):
    """One entry of `lapsObj`, as it stands there."""

    x: Any = None
    lap_time: Any = None
    date: Any = None
    time: Any = None
    is_valid: Any = None


class RaceLap(Struct):
    """One entry of a `racerLaps[…]`, as it stands there."""

    number: Any = msgspec.field(default=None, name="lapNum")
    pos: Any = None
    time: Any = None
    pace: Any = None
    segments: Any = None


class RaceLaps(Struct):
    """What `racerLaps[…]` holds of one car."""

    laps: list[RaceLap]


class LapData(Struct):
    """The laps of a page's script: practice form, or the race form by the cars' keys."""

    practice: list[PracticeLap] | None = None
    race: dict[str, list[RaceLap]] = {}


_CHART = re.compile(r"var\s++data\s*+=\s*+(?=\[)")
_LAPS = re.compile(
    r"var\s++lapsObj\s*+=\s*+(?=\[)"
    r"""|racerLaps\[\s*+["']?([^\]"'\n]{0,64})["']?\s*+\]\s*+=\s*+(?=\{)"""
)
_LIST_END = re.compile(r"\]\s*;")
_OBJECT_END = re.compile(r"\}\s*;")
_MAX_CARS = 50

_decode_chart = msgspec.json.Decoder(list[ClassSlice]).decode
_decode_practice = msgspec.json.Decoder(list[PracticeLap]).decode
_decode_race = msgspec.json.Decoder(RaceLaps).decode


def class_slices(script: str) -> list[ClassSlice] | None:
    """The laps by class; None when the script holds none. Raises `UnreadableData`."""
    match = _CHART.search(script)
    return None if match is None else _literal(script, match.end(), _LIST_END, _decode_chart)


def with_laps(scripts: Sequence[str]) -> str:
    """The scripts from the first one on that speaks of lap data, whichever form it has."""
    for place, script in enumerate(scripts):
        if "lapsObj" in script or "racerLaps" in script:
            return "\n".join(scripts[place:])
    return ""


def lap_data(script: str) -> LapData | None:
    """The laps; None when the script holds none. Raises `UnreadableData`.

    What comes first decides on the form: a text inside the data can look like the other form.
    """
    match = _LAPS.search(script)
    if match is None:
        return None
    if match[1] is None:
        return LapData(practice=_literal(script, match.end(), _LIST_END, _decode_practice))
    race: dict[str, list[RaceLap]] = {}
    for car in islice(_LAPS.finditer(script, match.start()), _MAX_CARS):
        if car[1] is not None:
            laps = _literal(script, car.end(), _OBJECT_END, _decode_race).laps
            race.setdefault(car[1].strip(), laps)
    return LapData(race=race)


def _literal(script: str, start: int, end: re.Pattern[str], decode: Callable[[str], T]) -> T:
    """The literal that begins at `start`; a strict one ends at the first bracket before a semicolon."""
    match = end.search(script, start)
    if match is not None:
        try:
            return decode(script[start : match.start() + 1])
        except (msgspec.DecodeError, RecursionError):
            pass  # a text may hold that very end, or a formatter was here: chompjs tells
    try:
        return chompjs.parse_js_object(script[start:], loader=decode)
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise UnreadableData(str(error)) from error
