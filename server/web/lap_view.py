"""What a session's page holds, from its laps and their figures: pure, so that no test needs a server."""

import datetime as dt
from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct

from laps.figures import Figures, kind_of, to_best
from laps.sessions import FigureCheck, SessionReport
from server.web.charts import Line, Mark, line_chart
from server.web.formats import lap_time, number
from server.web.texts import TEXTS
from store.reading import LapView

CLEAN = "clean_"
"""What the names of figures begin with that leave mistakes out."""

_LABELS = 12
"""Labels of the lower axis, at most."""

FEWEST = 2
"""Laps that make a chart."""

_MARGIN = 0.08
"""How much of its height a chart leaves free above and below."""

_HIGHEST_OVER_BEST = 2.0
"""Laps that took longer than so many times the best are drawn at the chart's edge."""

_APART = {"mistake": "mistake", "invalid": "invalid", "best": "fastest"}
"""The kinds of laps of which a chart marks the points, by the names of their lines."""


class Beside(Struct, frozen=True, kw_only=True):
    """A figure computed from the laps, and the site's where it states one."""

    name: str
    computed: str
    sites: str
    differs: bool


class LapRow(Struct, frozen=True, kw_only=True):
    """A lap in the table; `kind` is `best`, `mistake`, `invalid`, or empty for any other."""

    number: int
    time: float | None
    raw: str | None
    to_best: float | None
    kind: str
    ended: dt.datetime | None
    elapsed: float | None


def beside_of(session: SessionReport) -> list[Beside]:
    """The figures of a session; those without mistakes only where there was one."""
    figures = session.figures
    if figures is None:
        return []
    checks = {check.figure: check for check in session.checks}
    return [
        _beside(name, getattr(figures, name), checks.get(name))
        for name in TEXTS.parts["figures"]
        if figures.mistakes or not name.startswith(CLEAN)
    ]


def _beside(name: str, computed: float | None, check: FigureCheck | None) -> Beside:
    return Beside(
        name=TEXTS(f"figures.{name}"),
        computed=written(name, computed),
        sites=written(name, check.site if check else None),
        differs=bool(check and check.differs),
    )


def written(name: str, value: float | None) -> str:
    """A figure as pages write it."""
    if name == "laps_completed":
        return number(value)
    if name.endswith("consistency"):
        return number(value, 3)
    return lap_time(value)


def rows_of(session: SessionReport) -> list[LapRow]:
    """The laps as the table has them."""
    figures = session.figures
    return [_row(lap, figures) for lap in session.laps] if figures else []


def _row(lap: LapView, figures: Figures) -> LapRow:
    return LapRow(
        number=lap.lap_number,
        time=lap.lap_time_seconds,
        raw=lap.lap_time_raw,
        to_best=to_best(lap, figures),
        kind=kind_of(lap, figures),
        ended=lap.lapped_at,
        elapsed=lap.elapsed_race_time,
    )


def chart_of(session: SessionReport) -> Markup | None:
    """The laps over their numbers, with best, average and the band of one deviation about it.

    None for less than two laps with a time, which make no line.
    """
    figures = session.figures
    laps = [lap for lap in session.laps if lap.lap_time_seconds is not None]
    if figures is None or figures.fast_lap_time is None or len(laps) < FEWEST:
        return None
    highest, range_ = heights(figures.fast_lap_time, max(lap.lap_time_seconds or 0 for lap in laps))
    return line_chart(
        [*_levels(laps, figures), *_laps(laps, figures, highest)],
        x_title=TEXTS("words.lap"),
        x_labels=numbers_up_to(laps[-1].lap_number),
        range_=range_,
    )


def heights(best: float, slowest: float) -> tuple[float, tuple[float, float]]:
    """The longest time that is drawn at its height, and what a chart of such laps reaches over."""
    highest = min(slowest, best * _HIGHEST_OVER_BEST)
    margin = (highest - best) * _MARGIN + 0.05
    return highest, (best - margin, highest + margin)


def _levels(laps: Sequence[LapView], figures: Figures) -> list[Line]:
    """What stands across the whole chart."""
    first, last = laps[0].lap_number, laps[-1].lap_number
    average, deviation = figures.avg_lap_time, figures.std_deviation
    lines = [_level("best", first, last, figures.fast_lap_time)]
    if average is not None:
        lines.append(_level("average", first, last, average))
    if average is not None and deviation:
        corners = ((first, -1), (first, 1), (last, 1), (last, -1))
        band = [Mark(x=x, y=average + side * deviation, label="") for x, side in corners]
        lines.insert(0, Line(name="band", points=band, dots=False))
    return lines


def _level(name: str, first: int, last: int, height: float | None) -> Line:
    return Line(name=name, points=[Mark(x=x, y=height or 0, label="") for x in (first, last)], dots=False)


def _laps(laps: Sequence[LapView], figures: Figures, highest: float) -> list[Line]:
    marks = {lap.lap_number: _mark(lap, figures, highest) for lap in laps}
    kinds = {lap.lap_number: kind_of(lap, figures) for lap in laps}
    counted = [None if kinds[number] == "invalid" else mark for number, mark in marks.items()]
    lines = [Line(name="laps", points=counted)]
    for kind, name in _APART.items():
        if points := [marks[number] for number, one in kinds.items() if one == kind]:
            lines.append(Line(name=name, points=points, joined=False))
    return lines


def _mark(lap: LapView, figures: Figures, highest: float) -> Mark:
    time, kind = lap.lap_time_seconds or 0, kind_of(lap, figures)
    label = TEXTS("session.point", number=lap.lap_number, time=lap_time(time))
    return Mark(
        x=lap.lap_number,
        y=min(time, highest),
        label=f"{label}, {TEXTS(f'kinds.{kind}')}" if kind else label,
        link=f"#lap-{lap.lap_number}",
    )


def numbers_up_to(last: int) -> list[tuple[float, str]]:
    """Labels of the lower axis: whole laps, ten or so."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, last) if last / step <= _LABELS)
    return [(number, str(number)) for number in range(step, last + 1, step)]
