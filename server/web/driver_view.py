"""What a driver's page holds beside the lists: pure, so that it is tested without a server."""

import itertools
from collections.abc import Sequence
from functools import partial

from markupsafe import Markup
from msgspec import Struct

from server.web import links
from server.web.charts import Line, Mark, line_chart
from server.web.formats import lap_time, number
from server.web.texts import TEXTS
from store.reading import DriverSession

FEWEST = 2
"""Sessions that make a trend."""

CHARTS = 4
"""Charts of a page: those of the classes and tracks that were driven most."""


class Trend(Struct, frozen=True, kw_only=True):
    """How a driver's sessions of a class at a track went; consistency where enough of them have one."""

    track_name: str
    class_name: str | None
    sessions: int
    chart: Markup
    consistency: Markup | None


def trends_of(sessions: Sequence[DriverSession]) -> list[Trend]:
    """The trend of each class at each track, those with most sessions first."""
    groups: dict[tuple[str, str | None], list[DriverSession]] = {}
    for session in reversed(sessions):
        if session.fast_lap_time is not None:
            groups.setdefault((session.track_slug, session.class_name), []).append(session)
    driven = sorted(groups.values(), key=len, reverse=True)
    return [_trend(group) for group in driven[:CHARTS] if len(group) >= FEWEST]


def _trend(sessions: Sequence[DriverSession]) -> Trend:
    newest = sessions[-1]
    times = [
        _line("average", sessions, [one.avg_lap_time for one in sessions]),
        _line("laps", sessions, [one.fast_lap_time for one in sessions]),
    ]
    return Trend(
        track_name=newest.track_name or newest.track_slug,
        class_name=newest.class_name,
        sessions=len(sessions),
        chart=line_chart(times, x_title=TEXTS("driver.axis"), x_labels=_days(sessions), height=260),
        consistency=_consistency(sessions),
    )


def _consistency(sessions: Sequence[DriverSession]) -> Markup | None:
    """The consistency of each session, in percent; None where too few have one."""
    found = [one.consistency for one in sessions]
    if len([value for value in found if value is not None]) < FEWEST:
        return None
    return line_chart(
        [_line("consistency", sessions, found)],
        x_title=TEXTS("driver.axis"),
        x_labels=_days(sessions),
        height=160,
        write=partial(number, digits=1),
    )


def _line(name: str, sessions: Sequence[DriverSession], values: Sequence[float | None]) -> Line:
    """A value of each session, in their order; a session without one is a gap."""
    marks = [_mark(place, *each) for place, each in enumerate(zip(sessions, values, strict=True), 1)]
    return Line(name=name, points=marks)


def _mark(place: int, session: DriverSession, value: float | None) -> Mark | None:
    if value is None:
        return None
    label = TEXTS(
        "driver.point",
        date=session.date,
        run=session.run,
        best=lap_time(session.fast_lap_time),
        average=lap_time(session.avg_lap_time),
        consistency=number(session.consistency, 1),
    )
    return Mark(x=place, y=value, label=label, link=links.session(session.id))


def _days(sessions: Sequence[DriverSession]) -> list[tuple[float, str]]:
    """Labels of the lower axis: where a day begins, eight at most."""
    firsts = [
        (place, str(session.date))
        for place, session in enumerate(sessions, 1)
        if place == 1 or session.date != sessions[place - 2].date
    ]
    return list(itertools.islice(firsts, None, None, -(-len(firsts) // 8)))
