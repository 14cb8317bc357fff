"""Verdicts on groups: each rule by the looks of a window, and what holds of any looks."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.lag.figures import Pace, Verdict
from ops.lag.verdicts import Sample, Spot, judge, pace
from store.positions import Place

WINDOW = 600.0
EVERY = 10.0
PLACE = Place("topic", 3)
OTHER = Place("topic", 4)
FULL = int(WINDOW / EVERY)


def looks(
    offsets: Sequence[int], ends: Sequence[int] | int, members: Sequence[int | None] | int | None = 1
) -> list[Sample]:
    """Looks every ten seconds, the last of them now."""
    count = len(offsets)
    ends = [ends] * count if isinstance(ends, int) else ends
    served = list(members) if isinstance(members, Sequence) else [members] * count
    return [
        Sample(
            (count - 1 - number) * EVERY,
            served[number],
            {PLACE: Spot(offset, ends[number], ends[number] - offset)},
        )
        for number, offset in enumerate(offsets)
    ]


def verdict(samples: Sequence[Sample]) -> Verdict:
    return judge(samples, WINDOW).verdict


@pytest.mark.parametrize(
    ("found", "expected", "reason"),
    [
        (looks([5] * FULL, 5), "ok", "nothing is left"),
        (looks([5], 5), "ok", "nothing is left"),
        (looks([5] * 20, [5, *[9] * 19]), "ok", "nothing was left within the last 600 s"),
        (looks([*range(40)], 100), "ok", "what is left becomes less"),
        (looks([5] * 40, 9), "stalled", "topic[3]: 4 records are left, and none was applied for 390 s"),
        (
            looks([*range(10), *[9] * 30], 50),
            "stalled",
            "topic[3]: 41 records are left, and none was applied for 300 s",
        ),
        (looks([*range(25), *[24] * 10], 50), "ok", "what is left becomes less"),
        (looks([5] * 40, 9, None), "stalled", "topic[3]: 4 records are left, and none was applied for 390 s"),
        (
            looks([*range(40)], [2 * number + 9 for number in range(40)]),
            "lagging",
            "topic[3]: records are applied, lag does not become less: 9 were left 390 s ago, 48 are now",
        ),
        (
            looks([*range(10), *[9] * 30], 50, [2] * 10 + [0] * 30),
            "stopped",
            "its members left 300 s ago; 41 records are left",
        ),
        (looks([5] * 40, 5, [2] * 10 + [0] * 30), "ok", "nothing is left"),
        (looks([5] * 40, 6, 0), "no_members", "no member served it for 390 s; 1 record is left"),
        (
            looks([5] * 40, 5, 0),
            "no_members",
            "no member served it for 390 s; nothing is left, and what comes next waits",
        ),
        (
            looks([40, 41, 3, 4], 50),
            "rewound",
            "topic[3]: it went back: offset 41 was reached 20 s ago, and it is at 4 now",
        ),
        (looks([40, 41, 3, 50], 50), "ok", "nothing is left"),
        (looks([40, 41, 3, 45], 50), "unknown", None),
        (looks([5] * 3, 9), "unknown", "it was looked at for 20 s only, which is too little to judge it"),
        (looks([5], 5, 0), "unknown", None),
        (looks([5] * 40, 5, None), "unknown", "whether it has members is not known"),
        ([], "unknown", "nothing is known of its partitions"),
    ],
)
def test_each_rule(found: list[Sample], expected: Verdict, reason: str | None) -> None:
    judged = judge(found, WINDOW)
    assert judged.verdict == expected
    if reason is not None:
        assert judged.reason == reason


def test_a_group_is_what_the_worst_of_its_partitions_is() -> None:
    stalled = looks([5] * 40, 9)
    both = [one._replace(spots={OTHER: Spot(7, 7, 0), **one.spots}) for one in stalled]
    assert verdict(both) == "stalled"
    well = [one._replace(spots={OTHER: Spot(7, 7, 0), **one.spots}) for one in looks([9, 9], [9, 10])]
    assert judge(well, WINDOW) == ("ok", "nothing was left within the last 600 s")


def test_a_partition_that_was_added_is_judged_by_the_looks_that_saw_it() -> None:
    grown = looks([9] * 40, 9)
    grown[-1] = grown[-1]._replace(spots={**grown[-1].spots, OTHER: Spot(0, 4, 4)})
    assert verdict(grown) == "unknown"


Histories = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0, 1, 2, None])),
    min_size=1,
    max_size=70,
)


def history(steps: list[tuple[int, int, int | None]]) -> list[Sample]:
    """Looks at a group that only goes on, never beyond the end."""
    offset = end = 0
    found: list[tuple[int, int]] = []
    for came, went, _ in steps:
        end += came
        offset = min(end, offset + went)
        found.append((offset, end))
    return looks(
        [offset for offset, _ in found], [end for _, end in found], [members for *_, members in steps]
    )


@given(Histories)
def test_a_group_that_only_goes_on_is_never_rewound(steps: list[tuple[int, int, int | None]]) -> None:
    assert verdict(history(steps)) != "rewound"


@given(Histories, st.integers(1, 100))
def test_a_group_that_goes_back_and_has_something_left_is_rewound(
    steps: list[tuple[int, int, int | None]], back: int
) -> None:
    samples = history(steps)
    [(place, spot)] = samples[-1].spots.items()
    earlier = Spot(spot.offset + back, spot.end + back, 0)
    samples.insert(0, Sample(samples[0].age + EVERY, 1, {place: earlier}))
    samples[-1] = samples[-1]._replace(spots={place: Spot(spot.offset, spot.offset + 1, 1)})
    assert verdict(samples) == "rewound"


@given(Histories)
def test_with_nothing_left_and_a_member_all_is_well(steps: list[tuple[int, int, int | None]]) -> None:
    samples = history(steps)
    [(place, spot)] = samples[-1].spots.items()
    samples[-1] = Sample(0, 1, {place: Spot(spot.end, spot.end, 0)})
    assert judge(samples, WINDOW) == ("ok", "nothing is left")


@given(Histories)
def test_nobody_is_to_act_on_a_few_looks(steps: list[tuple[int, int, int | None]]) -> None:
    assert verdict(history(steps[: FULL // 2])) in {"ok", "unknown"}


@given(Histories, st.sampled_from([0.125, 0.5, 2, 64]))
def test_the_unit_of_time_does_not_matter(steps: list[tuple[int, int, int | None]], factor: float) -> None:
    samples = history(steps)
    scaled = [one._replace(age=one.age * factor) for one in samples]
    assert judge(scaled, WINDOW * factor).verdict == judge(samples, WINDOW).verdict


@pytest.mark.parametrize(
    ("offsets", "ends", "expected"),
    [
        ([5], [5], Pace()),
        ([0, 10], [10, 10], Pace(in_rate=0, out_rate=1, catch_up="caught_up", catch_up_seconds=0)),
        ([0, 20], [30, 40], Pace(in_rate=1, out_rate=2, catch_up="in_time", catch_up_seconds=20)),
        ([0, 10], [30, 40], Pace(in_rate=1, out_rate=1, catch_up="never")),
        ([9, 3], [30, 40], Pace(in_rate=1, out_rate=0, catch_up="never")),
        ([20, 0, 40], [60] * 3, Pace(in_rate=0, out_rate=2, catch_up="in_time", catch_up_seconds=10)),
    ],
)
def test_rates_and_when_a_group_comes_to_the_end(offsets: list[int], ends: list[int], expected: Pace) -> None:
    assert pace(looks(offsets, ends), [PLACE]) == expected
