"""What the site computes: a session's statistics from its laps, a day's totals from its sessions.

In: the model. Out: figures in milliseconds, None where they can't be computed. As on the real site, a lap
outside the valid range is shown and is track time, but counts in no other figure, also not as a lap.
"""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.sample_site.model import UNKNOWN_CLASS, UNKNOWN_DRIVER, DayQuirk, SampleDay, SampleSession

IDLE = dt.timedelta(seconds=181)
"""A session ends when its transponder was not seen for this long after its last lap."""


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """Times in milliseconds, consistency in percent."""

    laps: int
    length: int
    end: dt.datetime
    fastest: int | None
    average: float | None
    top_3_consecutive: int | None
    top_5: float | None
    top_10: float | None
    top_15: float | None
    deviation: float | None
    consistency: float | None


@dataclass(frozen=True, slots=True)
class Fastest:
    """One row of the leaderboard."""

    session: SampleSession
    millis: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A day's totals; `track_time` in whole seconds, first and last None on a day without sessions."""

    laps: int
    track_time: int
    drivers: int
    classes: int
    first: dt.datetime | None
    last: dt.datetime | None
    laps_by_class: tuple[tuple[str, int], ...]
    overall: Fastest | None
    leaders: tuple[Fastest, ...]


def session_figures(session: SampleSession) -> SessionFigures:
    """The statistics that the session's row and page show."""
    valid = [lap.millis for lap in session.laps if lap.is_valid]
    average = statistics.fmean(valid) if valid else None
    deviation = statistics.pstdev(valid) if len(valid) > 1 else None
    last_seen = session.laps[-1].ended_at if session.laps else session.start
    return SessionFigures(
        laps=len(valid),
        length=sum(lap.millis for lap in session.laps),
        end=last_seen + IDLE,
        fastest=min(valid, default=None),
        average=average,
        top_3_consecutive=_best_three(session),
        top_5=_mean_of_best(valid, 5),
        top_10=_mean_of_best(valid, 10),
        top_15=_mean_of_best(valid, 15),
        deviation=deviation,
        consistency=None if deviation is None or not average else 100 - 100 * deviation / average,
    )


def day_figures(day: SampleDay) -> DayFigures:
    """The totals and the leaderboard that the day's list shows."""
    by_class: Counter[str] = Counter()
    for session in day.sessions:
        by_class[session.class_name] += sum(lap.is_valid for lap in session.laps)
    if DayQuirk.WRONG_TOTALS in day.quirks and day.sessions:
        by_class[day.sessions[-1].class_name] += 10
    starts = [session.start for session in day.sessions]
    leaders = _leaders(day.sessions)
    return DayFigures(
        laps=by_class.total(),
        track_time=sum(lap.millis for session in day.sessions for lap in session.laps) // 1000,
        drivers=len({session.driver for session in day.sessions} - {UNKNOWN_DRIVER}),
        classes=len(by_class),
        first=min(starts, default=None),
        last=max(starts, default=None),
        laps_by_class=tuple(sorted((name, laps) for name, laps in by_class.items() if laps)),
        overall=min(leaders.values(), key=lambda leader: leader.millis, default=None),
        leaders=tuple(leaders[name] for name in sorted(leaders) if name != UNKNOWN_CLASS),
    )


def _leaders(sessions: Sequence[SampleSession]) -> dict[str, Fastest]:
    leaders: dict[str, Fastest] = {}
    for session in sessions:
        millis = min((lap.millis for lap in session.laps if lap.is_valid), default=None)
        leader = leaders.get(session.class_name)
        if millis is not None and (leader is None or millis < leader.millis):
            leaders[session.class_name] = Fastest(session, millis)
    return leaders


def _best_three(session: SampleSession) -> int | None:
    runs = zip(session.laps, session.laps[1:], session.laps[2:], strict=False)
    sums = [sum(lap.millis for lap in run) for run in runs if all(lap.is_valid for lap in run)]
    return min(sums, default=None)


def _mean_of_best(millis: Sequence[int], count: int) -> float | None:
    return statistics.fmean(sorted(millis)[:count]) if len(millis) >= count else None
