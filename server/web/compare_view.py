"""What a comparison's page holds beside the laps: pure, so that no test needs a server."""

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from laps.comparing import LETTERS, ComparedLap, Comparison
from laps.sessions import SessionReport
from server.web.charts import SHAPES, Line, Mark, line_chart, sample_of
from server.web.formats import gap, lap_time, number
from server.web.lap_view import FEWEST, heights, numbers_up_to, written
from server.web.texts import TEXTS

_MARKERS = tuple(SHAPES)

_AHEAD: dict[str, Callable[..., float] | None] = {
    "fast_lap_time": min,
    "avg_lap_time": min,
    "median_lap_time": min,
    "top_3_consecutive": min,
    "avg_top_5": min,
    "avg_top_10": min,
    "avg_top_15": min,
    "consistency": max,
    "std_deviation": min,
    "clean_avg_lap_time": min,
    "clean_consistency": max,
    "laps_completed": None,
}
"""The figures that are compared, and which value is ahead; None where more says nothing."""


class SideView(Struct, frozen=True, kw_only=True):
    """A session of a comparison with its letter, and a piece of its line."""

    letter: str
    sample: Markup
    session: SessionReport


class FigureCell(Struct, frozen=True, kw_only=True):
    """A figure of one session; `ahead` where it is better than another's and none is better."""

    text: str
    ahead: bool


class FigureRow(Struct, frozen=True, kw_only=True):
    """A figure of all sessions, in their order."""

    name: str
    cells: list[FigureCell]


def sides_of(found: Comparison) -> list[SideView]:
    """The sessions with their letters."""
    return [
        SideView(letter=LETTERS[at], sample=sample_of(f"side-{at}", _MARKERS[at]), session=side.session)
        for at, side in enumerate(found.sides)
    ]


def figures_of(found: Comparison) -> list[FigureRow]:
    """Head to head in numbers."""
    figures = [side.session.figures for side in found.sides]
    mistakes = [len(one.mistakes) if one else None for one in figures]
    return [
        _row(TEXTS("compare.laps_won"), [side.laps_won for side in found.sides], number, max),
        *(
            _row(
                TEXTS(f"figures.{name}"),
                [getattr(one, name, None) for one in figures],
                lambda value, name=name: written(name, value),
                ahead,
            )
            for name, ahead in _AHEAD.items()
        ),
        _row(TEXTS("compare.mistakes"), mistakes, number, None),
    ]


def _row(
    name: str,
    values: Sequence[float | None],
    write: Callable[[float | None], str],
    ahead: Callable[..., float] | None,
) -> FigureRow:
    known = [value for value in values if value is not None]
    best = ahead(known) if ahead and len(set(known)) > 1 else None
    cells = [FigureCell(text=write(value), ahead=value is not None and value == best) for value in values]
    return FigureRow(name=name, cells=cells)


def laps_chart(found: Comparison) -> Markup | None:
    """The laps over their numbers; None where no session has two that count.

    What took far longer than the best is drawn at the chart's edge.
    """
    times = [time for line in found.laps for lap in line.laps if (time := _counted(lap)) is not None]
    lines = _lines(
        found,
        _counted,
        lambda letter, number, value: TEXTS(
            "compare.point", letter=letter, number=number, value=lap_time(value)
        ),
    )
    if not any(len(_marks(line)) >= FEWEST for line in lines):
        return None
    highest, range_ = heights(min(times), max(times))
    return _drawn(found, [_cut(line, highest) for line in lines], range_=range_)


def gap_chart(found: Comparison) -> Markup | None:
    """How far each session was behind the first, lap by lap; None where it is not known of two laps."""
    lines = _lines(
        found,
        _behind,
        lambda letter, number, value: TEXTS(
            "compare.gap_point", letter=letter, number=number, value=gap(value)
        ),
    )
    if not any(len(_marks(line)) >= FEWEST for line in lines[1:]):
        return None
    return _drawn(found, lines, write=gap)


def _counted(lap: ComparedLap | None) -> float | None:
    return lap.lap_time_seconds if lap and lap.counts else None


def _behind(lap: ComparedLap | None) -> float | None:
    return lap.gap_in_all if lap else None


def _lines(
    found: Comparison,
    value_of: Callable[[ComparedLap | None], float | None],
    label_of: Callable[[str, int, float], str],
) -> list[Line]:
    """A line for each session, with a mark for each lap of which the value is known."""

    def mark(letter: str, lap_number: int, value: float | None) -> Mark | None:
        if value is None:
            return None
        label = label_of(letter, lap_number, value)
        return Mark(x=lap_number, y=value, label=label, link=f"#lap-{lap_number}")

    return [
        Line(
            name=f"side-{at}",
            marker=_MARKERS[at],
            points=[mark(LETTERS[at], line.lap_number, value_of(line.laps[at])) for line in found.laps],
        )
        for at in range(len(found.sides))
    ]


def _marks(line: Line) -> list[Mark]:
    return [point for point in line.points if point]


def _cut(line: Line, highest: float) -> Line:
    points = [point and replace(point, y=min(point.y, highest)) for point in line.points]
    return replace(line, points=points)


def _drawn(found: Comparison, lines: Sequence[Line], **options: Any) -> Markup:
    labels = numbers_up_to(found.laps[-1].lap_number)
    return line_chart(lines, x_title=TEXTS("words.lap"), x_labels=labels, **options)
