"""What all pages have in common: the shell around them, the two spellings, times and escaping.

In: text and figures. Out: pieces of HTML; `page` puts the shell around them and encodes the whole.
"""

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Literal

from sandbox.sample_site import literals, templates, wording
from sandbox.sample_site.model import SampleSession, SessionQuirk
from sandbox.sample_site.templates import Spelling

_LONG = 30

TimeWriter = Callable[[float], str]


def page(
    spelling: Spelling, *, title: str, track: str, heading: str, content: str, date: str | None = None
) -> bytes:
    """A whole page; `content` is HTML, all else is text; a `date` stands beside the heading."""
    part, dated = ("heading", {}) if date is None else ("heading_dated", {"date": escape(date)})
    return (
        templates.whole("shell", spelling)
        .fill(
            title=escape(f"{title} :: LiveRC"),
            track=escape(track),
            headings=templates.whole(part, spelling).fill(heading=escape(heading), **dated),
            content=content,
        )
        .encode()
    )


def literal(spelling: Spelling, value: literals.Value, indent: int) -> str:
    """Data for a script whose line is indented by so many spaces."""
    return literals.served(value) if spelling == "served" else literals.saved(value, " " * indent)


def ampersand(spelling: Spelling, number: int) -> str:
    """How an address is written in link number so-and-so: what was saved has both ways in turn."""
    return "&amp;" if spelling == "saved" and number % 2 else "&"


def line_break(spelling: Spelling, number: int) -> str:
    """A void tag, likewise."""
    return "<br>" if spelling == "saved" and number % 2 else "<br />"


def label(spelling: Spelling, text: str, indent: int) -> str:
    """A text, escaped; a formatter breaks a long one at a space."""
    head, space, tail = text.rpartition(" ")
    if spelling == "served" or len(text) < _LONG or not space:
        return escape(text)
    return f"{escape(head)}\n{' ' * indent}{escape(tail)}"


def lines(spelling: Spelling, texts: Sequence[str], indent: int) -> str:
    """HTML texts below each other in one cell."""
    return ("<br />" if spelling == "served" else f"<br />\n{' ' * indent}").join(texts)


def time_writer(session: SampleSession, style: Literal["usual", "plain", "clock"] = "usual") -> TimeWriter:
    """How the session's times (milliseconds) are written: 70.123, or 1:10.123 in the style `clock`."""
    if style == "usual" and SessionQuirk.CLOCK_TIMES in session.quirks:
        style = "clock"
    write = wording.clock_time if style == "clock" else wording.plain_time
    if SessionQuirk.COMMA in session.quirks:
        return partial(_with_comma, write)
    return write


def optional(write: TimeWriter, millis: float | None) -> str:
    """A time, or nothing where there is none."""
    return "" if millis is None else write(millis)


def _with_comma(write: TimeWriter, millis: float) -> str:
    return write(millis).replace(".", ",")
