"""How a group does: the looks of a window go in, a verdict with its reason comes out. No threshold is set.

The rules are those of LinkedIn's Burrow, in its wiki's "Consumer Lag Evaluation Rules" and `caching.go`;
docs/lag.md says where they differ. Burrow sees commits; here it is known where a group stands at each look,
and how many members it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from ops.lag.figures import Pace, Verdict
from store.positions import Place

SLOTS = 10
"""Into so many parts is the window divided to see whether lag becomes less: Burrow's intervals."""

TREND = 3
"""Two points are no trend."""

RATE_SECONDS = 60.0
"""The rates are those of the last minute."""

WORST_FIRST: tuple[Verdict, ...] = (
    "rewound",
    "no_members",
    "stopped",
    "stalled",
    "lagging",
    "unknown",
    "ok",
)
"""A group is what the worst of its partitions is."""


class Spot(NamedTuple):
    """Where a group stands in a partition, and what is left there."""

    offset: int
    end: int
    behind: int


class Sample(NamedTuple):
    """A group at one look, so many seconds ago; `members` is None where the broker did not say."""

    age: float
    members: int | None
    spots: Mapping[Place, Spot]


class Judgement(NamedTuple):
    """A verdict, and its reason in words."""

    verdict: Verdict
    reason: str


class _Seen(NamedTuple):
    """A partition at one look."""

    age: float
    spot: Spot


def judge(samples: Sequence[Sample], window: float) -> Judgement:
    """How a group does by these looks, of which the last is the present one; `window` is in seconds.

    A verdict to act on takes the looks of half of the window, but for `rewound`. Of several
    reasons for it, the one of the partition where most is left is given.
    """
    if not samples or not samples[-1].spots:
        return Judgement("unknown", "nothing is known of its partitions")
    now = samples[-1]
    of_members = _of_members(samples, window)
    found = [of_members] if of_members else []
    found += [
        _of_partition(place, _seen(samples, place), window, served=now.members != 0)
        for place in sorted(now.spots, key=lambda place: -now.spots[place].behind)
    ]
    return min(found, key=lambda one: WORST_FIRST.index(one.verdict))


def _seen(samples: Sequence[Sample], place: Place) -> list[_Seen]:
    return [_Seen(one.age, one.spots[place]) for one in samples if place in one.spots]


def _of_members(samples: Sequence[Sample], window: float) -> Judgement | None:
    """What the group's members tell; None where some are there, or left a short while ago."""
    now = samples[-1]
    if now.members is None:
        return Judgement("unknown", "whether it has members is not known")
    if now.members:
        return None
    left = sum(spot.behind for spot in now.spots.values())
    last = next((one for one in reversed(samples) if one.members), None)
    enough = _is_enough(samples[0].age, window)
    if last is None and enough:
        return Judgement("no_members", f"no member served it for {_s(samples[0].age)}; {_left(left)}")
    if last is None:
        return Judgement("unknown", f"no member serves it; {_too_few(samples[0].age)}")
    if left and enough and last.age > samples[0].age - last.age:
        return Judgement("stopped", f"its members left {_s(last.age)} ago; {_left(left)}")
    return None


def _of_partition(place: Place, seen: Sequence[_Seen], window: float, *, served: bool) -> Judgement:
    """How the group does in one partition."""
    if not seen[-1].spot.behind:
        return Judgement("ok", "nothing is left")
    if back := _went_back(seen):
        return Judgement("rewound", f"{place.topic}[{place.partition}]: {back}")
    if any(not one.spot.behind for one in seen):
        return Judgement("ok", f"nothing was left within the last {_s(window)}")
    if not _is_enough(seen[0].age, window):
        return Judgement("unknown", _too_few(seen[0].age))
    return _with_lag(place, seen, window, served=served)


def _with_lag(place: Place, seen: Sequence[_Seen], window: float, *, served: bool) -> Judgement:
    """How the group does in a partition where something was left at every look."""
    where, left = f"{place.topic}[{place.partition}]", _left(seen[-1].spot.behind)
    still = _still(seen)
    if still > seen[0].age - still:
        verdict: Verdict = "stalled" if served else "stopped"
        return Judgement(verdict, f"{where}: {left}, and none was applied for {_s(still)}")
    if _never_less(seen, window):
        grew = f"{seen[0].spot.behind} were left {_s(seen[0].age)} ago, {seen[-1].spot.behind} are now"
        return Judgement("lagging", f"{where}: records are applied, lag does not become less: {grew}")
    return Judgement("ok", "what is left becomes less")


def _is_enough(seconds: float, window: float) -> bool:
    """Whether looks over so long are enough for a verdict to act on."""
    return seconds >= window / 2


def _went_back(seen: Sequence[_Seen]) -> str | None:
    """Where the group went back, and has not come as far again; Burrow's rule 2."""
    furthest = seen[0]
    for one in seen:
        furthest = max(furthest, one, key=lambda other: other.spot.offset)
    if furthest.spot.offset <= seen[-1].spot.offset:
        return None
    return (
        f"it went back: offset {furthest.spot.offset} was reached {_s(furthest.age)} ago, and it is at "
        f"{seen[-1].spot.offset} now"
    )


def _still(seen: Sequence[_Seen]) -> float:
    """For how long the group stands where it is: since it last moved, or for as long as it was looked at."""
    for before, after in zip(reversed(seen[:-1]), reversed(seen[1:]), strict=True):
        if before.spot.offset != after.spot.offset:
            return after.age
    return seen[0].age


def _never_less(seen: Sequence[_Seen], window: float) -> bool:
    """Whether lag becomes less in no part of the window; Burrow's rule 5."""
    sampled = [one.spot.behind for one in _of_slots(seen, window)]
    return len(sampled) >= TREND and all(after >= before for before, after in pairwise(sampled))


def _of_slots(seen: Sequence[_Seen], window: float) -> Iterator[_Seen]:
    """The newest look of each part of the window."""
    newest = {int(one.age / window * SLOTS): one for one in seen}
    return iter(newest.values())


def pace(samples: Sequence[Sample], places: Sequence[Place]) -> Pace:
    """The rates of the last minute over these partitions, and when what is left is applied at them.

    Where a group went back within it, each way forward counts.
    """
    recent = [
        one for one in samples if one.age <= RATE_SECONDS and all(place in one.spots for place in places)
    ]
    if len(recent) < 2 or not places:  # noqa: PLR2004 - a rate is between two looks
        return Pace()
    first, last = recent[0], recent[-1]
    seconds = max(first.age - last.age, 1e-3)
    steps = [
        (before.spots[place], after.spots[place]) for before, after in pairwise(recent) for place in places
    ]
    came = sum(max(0, after.end - before.end) for before, after in steps)
    went = sum(max(0, after.offset - before.offset) for before, after in steps)
    in_rate, out_rate = (round(count / seconds, 3) for count in (came, went))
    behind = sum(last.spots[place].behind for place in places)
    if not behind:
        return Pace(in_rate=in_rate, out_rate=out_rate, catch_up="caught_up", catch_up_seconds=0.0)
    if out_rate <= in_rate:
        return Pace(in_rate=in_rate, out_rate=out_rate, catch_up="never")
    needed = round(behind / (out_rate - in_rate), 1)
    return Pace(in_rate=in_rate, out_rate=out_rate, catch_up="in_time", catch_up_seconds=needed)


def _left(count: int) -> str:
    if not count:
        return "nothing is left, and what comes next waits"
    return "1 record is left" if count == 1 else f"{count} records are left"


def _too_few(seconds: float) -> str:
    return f"it was looked at for {_s(seconds)} only, which is too little to judge it"


def _s(seconds: float) -> str:
    return f"{seconds:.0f} s"
