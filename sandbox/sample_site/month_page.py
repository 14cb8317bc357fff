"""The month view: which days of a month have practice.

In: a track's name, a month, its days with their numbers of sessions. Out: the page's bytes.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from sandbox.sample_site import naming, pen, templates, wording
from sandbox.sample_site.day_list import empty_panel
from sandbox.sample_site.templates import Spelling

LOOKED_AT = dt.date(2026, 2, 2)
"""The day on which a month is looked at, as the site has it; it is without practice."""


def render_month(
    track_slug: str,
    month: str,
    days: Mapping[dt.date, int],
    months: Sequence[str],
    *,
    spelling: Spelling = "served",
) -> bytes:
    """The view of `month` (YYYY-MM), newest day first, with all `months` to choose from.

    As on the real site a panel stands beside it, of the day on which the page is looked at: that says nothing
    of the listed days.
    """
    name = naming.track_name(track_slug)
    newest_first = sorted(days.items(), reverse=True)
    content = templates.whole("month", spelling).fill(
        month=_month_text(month),
        months="".join(_choice(each, selected=each == month) for each in months),
        rows="".join(_row(spelling, number, *day) for number, day in enumerate(newest_first)),
        empty_panel=empty_panel(spelling, LOOKED_AT),
    )
    return pen.page(
        spelling,
        title=f"{name} :: Practice Sessions for {_month_text(month)}",
        track=name,
        heading="Practice Sessions",
        content=content,
    )


def _choice(month: str, *, selected: bool) -> str:
    mark = ' selected="selected"' if selected else ""
    return f'{" " * 20}<option value="{month}"{mark}>{_month_text(month)}</option>\n'


def _row(spelling: Spelling, number: int, date: dt.date, sessions: int) -> str:
    return templates.repeated("month_row", spelling).fill(
        amp=pen.ampersand(spelling, number),
        date=date.isoformat(),
        text=wording.short_date(date),
        sessions=str(sessions),
    )


def _month_text(month: str) -> str:
    year, number = month.split("-")
    return wording.long_month(int(year), int(number))
