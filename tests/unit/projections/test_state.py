"""Taking the newest: order, repetition and batches make no difference."""

import random

from hypothesis import given
from hypothesis import strategies as st

from projections.state import EMPTY_DAY, Day, Sighted, fold_days, merge_day, sight
from schemas.events import Event
from tests.events import fetched, laps, listed, received, row

EVENTS: list[Event] = [
    listed(1, row("1"), row("2")),
    listed(1, row("1"), row("2", lap_count=4)),
    listed(3, row("1"), complete=False),
    listed(4, row("1"), row("1", lap_count=8), row("3")),
    listed(4),
    fetched(2, "1"),
    fetched(2, "1", laps=laps(2)),
    fetched(5, "2", parser_version=2),
    fetched(5, "2", lap_count=7),
]


def sighted() -> list[Sighted]:
    return [sight(event, received(event).id) for event in EVENTS]  # pyright: ignore[reportArgumentType]


def folded(ones: list[Sighted]) -> Day:
    return next(iter(fold_days(ones).values()), EMPTY_DAY)


@given(st.randoms(use_true_random=False), st.integers(1, len(EVENTS)))
def test_any_order_any_repetition_and_any_batches_give_the_same_day(rng: random.Random, size: int) -> None:
    ones = sighted() + rng.choices(sighted(), k=5)
    rng.shuffle(ones)
    day = EMPTY_DAY
    while ones:
        batch, ones = ones[:size], ones[size:]
        day = merge_day(day, folded(batch))
    assert day == folded(sighted())


def test_a_session_exists_by_the_newest_complete_list_or_by_something_newer() -> None:
    ones = [listed(5, row("1")), fetched(4, "2"), fetched(6, "3"), listed(7, row("4"), complete=False)]
    day = folded([sight(event, "id") for event in ones])
    assert [day.exists(session_id) for session_id in ("1", "2", "3", "4")] == [True, False, True, True]


def test_without_a_complete_list_all_that_was_seen_exists() -> None:
    day = folded([sight(listed(5, row("1"), complete=False), "id"), sight(fetched(1, "2"), "id")])
    assert day.exists("1")
    assert day.exists("2")
