"""Days out of a seed: the same arguments give the same day, on every machine.

In: a track, a date, a seed and how much of everything. Out: a `SampleDay` without quirks, every lap valid.
"""

import datetime as dt
import random
from collections.abc import Sequence
from itertools import pairwise

from sandbox.sample_site import naming
from sandbox.sample_site.model import UNKNOWN_CLASS, UNKNOWN_DRIVER, SampleDay, SampleSession, driven
from sandbox.sample_site.naming import Entry

MAX_SESSIONS = 5_000
MAX_LAPS = 10_000

_OPENS, _CLOSES = 9 * 3600, 19 * 3600
_LONGEST_SESSION = 4 * 3600


def generate_day(
    track_slug: str, date: dt.date, *, seed: int, sessions: int, laps_per_session: int | None = None
) -> SampleDay:
    """A day of `sessions` sessions between 9 am and 7 pm, of 1 to 25 laps each unless it is said.

    Raises:
        ValueError: more than 5,000 sessions or 10,000 laps in one, or fewer than none.
    """
    _check_bounds(sessions, laps_per_session)
    rng = random.Random(f"{seed}/{track_slug}/{date.isoformat()}")
    roster = _roster(rng)
    counts = [rng.randint(1, 25) if laps_per_session is None else laps_per_session for _ in range(sessions)]
    drives = [(rng.choice(roster), count) for count in counts]
    starts = sorted(rng.sample(range(_OPENS, _CLOSES), sessions))
    return _day(rng, track_slug, date, list(zip(starts, drives, strict=True)))


def real_shape_day(track_slug: str, date: dt.date, *, seed: int = 1) -> SampleDay:
    """A day with the figures of a real one.

    56 sessions from 10:58:33am to 4:36:38pm, 487 laps (221, 160, 77 and 29 in four classes), 9 drivers
    with a name and 12 transponders: one driver has three, and one belongs to nobody known.
    """
    rng = random.Random(f"real shape/{seed}/{track_slug}/{date.isoformat()}")
    drives = [drive for shape in _REAL_SHAPE for drive in _share_out(rng, *shape)]
    rng.shuffle(drives)
    first, last = 10 * 3600 + 58 * 60 + 33, 16 * 3600 + 36 * 60 + 38
    between = rng.sample(range(first + 1, last), len(drives) - 2)
    starts = [first, *sorted(between), last]
    return _day(rng, track_slug, date, list(zip(starts, drives, strict=True)))


def default_session_count(track_slug: str, date: dt.date, *, seed: int) -> int:
    """How many sessions a day has of which nobody said how many: 5 to 40."""
    return random.Random(f"count/{seed}/{track_slug}/{date.isoformat()}").randint(5, 40)


_D = naming.DRIVERS
_OPEN, _ELECTRIC, _NITRO = "1/10 Open", "1/8 Electric Buggy", "1/8 Nitro Buggy"

_REAL_SHAPE: tuple[tuple[int, tuple[tuple[Entry, int], ...]], ...] = (
    (221, ((Entry(_D[0], _OPEN, "9781201"), 16), (Entry(_D[1], _OPEN, "7182302"), 3))),
    (
        160,
        (
            (Entry(_D[2], _ELECTRIC, "3403403"), 6),
            (Entry(_D[3], _ELECTRIC, "6394504"), 6),
            (Entry(_D[4], _ELECTRIC, "9815605"), 4),
            (Entry(_D[5], _ELECTRIC, "6346706"), 3),
            (Entry(_D[6], _ELECTRIC, "6897807"), 1),
            (Entry(_D[6], _ELECTRIC, "8528908"), 1),
        ),
    ),
    (
        77,
        (
            (Entry(_D[7], _NITRO, "2709009"), 5),
            (Entry(_D[8], _NITRO, "7831110"), 4),
            (Entry(_D[6], _NITRO, "8602211"), 3),
        ),
    ),
    (29, ((Entry(UNKNOWN_DRIVER, UNKNOWN_CLASS, "3073312"), 4),)),
)
"""Of each class its laps, and who drove how many sessions of it."""


def _check_bounds(sessions: int, laps_per_session: int | None) -> None:
    if not 0 <= sessions <= MAX_SESSIONS:
        raise ValueError(f"a day has 0 to {MAX_SESSIONS} sessions, not {sessions}")
    if not 0 <= (laps_per_session or 0) <= MAX_LAPS:
        raise ValueError(f"a session has 0 to {MAX_LAPS} laps, not {laps_per_session}")


def _roster(rng: random.Random) -> list[Entry]:
    numbers = rng.sample(range(1_000_000, 10_000_000), 13)
    drivers = rng.sample(naming.DRIVERS, 12)
    entries = [
        Entry(driver, rng.choice(naming.CLASSES), str(number))
        for driver, number in zip(drivers, numbers, strict=False)
    ]
    return [*entries, Entry(UNKNOWN_DRIVER, UNKNOWN_CLASS, str(numbers[-1]))]


def _share_out(
    rng: random.Random, laps: int, entries: Sequence[tuple[Entry, int]]
) -> list[tuple[Entry, int]]:
    """Share a class's laps out over its sessions, at least one to each."""
    drives = [entry for entry, sessions in entries for _ in range(sessions)]
    cuts = [0, *sorted(rng.sample(range(1, laps), len(drives) - 1)), laps]
    counts = [after - before for before, after in pairwise(cuts)]
    return list(zip(drives, counts, strict=True))


def _day(
    rng: random.Random, track_slug: str, date: dt.date, drives: Sequence[tuple[int, tuple[Entry, int]]]
) -> SampleDay:
    midnight = dt.datetime.combine(date, dt.time())
    sessions: list[SampleSession] = []
    for number, (second, (entry, laps)) in enumerate(drives):
        session_id = naming.session_id(track_slug, date, number)
        start = midnight + dt.timedelta(seconds=second)
        sessions.append(_session(rng, session_id, start, entry, laps))
    return SampleDay(track_slug, naming.track_name(track_slug), date, tuple(sessions))


def _session(
    rng: random.Random, session_id: str, start: dt.datetime, entry: Entry, laps: int
) -> SampleSession:
    times = _lap_times(rng, laps)
    valid_range = (min(15, min(times, default=15_000) // 1000), 120)
    return SampleSession(
        session_id,
        entry.driver,
        entry.class_name,
        entry.transponder,
        start,
        driven(start, times, valid_range),
        valid_range,
    )


def _lap_times(rng: random.Random, laps: int) -> list[int]:
    """Lap times in milliseconds, shorter where so many would not fit into an afternoon."""
    pace = min(rng.uniform(28, 62), _LONGEST_SESSION / max(laps, 1))
    return [min(max(int(rng.gauss(pace, pace * 0.09) * 1000), 1_000), 119_000) for _ in range(laps)]
