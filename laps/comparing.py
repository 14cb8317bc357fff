"""Sessions compared: lap by lap, and head to head in numbers.

The laps of one number stand beside each other. A gap is how much a lap was slower than the first session's;
the gap in all is how far the session was behind the first one after that lap, mistakes and invalid laps
included, for they took their time. Negative is faster, and ahead.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from laps.figures import counted_millis
from laps.sessions import SessionReport
from store.reading import LapView

LETTERS = "ABCD"
"""What the sessions of a comparison are called, in their order."""

FEWEST, MOST = 2, len(LETTERS)
"""So many sessions are compared."""


class ComparedLap(Struct, frozen=True, kw_only=True):
    """A lap of one of the sessions; it has a `gap` where both it and the first session's count."""

    lap_time_seconds: float | None
    counts: bool
    is_mistake: bool
    gap: float | None
    gap_in_all: float | None


class LapByLap(Struct, frozen=True, kw_only=True):
    """The laps of one number, one a session, in the order of the sessions; None where one has no such lap."""

    lap_number: int
    laps: list[ComparedLap | None]


class Side(Struct, frozen=True, kw_only=True):
    """One of the sessions; `laps_won` counts the laps in which it alone was the fastest of at least two."""

    session: SessionReport
    laps_won: int


class Comparison(Struct, frozen=True, kw_only=True):
    """Sessions compared, the first of which the others are measured by."""

    sides: list[Side]
    laps: list[LapByLap]


def compare(sessions: Sequence[SessionReport]) -> Comparison:
    """Compare sessions, two or more."""
    by_number = [{lap.lap_number: lap for lap in session.laps} for session in sessions]
    counted = [counted_millis(session.laps) for session in sessions]
    numbers = sorted({number for laps in by_number for number in laps})
    winners = [_winner([millis.get(number) for millis in counted]) for number in numbers]
    lines = [
        LapByLap(
            lap_number=number,
            laps=[
                _compared(number, session, (laps, by_number[0]), (millis, counted[0]))
                for session, laps, millis in zip(sessions, by_number, counted, strict=True)
            ],
        )
        for number in numbers
    ]
    sides = [Side(session=session, laps_won=winners.count(at)) for at, session in enumerate(sessions)]
    return Comparison(sides=sides, laps=lines)


def _winner(times: Sequence[int | None]) -> int | None:
    """Which of the sessions has the fastest lap, where others have one, and none has the same time."""
    counted = [time for time in times if time is not None]
    fastest = min(counted, default=None)
    if fastest is None or len(counted) < FEWEST or counted.count(fastest) > 1:
        return None
    return times.index(fastest)


def _compared(
    number: int,
    session: SessionReport,
    laps: tuple[Mapping[int, LapView], Mapping[int, LapView]],
    counted: tuple[Mapping[int, int], Mapping[int, int]],
) -> ComparedLap | None:
    """A lap of a session beside the first one's: of each pair the second is the first session's."""
    lap, first = (each.get(number) for each in laps)
    if lap is None:
        return None
    return ComparedLap(
        lap_time_seconds=lap.lap_time_seconds,
        counts=number in counted[0],
        is_mistake=session.is_mistake(number),
        gap=_difference(*(each[number] / 1000 if number in each else None for each in counted)),
        gap_in_all=_difference(lap.elapsed_race_time, first and first.elapsed_race_time),
    )


def _difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else round(one - other, 3)
