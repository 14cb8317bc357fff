"""The limit of `lag --fail-over`: what can be said, and who is over it."""

import pytest

from ops.lag.limits import Limit, limit_of


@pytest.mark.parametrize(
    ("text", "records", "seconds"),
    [
        ("0", 0, None),
        ("1000", 1000, None),
        ("30s", None, 30),
        ("5min", None, 300),
        ("2h", None, 7_200),
        ("1d", None, 86_400),
    ],
)
def test_a_limit_is_records_or_an_age(text: str, records: int | None, seconds: int | None) -> None:
    assert limit_of(text) == Limit(text=text, records=records, seconds=seconds)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "5 min", "5m", "min", "1000 records", "9" * 13, "٣"])
def test_anything_else_is_refused_with_what_can_be_said(text: str) -> None:
    with pytest.raises(ValueError, match="records as in 1000, or an age as in 30s, 5min, 2h, 1d"):
        limit_of(text)
