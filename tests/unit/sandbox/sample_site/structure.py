"""The structure of a page, without what anybody is called or has driven.

In: a page's bytes. Out: its outline, one element a line. Around the content only elements' names are told;
of the content also ids, classes, attributes and the fixed words. Within an element each outline is kept once.
"""

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

CONTENT = "page-wrapper"
FIXED = frozenset(
    {
        *(
            "Practice Sessions",
            "Driver",
            "Class",
            "Time",
            "Laps",
            "Length",
            "Fast",
            "Avg",
            "Date",
            "# Sessions",
        ),
        *(
            "Total Laps",
            "Total Track Time",
            "Unique Drivers",
            "Unique Classes",
            "Time Range",
            "Laps-by-Class",
        ),
        *("Overall Fastest", "Select different month:"),
        *("Practice Sessions on DATE", "Practice Stats for DATE", "Practice Leaderboard for DATE"),
        *("Practice Dates for MONTH", "First Session: CLOCK", "Last Session: CLOCK", "Fast: N", "Avg: N"),
        "There are no practice sessions available for the given date.",
    }
)
"""The words that stand in every page of a kind; of any other text it is only said that there is one."""

_VARIABLE = (
    (re.compile(r"[A-Z][a-z]+ \d{1,2}, \d{4} \([A-Z][a-z]+\)"), "DATE"),
    (re.compile(r"[A-Z][a-z]+ \d{4}"), "MONTH"),
    (re.compile(r"\d{1,2}:\d\d:\d\d[ap]m"), "CLOCK"),
    (re.compile(r"\d[\d.]*"), "N"),
)
_KEPT_VALUES = frozenset({"colspan", "cellspacing", "width", "type", "selected"})


def outline(page: bytes) -> list[str]:
    """The outline of a page, its title first."""
    soup = BeautifulSoup(page, "html.parser")
    assert soup.title is not None
    assert soup.html is not None
    return [f"title {_titled(soup.title)}", *_lines(soup.html, 0, told=False)]


def _titled(title: Tag) -> str:
    """The title's parts after the track's name."""
    return _words(title.get_text()).partition(" :: ")[2]


def _lines(element: Tag, depth: int, *, told: bool) -> list[str]:
    told = told or element.get("id") == CONTENT
    lines = ["  " * depth + (_named(element) if told else element.name)]
    seen: set[tuple[str, ...]] = set()
    for part in _parts(element, depth + 1, told=told):
        if tuple(part) not in seen:
            seen.add(tuple(part))
            lines += part
    return lines


def _parts(element: Tag, depth: int, *, told: bool) -> Iterator[list[str]]:
    if element.name == "script":
        return
    for child in element.children:
        if isinstance(child, Tag):
            yield _lines(child, depth, told=told)
        elif told and type(child) is NavigableString and child.strip():
            words = _words(child)
            yield ["  " * depth + (repr(words) if words in FIXED else "text")]


def _words(text: str) -> str:
    words = " ".join(text.split())
    for pattern, name in _VARIABLE:
        words = pattern.sub(name, words)
    return words


def _named(element: Tag) -> str:
    attributes = {name: value for name, value in element.attrs.items() if name not in {"id", "class"}}
    shown = (
        f'[{name}="{value}"]' if name in _KEPT_VALUES else f"[{name}]"
        for name, value in sorted(attributes.items())
    )
    name = f"#{element['id']}" if element.get("id") else ""
    classes = "".join(f".{each}" for each in element.get("class") or ())
    return f"{element.name}{name}{classes}{''.join(shown)}"
