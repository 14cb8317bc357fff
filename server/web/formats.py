"""How pages write figures and times; what is not known is a dash, never a zero."""

import datetime as dt
import re

from markupsafe import Markup, escape

from runs.run import RunFailure
from server.web.texts import TEXTS

UNKNOWN = "\N{EN DASH}"
_MINUTE = 60
_COMMAND = re.compile(r"`([^`]+)`")


def lap_time(seconds: float | None) -> str:
    """A lap's time, to the millisecond: `31.502`, from a minute on `1:02.345`."""
    if seconds is None:
        return UNKNOWN
    minutes, rest = divmod(round(seconds * 1000), _MINUTE * 1000)
    return f"{minutes}:{rest / 1000:06.3f}" if minutes else f"{rest / 1000:.3f}"


def gap(seconds: float | None) -> str:
    """How much slower something is: `+0.431`; what is negative, is faster."""
    return UNKNOWN if seconds is None else f"{seconds:+.3f}"


def number(value: float | None, digits: int = 0) -> str:
    """A figure with so many digits after the point."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def length(seconds: float | None) -> str:
    """How long something took: `5:03`, from an hour on `1:05:03`."""
    if seconds is None:
        return UNKNOWN
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(moment: dt.datetime | None) -> str:
    """A moment of a day, to the second."""
    return UNKNOWN if moment is None else f"{moment:%H:%M:%S}"


def utc(moment: dt.datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def reason(failure: RunFailure) -> str:
    """Why a session failed, without the address and the code that stand before it for programs."""
    return failure.message.removeprefix(f"{failure.url}: ").removeprefix(f"{failure.code}: ")


def count(value: float) -> str:
    """How many there are; nothing where that is no whole number, as on an axis between two."""
    return number(value) if value == int(value) else ""


def with_code(text: str) -> Markup:
    """A message of ours, whose commands stand between backticks, as HTML."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it is escaped


def long_date(date: dt.date) -> str:
    """A date in words: `Saturday, 25 October 2025`."""
    names, months = TEXTS.names("calendar.weekdays"), TEXTS.names("calendar.months")
    return TEXTS(
        "calendar.date",
        weekday=names[date.weekday()],
        day=date.day,
        month=months[date.month - 1],
        year=date.year,
    )


def month_name(date: dt.date) -> str:
    """The month of a date: `October 2025`."""
    return f"{TEXTS.names('calendar.months')[date.month - 1]} {date.year}"
