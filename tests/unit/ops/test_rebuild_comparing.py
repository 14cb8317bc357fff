"""Why a row differs, by what is known of the records behind it."""

import pytest

from ops.rebuild.comparing import Evidence, Pair
from ops.rebuild.report import Cause, Kind

PARKED, DISCARDED, REFUSED, FINE = "parked-id", "discarded-id", "refused-id", "fine-id"
EVIDENCE = Evidence(
    {PARKED.encode().hex(): "parked", DISCARDED.encode().hex(): "discarded"},
    frozenset({REFUSED.encode().hex()}),
)


@pytest.mark.parametrize(
    ("kind", "new", "old", "cause"),
    [
        ("added", PARKED, None, "parked"),
        ("added", DISCARDED, None, "discarded"),
        ("added", FINE, None, "unexplained"),
        ("changed", PARKED, FINE, "parked"),
        ("changed", FINE, REFUSED, "refused"),
        ("changed", FINE, FINE, "unexplained"),
        ("gone", DISCARDED, FINE, "discarded"),
        ("gone", None, REFUSED, "refused"),
        ("gone", None, None, "unexplained"),
    ],
)
def test_a_difference_is_classed_by_the_records_behind_it(
    kind: Kind, new: str | None, old: str | None, cause: Cause
) -> None:
    assert EVIDENCE.explain(kind, [new] if new else [], [old] if old else []) == (cause, new)


@pytest.mark.parametrize(
    ("new", "old", "cause", "by"),
    [
        ([FINE, PARKED], [], "parked", PARKED),
        ([DISCARDED, PARKED], [], "parked", PARKED),
        ([FINE, DISCARDED], [FINE], "discarded", DISCARDED),
        ([FINE, "older"], [FINE, REFUSED], "refused", FINE),
        ([FINE, "older"], [FINE], "unexplained", FINE),
    ],
)
def test_of_several_records_the_one_that_explains_it_is_named_or_else_the_newest(
    new: list[str], old: list[str], cause: Cause, by: str
) -> None:
    assert EVIDENCE.explain("changed", new, old) == (cause, by)


def test_a_row_is_added_gone_or_changed() -> None:
    assert [Pair(None, {}).kind, Pair({}, None).kind, Pair({}, {}).kind] == ["added", "gone", "changed"]
