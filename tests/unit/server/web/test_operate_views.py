"""What the operators' pages hold beside what they read."""

import datetime as dt

import pytest
from selectolax.lexbor import LexborHTMLParser

from ops.lag.history import PastLag
from ops.status import lines
from server.web.operate import lag_view, overview_view
from tests.unit.test_docs import read, section


def past(*behind: int | None) -> list[PastLag]:
    """Looks every ten seconds, the last of them now, that saw so many records left."""
    return [
        PastLag(
            group="group",
            looked_at=dt.datetime(2025, 10, 25, tzinfo=dt.UTC),
            age=10.0 * (len(behind) - 1 - number),
            verdict="ok",
            behind=left,
            oldest_seconds=None,
        )
        for number, left in enumerate(behind)
    ]


def test_every_runbook_that_is_named_is_there() -> None:
    for name in overview_view.RUNBOOKS:
        assert section(read("runbooks.md"), name)


def test_what_is_not_well_comes_before_what_is_not_known() -> None:
    found = [lines.well("api", ""), lines.unknown("relay", ""), lines.unwell("site", "")]
    attention = overview_view.attention(found, [])
    assert [(one.line.name, one.page) for one in attention] == [("site", "/operate/site"), ("relay", None)]


def test_a_chart_has_a_point_for_each_look_that_knew() -> None:
    chart = lag_view.chart_of(past(3, None, 0, 7))
    assert chart is not None
    assert chart.count("<title>") == 3


@pytest.mark.parametrize("most", [1, 3, 7, 1234])
def test_each_step_of_its_axis_is_a_whole_number_of_records(most: int) -> None:
    parsed = LexborHTMLParser(str(lag_view.chart_of(past(0, most))))
    steps = [node.text() for node in parsed.css(".axis.y text")]
    assert len(steps) > 2
    assert all(steps)


def test_one_look_is_no_chart() -> None:
    assert lag_view.chart_of(past(None, 3)) is None
