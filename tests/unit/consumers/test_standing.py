"""Whether the log goes on where tables stand."""

import pytest

from consumers.standing import LogRewound, check_next, misfit
from store.positions import Place

PLACE = Place("practice-days", 3)


@pytest.mark.parametrize(
    ("position", "begin", "end", "kind"),
    [
        (None, 0, 0, None),
        (None, 0, 9, None),
        (None, 1, 9, "begin_gone"),
        (None, 9, 9, "begin_gone"),
        (0, 0, 9, None),
        (0, 1, 9, "begin_gone"),
        (0, 9, 9, "begin_gone"),
        (4, 5, 9, "begin_gone"),
        (5, 5, 9, None),
        (9, 5, 9, None),
        (9, 9, 9, None),
        (10, 5, 9, "rewound"),
        (1, 0, 0, "rewound"),
    ],
)
def test_a_log_goes_on_where_nothing_is_skipped(
    position: int | None, begin: int, end: int, kind: str | None
) -> None:
    found = misfit("practice-days", PLACE, position, begin, end)
    assert (found.kind if found else None) == kind


def test_what_was_found_is_said_with_a_way_out() -> None:
    fresh, late, ahead = [misfit("practice-days", PLACE, at, 5, 9) for at in (None, 3, 10)]
    assert fresh
    assert "have nothing of practice-days[3] yet, but the topic begins at 5" in fresh.found
    assert "`lapstream rebuild start practice-days --export DIR`" in fresh.found
    assert late
    assert "stand at offset 3 of practice-days[3], but the topic begins at 5" in late.found
    assert ahead
    assert "stand at offset 10 of practice-days[3], but the topic ends at 9" in ahead.found
    assert all("docs/rebuild.md" in one.found for one in (fresh, late, ahead))


@pytest.mark.parametrize(("following", "begin", "said"), [(2, 0, "goes on at 2"), (7, 6, "begins at 6")])
def test_a_client_that_went_on_elsewhere_is_noticed(following: int, begin: int, said: str) -> None:
    with pytest.raises(LogRewound, match=said):
        check_next("practice-days", PLACE, 4, following, begin)


def test_a_gap_is_none() -> None:
    check_next("practice-days", PLACE, 4, 7, 4)
    check_next("practice-days", PLACE, 0, 7, 0)
