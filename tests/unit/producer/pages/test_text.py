import datetime as dt

import pytest

from producer.pages import text


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("8:28", 508), ("55", 55), ("1:02:03", 3_723), ("8:61", None), ("8:28.5", None), ("1234567:00", None)],
)
def test_a_length_is_in_whole_seconds(written: str, seconds: int | None) -> None:
    assert text.whole_seconds(written) == seconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1/10 Open (9783013)", ("1/10 Open", "9783013")),
        ("1/10 Buggy (Stock 17.5T) (4100008)", ("1/10 Buggy (Stock 17.5T)", "4100008")),
        ("Open Practice", ("Open Practice", "")),
        ("Stock (17.5)", ("Stock (17.5)", "")),
        ("Buggy (Stock)", ("Buggy (Stock)", "")),
        ("Formula (F103)", ("Formula (F103)", "")),
        ("Kart (AB-12345)", ("Kart", "AB-12345")),
        ("Open ( 1234 )", ("Open", "1234")),
        ("Masters (40)", ("Masters (40)", "")),
        ("Vintage (123)", ("Vintage (123)", "")),
        ("17.5 Stock (13) (4455667)", ("17.5 Stock (13)", "4455667")),
        ("Open (12345678901)", ("Open (12345678901)", "")),
        ("Kart (ab-1)", ("Kart", "ab-1")),
        ("Kart (AB12345)", ("Kart (AB12345)", "")),
        ("Open ()", ("Open", "")),
        ("(4100000)", ("", "4100000")),
        ("Open)", ("Open)", "")),
        ("", ("", "")),
    ],
)
def test_the_last_parentheses_hold_the_transponder(written: str, expected: tuple[str, str]) -> None:
    assert text.kind(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  Conor\n   Merrigan\t", "Conor Merrigan"),
        ("a\x00b\x07c", "abc"),
        ("a \x00 b", "a b"),
        ("no\u00a0break", "no break"),
        ("bad \ud800 half", "bad half"),
        ("👩\u200d🔧", "👩\u200d🔧"),
        ("\x00", ""),
    ],
)
def test_white_space_is_folded_and_control_characters_dropped(written: str, expected: str) -> None:
    assert text.folded(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("4:36:38pm", dt.time(16, 36, 38)),
        ("12:00:00am", dt.time(0)),
        ("12:00:00 PM", dt.time(12)),
        ("13:00:00pm", None),
        ("4:36pm", None),
    ],
)
def test_a_clock_has_twelve_hours(written: str, expected: dt.time | None) -> None:
    assert text.clock(written) == expected


@pytest.mark.parametrize(
    "written", ["2025-10-25", "2025-W43-6T16:36:38", "2025-10-25 16:36+01", "2025-13-25 16:36:38"]
)
def test_a_start_needs_date_and_clock_without_offset(written: str) -> None:
    assert text.stamp(written) is None


def test_dates_and_lengths_in_words() -> None:
    assert text.long_date("Practice on October 5, 2025 (Sunday)") == dt.date(2025, 10, 5)
    assert text.long_date("October 32, 2025") is None
    assert text.long_date("Smarch 13, 2025") is None
    assert text.long_month("October 2025") == "2025-10"
    assert text.long_month("Smarch 2025") is None
    assert text.spelled_seconds("7 hours, 16 minutes, 45 seconds") == 26_205
    assert text.spelled_seconds("1 minute") == 60
    assert text.spelled_seconds("a while") is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("94.695%", 94.695),
        ("-12.5 %", -12.5),
        ("100%", 100.0),
        ("100.001%", None),
        ("1:00%", None),
        ("%", None),
    ],
)
def test_a_consistency_is_at_most_a_hundred_percent(written: str, expected: float | None) -> None:
    assert text.percent(written) == expected


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("/practice/?p=view_session&id=21290331", "21290331"),
        ("/practice/?p=view_session&x=1&id=7#top", "7"),
        ("/practice/?id=7&p=view_session", "7"),
        ("/practice/?x=1&id=7&y=2&p=view_session", "7"),
        ("/practice/?xid=7&p=view_session", None),
        ("/practice/?id=7&p=view_sessions", None),
        ("/practice/#?p=view_session&id=7", None),
        ("/practice/?p=view_session&id=", None),
        ("/practice/?p=view_session&id=7x", None),
        ("/practice/?p=session_list&id=7", None),
        ("/practice/?p=view_session&id=" + "7" * 19, None),
        (None, None),
    ],
)
def test_a_link_names_a_session_by_digits(href: str | None, expected: str | None) -> None:
    assert text.linked_session(href) == expected
