"""What the pages of lag hold: pure, so that it is tested without a server."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

from ops.fleet.observing import WINDOW_SECONDS
from ops.lag.figures import GroupLag, PartitionLag
from ops.lag.history import SLOT_SECONDS, SLOTS, PastLag
from server.web.charts import Line, Mark, line_chart
from server.web.formats import count, number
from server.web.texts import TEXTS
from store.positions import Place

STEPS = 4
"""Of the axis, which ends where each step is a whole number of records."""

FEWEST = 2
"""Looks that make a chart."""

MOST_PARTITIONS = 500
"""Partitions of a page, those with most that waits first."""

SLOT_MINUTES = [round(SLOT_SECONDS * back / 60) for back in range(SLOTS - 1, 0, -1)]
"""How many minutes ago the slots of the past are, the oldest first."""


class GroupView(Struct, frozen=True, kw_only=True):
    """A group now, and how far it was behind in the last minutes."""

    now: GroupLag
    chart: Markup | None


class PartitionView(Struct, frozen=True, kw_only=True):
    """A partition now, and what was left in it in each slot of the past."""

    now: PartitionLag
    past: list[int | None]


def groups_of(groups: Sequence[GroupLag], past: Mapping[str, Sequence[PastLag]]) -> list[GroupView]:
    """The groups, each with its chart."""
    return [GroupView(now=one, chart=chart_of(past.get(one.group, []), height=180)) for one in groups]


def chart_of(past: Sequence[PastLag], height: int = 300) -> Markup | None:
    """How many records were left at each look; None where too few looks saw that."""
    marks = [_mark(one) for one in past]
    known = [mark.y for mark in marks if mark]
    if len(known) < FEWEST:
        return None
    return line_chart(
        [Line(name="behind", points=marks)],
        x_title=TEXTS("operate.minutes_ago"),
        x_labels=[(-60.0 * minutes, str(minutes)) for minutes in range(round(WINDOW_SECONDS / 60), -1, -2)],
        range_=(0, math.ceil(max(*known, 1) / STEPS) * STEPS),
        height=height,
        write=count,
    )


def _mark(one: PastLag) -> Mark | None:
    if one.behind is None:
        return None
    label = TEXTS(
        "operate.look",
        time=f"{one.looked_at:%H:%M:%S}",
        behind=number(one.behind),
        verdict=TEXTS(f"verdicts.{one.verdict}"),
    )
    return Mark(x=-one.age, y=one.behind, label=label)


def partitions_of(
    partitions: Sequence[PartitionLag], past: Mapping[Place, list[int | None]]
) -> list[PartitionView]:
    """The partitions in which most waits, with their past."""
    most = sorted(partitions, key=lambda one: (-(one.behind or 0), one.topic, one.partition))
    nothing: list[int | None] = [None] * SLOTS
    return [
        PartitionView(now=one, past=past.get(Place(one.topic, one.partition), nothing)[:-1])
        for one in most[:MOST_PARTITIONS]
    ]
