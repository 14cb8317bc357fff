"""Which observation sets which fact."""

import msgspec

from projections.precedence import shared_facts
from projections.state import Seen, fold_days, sight
from schemas.events import ListedSession, SessionFacts
from tests.events import fetched, listed, received, row


def seen_row(second: float, **facts: object) -> Seen[ListedSession]:
    [day] = fold_days([sight(listed(second, row("1", **facts)), "a")]).values()
    return day.rows["1"]


def seen_detail(second: float, **facts: object) -> Seen[SessionFacts]:
    [day] = fold_days([sight(fetched(second, "1", **facts), "b")]).values()
    return day.details["1"]


def test_the_newer_of_row_and_detail_sets_what_both_state() -> None:
    assert shared_facts(seen_row(1, lap_count=3), seen_detail(2, lap_count=4)).lap_count == 4
    assert shared_facts(seen_row(3, lap_count=3), seen_detail(2, lap_count=4)).lap_count == 3


def test_where_the_newer_is_silent_the_other_speaks() -> None:
    found = shared_facts(seen_row(1, transponder_number="5"), seen_detail(2, transponder_number=None))
    assert found.transponder_number == "5"


def test_a_transponder_that_is_a_part_of_the_class_is_none() -> None:
    for second in (1, 3):
        row = seen_row(second, class_name="Stock", transponder_number="2024")
        found = shared_facts(row, seen_detail(2, class_name="Stock (2024)", transponder_number=None))
        assert (found.class_name, found.transponder_number) == ("Stock (2024)", None)
        found = shared_facts(row, seen_detail(2, class_name="Stock (2024)", transponder_number="77"))
        assert found.transponder_number == "77"
        found = shared_facts(row, seen_detail(2, class_name="Stock", transponder_number=None))
        assert (found.class_name, found.transponder_number) == ("Stock", "2024")


def test_where_both_are_silent_nothing_is_said() -> None:
    assert shared_facts(seen_row(1, class_name=None), seen_detail(2, class_name=None)).class_name is None


def test_one_of_them_alone_is_enough() -> None:
    assert shared_facts(seen_row(1), None).driver_name == "Driver 1"
    assert shared_facts(None, seen_detail(1)).driver_name == "Driver 1"


def test_the_same_moment_is_decided_by_parser_version_then_content() -> None:
    newer = seen_row(1, lap_count=9)
    newer = msgspec.structs.replace(newer, stamp=newer.stamp._replace(parser_version=2))
    assert shared_facts(newer, seen_detail(1, lap_count=4)).lap_count == 9


def test_the_id_in_the_envelope_is_part_of_the_order_only_at_last() -> None:
    event = received(fetched(1, "1"))
    assert event.id not in seen_detail(1).stamp[:3]
