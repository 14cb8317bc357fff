"""How figures and times are written."""

import datetime as dt

import pytest

from server.web import formats
from server.web.formats import UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (31.502, "31.502"),
        (59.9996, "1:00.000"),
        (62.345, "1:02.345"),
        (0.0, "0.000"),
        (3723.5, "62:03.500"),
        (None, UNKNOWN),
    ],
)
def test_lap_times(seconds: float | None, written: str) -> None:
    assert formats.lap_time(seconds) == written


@pytest.mark.parametrize(("seconds", "written"), [(28, "0:28"), (3905, "1:05:05"), (None, UNKNOWN)])
def test_lengths(seconds: float | None, written: str) -> None:
    assert formats.length(seconds) == written


def test_what_is_not_known_is_no_zero() -> None:
    assert {formats.number(None), formats.clock(None), formats.gap(None)} == {UNKNOWN}


def test_dates_are_written_in_words() -> None:
    assert formats.long_date(dt.date(2025, 10, 25)) == "Saturday, 25 October 2025"
    assert formats.month_name(dt.date(2025, 1, 1)) == "January 2025"


def test_commands_of_messages_are_code_and_all_else_is_text() -> None:
    text = formats.with_code("<b> failed: `lapstream runs show <id>` says why, or ` alone")
    assert text == ("&lt;b&gt; failed: <code>lapstream runs show &lt;id&gt;</code> says why, or ` alone")


def test_an_axis_counts_in_whole_numbers() -> None:
    assert [formats.count(one) for one in (0, 1.5, 2.0, 1200)] == ["0", "", "2", "1,200"]
