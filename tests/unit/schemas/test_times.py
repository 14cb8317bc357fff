import pytest

from schemas import times


@pytest.mark.parametrize(
    ("written", "millis"),
    [
        ("42.996", 42_996),
        ("42,996", 42_996),
        ("1:10.123", 70_123),
        ("1:02:03.4", 3_723_400),
        ("55", 55_000),
        ("71.199", 71_199),
        ("0.9996", 1_000),
        ("90:00", 5_400_000),
        ("", None),
        ("1:60.0", None),
        ("1:2:3", None),
        ("-1.0", None),
        ("1.2.3", None),
        ("٤٢.٩٩٦", None),
        ("NaN", None),
        ("9" * 5000, None),
        ("9999999", None),
        ("444444", None),
        ("86400", 86_400_000),
        ("86400.001", None),
        ("24:00:00.001", None),
    ],
)
def test_a_time_is_read_to_the_millisecond(written: str, millis: int | None) -> None:
    assert times.milliseconds(written) == millis


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20 to 1:10", (20.0, 70.0)),
        ("15,5 to 2:00.25", (15.5, 120.25)),
        ("0 to 24:00:00", (0.0, 86_400.0)),
        ("20 to 20", (20.0, 20.0)),
        ("1:10 to 20", None),
        ("20 to 444444", None),
        ("20 to", None),
        ("20 - 70", None),
        ("20 to 1:10 to 2:00", None),
        ("any", None),
        ("", None),
        (None, None),
    ],
)
def test_a_lap_range_is_two_numbers_of_seconds(
    written: str | None, expected: tuple[float, float] | None
) -> None:
    assert times.lap_range(written) == expected
