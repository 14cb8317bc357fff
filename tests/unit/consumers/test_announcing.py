"""What is announced of a day's change: each event keeps to the bounds that its readers rely on."""

import pytest

from consumers.live import within_bounds
from schemas.envelope import Context, pack
from schemas.events import MAX_SESSIONS, PracticeDayChanged
from schemas.identity import event_id
from tests.events import DATE, seen


def changed(added: int, altered: int, gone: int) -> PracticeDayChanged:
    def names(letter: str, count: int) -> tuple[str, ...]:
        return tuple(f"{letter}{number}" for number in range(count))

    return PracticeDayChanged(
        source="liverc",
        track_slug="track",
        date=DATE,
        changed_at=seen(1),
        sessions_added=names("a", added),
        sessions_changed=names("c", altered),
        sessions_gone=names("g", gone),
        laps_added=5,
        laps_gone=7,
    )


def test_a_change_that_one_event_can_bear_is_announced_as_it_is() -> None:
    for one in (changed(1, 2, 3), changed(MAX_SESSIONS, MAX_SESSIONS, 0), changed(0, 0, 0)):
        assert within_bounds(one) == [one]


@pytest.mark.parametrize("sizes", [(MAX_SESSIONS + 1, 0, 3), (0, 2 * MAX_SESSIONS, 3 * MAX_SESSIONS + 1)])
def test_a_larger_change_is_announced_in_several_events(sizes: tuple[int, int, int]) -> None:
    whole = changed(*sizes)
    parts = within_bounds(whole)
    for name in ("sessions_added", "sessions_changed", "sessions_gone"):
        assert sum((getattr(part, name) for part in parts), ()) == getattr(whole, name)
    assert (sum(part.laps_added for part in parts), sum(part.laps_gone for part in parts)) == (5, 7)
    assert len({event_id(part) for part in parts}) == len(parts)
    for part in parts:
        assert pack(part, Context(source="test")).value
