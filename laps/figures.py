"""The figures of a session, computed from its laps by the site's definitions.

A lap counts unless the site marked it as invalid, or it has no time. Averages and deviation are of the laps
that count; the deviation is that of the whole session, not of a sample (it divides by the number of laps);
consistency is `100 - 100 * deviation / average`. So the site computes them: docs/laps.md has the pages that
this was found by. What the laps are too few for is None. Times are in seconds, rounded as the site does.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from laps.mistakes import mistakes_among

CONSECUTIVE = 3
"""So many laps in a row make the best stretch of a session."""


class TimedLap(Protocol):
    """The part of a lap that figures are made of."""

    @property
    def lap_number(self) -> int: ...
    @property
    def lap_time_seconds(self) -> float | None: ...
    @property
    def is_valid(self) -> bool | None: ...


LapKind = Literal["best", "mistake", "invalid", ""]


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of a session; what has a column in the tables has its name.

    `mistakes` are the numbers of the laps that went wrong (docs/laps.md); what begins with `clean_`
    leaves them out, all other figures have them in, as the site's. `top_3_consecutive` is the sum of the
    three laps in a row that were fastest together.
    """

    laps_completed: int
    invalid_laps: int
    mistakes: tuple[int, ...]
    fast_lap_time: float | None
    avg_lap_time: float | None
    median_lap_time: float | None
    top_3_consecutive: float | None
    avg_top_5: float | None
    avg_top_10: float | None
    avg_top_15: float | None
    std_deviation: float | None
    consistency: float | None
    clean_avg_lap_time: float | None
    clean_std_deviation: float | None
    clean_consistency: float | None


def figures_of(laps: Iterable[TimedLap]) -> Figures:
    """The figures of a session's laps."""
    laps = list(laps)
    counted = counted_millis(laps)
    times = sorted(counted.values())
    mistakes = mistakes_among(counted)
    clean = [time for number, time in counted.items() if number not in mistakes]
    return Figures(
        laps_completed=len(counted),
        invalid_laps=sum(lap.is_valid is False for lap in laps),
        mistakes=mistakes,
        fast_lap_time=_seconds(times[0]) if times else None,
        avg_lap_time=_average(times),
        median_lap_time=_seconds(statistics.median(times)) if times else None,
        top_3_consecutive=_best_consecutive(counted),
        avg_top_5=_average_of_best(times, 5),
        avg_top_10=_average_of_best(times, 10),
        avg_top_15=_average_of_best(times, 15),
        std_deviation=_deviation(times),
        consistency=_consistency(times),
        clean_avg_lap_time=_average(clean),
        clean_std_deviation=_deviation(clean),
        clean_consistency=_consistency(clean),
    )


def counted_millis(laps: Iterable[TimedLap]) -> dict[int, int]:
    """The laps that count, by their numbers: their times in milliseconds."""
    return {lap.lap_number: round(time * 1000) for lap in laps if (time := _counted(lap)) is not None}


def kind_of(lap: TimedLap, figures: Figures) -> LapKind:
    """What there is to say of a lap of a session; nothing of the usual one."""
    if lap.is_valid is False:
        return "invalid"
    if lap.lap_number in figures.mistakes:
        return "mistake"
    is_best = lap.lap_time_seconds is not None and lap.lap_time_seconds == figures.fast_lap_time
    return "best" if is_best else ""


def to_best(lap: TimedLap, figures: Figures) -> float | None:
    """How much slower a lap was than the best one of its session; None for one that does not count."""
    time, best = _counted(lap), figures.fast_lap_time
    return None if time is None or best is None else time - best


def _counted(lap: TimedLap) -> float | None:
    """The time of a lap that counts."""
    return None if lap.is_valid is False else lap.lap_time_seconds


def _best_consecutive(counted: Mapping[int, int]) -> float | None:
    runs = ([counted.get(number + step) for step in range(CONSECUTIVE)] for number in counted)
    sums = [sum(filter(None, run)) for run in runs if None not in run]
    return _seconds(min(sums)) if sums else None


def _average_of_best(times: Sequence[int], count: int) -> float | None:
    return _average(times[:count]) if len(times) >= count else None


def _average(times: Sequence[int]) -> float | None:
    return _seconds(statistics.fmean(times)) if times else None


def _deviation(times: Sequence[int]) -> float | None:
    return _seconds(statistics.pstdev(times)) if len(times) > 1 else None


def _consistency(times: Sequence[int]) -> float | None:
    average = statistics.fmean(times) if len(times) > 1 else 0
    return _rounded(100 - 100 * statistics.pstdev(times) / average) if average else None


def _seconds(millis: float) -> float:
    return _rounded(millis / 1000)


def _rounded(value: float) -> float:
    """To three decimals, a half up."""
    return math.floor(round(value * 1000, 6) + 0.5) / 1000
