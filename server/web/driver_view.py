"""What a driver's page holds beside the lists: pure, so that it is tested without a server."""

import itertools
from collections.abc import Sequence

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
    """How a driver's sessions of a class at a track went."""

    track_name: str
    class_name: str | None
    sessions: int
    chart: Markup


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
    name = newest.track_name or newest.track_slug
    lines = [
        Line(
            name="average",
            points=[_mark(place, one, one.avg_lap_time) for place, one in enumerate(sessions, 1)],
        ),
        Line(
            name="laps",
            points=[_mark(place, one, one.fast_lap_time) for place, one in enumerate(sessions, 1)],
        ),
    ]
    return Trend(
        track_name=name,
        class_name=newest.class_name,
        sessions=len(sessions),
        chart=line_chart(lines, x_title=TEXTS("driver.axis"), x_labels=_days(sessions), height=260),
    )


def _mark(place: int, session: DriverSession, time: float | None) -> Mark | None:
    if time is None:
        return None
    label = TEXTS(
        "driver.point",
        date=session.date,
        run=session.run,
        best=lap_time(session.fast_lap_time),
        average=lap_time(session.avg_lap_time),
        consistency=number(session.consistency, 1),
    )
    return Mark(x=place, y=time, label=label, link=links.session(session.id))


def _days(sessions: Sequence[DriverSession]) -> list[tuple[float, str]]:
    """Labels of the lower axis: where a day begins, eight at most."""
    firsts = [
        (place, f"{session.date:%d.%m.%y}")
        for place, session in enumerate(sessions, 1)
        if place == 1 or session.date != sessions[place - 2].date
    ]
    return list(itertools.islice(firsts, None, None, -(-len(firsts) // 8)))
