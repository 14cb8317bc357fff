"""Charts, drawn on the server as SVG by pygal; colours and strokes are the style sheet's.

In: points and words. Out: markup to stand in a page, without scripts and styles of its own; what is text in
it was escaped by the library. A chart is a picture for eyes and pointers: its page has the numbers, and the
links, in a table beside it.
"""

import datetime as dt
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast
from xml.etree import ElementTree as ET

import pygal
from markupsafe import Markup
from msgspec import Struct
from pygal.etree import etree
from pygal.style import Style

from server.web.formats import lap_time

WIDTH = 900
_DOTS = 150
"""A line of more points than this shows none of them."""

cast("Any", etree).to_etree()  # the same picture whether lxml is there or not
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]
# of its maps, which are not used: it would answer every later import, in a way that Python gave up

SHAPES = {
    "circle": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "square": "m-4-4h8v8h-8z",
    "triangle": "m0-5l5 9h-10z",
    "diamond": "m0-6l6 6l-6 6l-6-6z",
}
"""The shapes of points, as they are drawn about one, so that lines are told apart without colours, too."""

_LONGEST = 24
_END = 8
"""Characters of a name beside a chart."""

_HOURS = 13
"""So many hours have a label each, of twice as many each second one."""

_Chart = Any
_XY = cast("Any", pygal).XY
_LABELS: Any = cast("Any", Style)(label_font_size=13, major_label_font_size=13, font_family="sans-serif")


class Mark(Struct, frozen=True, kw_only=True):
    """A point of a chart, with what it says when it is pointed at, and where it leads."""

    x: float
    y: float
    label: str
    link: str | None = None


class Line(Struct, frozen=True, kw_only=True):
    """Points that are joined, or, with `dots` alone, not; None is a gap. The name is its class, too.

    A point is marked by the shape of this name, one of `SHAPES`.
    """

    name: str
    points: Sequence[Mark | None]
    joined: bool = True
    dots: bool = True
    marker: str = "circle"


def line_chart(
    lines: Iterable[Line],
    *,
    x_title: str,
    x_labels: Sequence[tuple[float, str]] | None = None,
    range_: tuple[float, float] | None = None,
    height: int = 340,
    write: Callable[[float], str] = lap_time,
) -> Markup:
    """Lines of lap times, or of what `write` writes, over something that is counted."""
    chart = _chart(height, x_title=x_title, value_formatter=write, range=range_)
    if x_labels is not None:
        chart.x_labels = [{"value": value, "label": label} for value, label in x_labels]
    return _drawn(chart, lines)


def timeline(rows: Sequence[str], lines: Iterable[Line], hours: tuple[int, int]) -> Markup:
    """Who drove when: a row for each, a stroke for each session; x is the second of the day."""
    chart = _chart(
        70 + 24 * len(rows),
        range=(-0.6, len(rows) - 0.4),
        xrange=(hours[0] * 3600, hours[1] * 3600),
        value_formatter=_nothing,
        margin_right=20,
    )
    chart.y_labels = [
        {"value": len(rows) - 1 - number, "label": _short(row)} for number, row in enumerate(rows)
    ]
    step = 1 + (hours[1] - hours[0]) // _HOURS
    chart.x_labels = [
        {"value": hour * 3600, "label": f"{dt.time(hour % 24):%H:%M}"}
        for hour in range(hours[0], hours[1] + 1, step)
    ]
    return _drawn(chart, lines)


def _short(name: str) -> str:
    """A name that leaves room for the chart beside it, with its end, where a transponder stands."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - _END - 1]}…{name[-_END:]}"


def _nothing(_: float) -> str:
    """What is said of a height on a timeline."""
    return ""


def _chart(height: int, **options: Any) -> _Chart:
    return _XY(
        js=(),
        css=(),
        style=_LABELS,
        width=WIDTH,
        height=height,
        explicit_size=False,
        show_legend=False,
        disable_xml_declaration=True,
        pretty_print=False,
        allow_interruptions=True,
        print_values=False,
        max_scale=7,
        margin=12,
        dots_size=4,
        **options,
    )


def _drawn(chart: _Chart, lines: Iterable[Line]) -> Markup:
    lines = list(lines)
    for line in lines:
        chart.add(
            line.name,
            [point and _point(point) for point in line.points],
            stroke=line.joined,
            show_dots=line.dots and len(line.points) <= _DOTS,
            allow_interruptions=True,
        )
    root: ET.Element = chart.render_tree()
    for number, line in enumerate(lines):
        _mark_points(root, number, line.marker)
    _tidy(root, [line.name for line in lines])
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - made of elements, whose text is escaped


def _point(mark: Mark) -> dict[str, Any]:
    point: dict[str, Any] = {"value": (mark.x, mark.y), "label": mark.label}
    if mark.link:
        point["xlink"] = {"href": mark.link, "target": "_self"}
    return point


def sample_of(name: str, marker: str) -> Markup:
    """A piece of the line of this name, to stand beside what it is of."""
    return Markup(
        '<svg class="chart sample" viewBox="0 0 48 16" aria-hidden="true" focusable="false">'
        '<g class="series of-{}"><path class="line" d="M0 8H48"/><path class="dot" d="M24 8{}"/></g></svg>'
    ).format(name, SHAPES[marker])


def _mark_points(root: ET.Element, number: int, marker: str) -> None:
    """Draw the points of a line in its shape; the library knows circles only."""
    if marker == "circle":
        return
    for group in root.iter():
        if f"serie-{number}" in group.attrib.get("class", "").split():
            for circle in list(group.iter("circle")):
                x, y = (float(circle.attrib.pop(name)) for name in ("cx", "cy"))
                circle.attrib.pop("r")
                circle.tag, circle.attrib["d"] = "path", f"M{x} {y}{SHAPES[marker]}"


def _tidy(root: ET.Element, names: Sequence[str]) -> None:
    """Leave of the library's picture what a page may hold, in as few bytes as show the same."""
    root.attrib.pop("id", None)
    root.attrib |= {"class": "chart", "aria-hidden": "true", "focusable": "false"}
    for parent in list(root.iter()):
        for child in list(parent):
            if _foreign(child):
                parent.remove(child)
        _tidy_element(parent, names)


def _foreign(element: ET.Element) -> bool:
    """Scripts, styles and comments, and what only the library's own script would read."""
    named = element.attrib.get("class", "")
    return (
        callable(element.tag)  # a comment
        or element.tag in {"defs", "title"}
        or (element.tag == "desc" and named != "label")
        or named.startswith(("plot text-overlay", "plot tooltip-overlay"))
    )


def _tidy_element(element: ET.Element, names: Sequence[str]) -> None:
    element.attrib.pop("style", None)
    if element.tag == "desc":
        element.tag = "title"
    if element.tag == "a":
        element.attrib["tabindex"] = "-1"  # the table beside the chart has the same links
    for name in _COORDINATES & element.attrib.keys():
        element.attrib[name] = _LONG.sub(_shortened, element.attrib[name])
    words = [_CLASSES.get(word, word) for word in element.attrib.pop("class", "").split()]
    words += [f"of-{names[int(word[6:])]}" for word in words if word.startswith("serie-")]
    if kept := [word for word in words if not word.startswith(("serie-", "color-", "_"))]:
        element.attrib["class"] = " ".join(kept)


_COORDINATES = frozenset({"d", "x", "y", "cx", "cy", "transform"})
_CLASSES = {"reactive": "_", "tooltip-trigger": "_", "nofill": "_", "label": "_"}
_LONG = re.compile(r"-?[0-9]+[.][0-9]+(?:e-?[0-9]+)?")


def _shortened(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")
