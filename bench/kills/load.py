"""The load: practice days that change, as records for the topic; the same seed gives the same records.

Sessions come, go and come back, transponders and laps are corrected, clocks go wrong, lists are incomplete
or empty, details come for sessions that no list has, records repeat, land on foreign partitions or are no
events.
"""

import datetime as dt
import random
from collections.abc import Iterator
from typing import NamedTuple

from schemas.envelope import Context, Outgoing, pack
from schemas.events import DayStats, Event, Lap, ListedSession, PracticeDayListed, SessionDetailFetched
from schemas.identity import row_digest

CONTEXT = Context(source="lapstream/bench/kills")
FIRST_DAY = dt.date(2025, 1, 1)
FIRST_SIGHT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TRACKS = 4
DAYS = 10
SESSIONS = 16
DRIVERS = 30
LAPS = 24
REMEMBERED = 200
PARTITIONS = 8


class Sent(NamedTuple):
    """A record, and the partition that it is for; None where its key decides."""

    record: Outgoing
    partition: int | None = None


class Load:
    """An endless load; each `import_` is what one import of some day sends."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._second = 0
        self._sent: list[Outgoing] = []

    def import_(self) -> Iterator[Sent]:
        """A list and some details of a day, with what goes wrong in between."""
        listed = self._listed()
        yield self._send(listed)
        for row in listed.sessions:
            if self._random.random() < 0.8:
                yield self._send(self._detail(listed, row))
        if self._random.random() < 0.3:
            yield self._send(self._detail(listed, self._row(listed.date, SESSIONS)))
        if self._sent and self._random.random() < 0.5:
            yield Sent(self._random.choice(self._sent), self._random.randrange(PARTITIONS))
        if self._random.random() < 0.2:
            yield Sent(Outgoing(key=b"nobody", value=b"{", headers=(("ce_id", b"\xff"),)))

    def _send(self, event: Event) -> Sent:
        record = pack(event, CONTEXT)
        self._sent = [*self._sent[-REMEMBERED:], record]
        foreign = self._random.random() < 0.05
        return Sent(record, self._random.randrange(PARTITIONS) if foreign else None)

    def _now(self) -> dt.datetime:
        """A clock that goes on, and is sometimes an hour late; two looks may show the same."""
        self._second += self._random.randrange(3)
        late = 3600 if self._random.random() < 0.1 else 0
        return FIRST_SIGHT + dt.timedelta(seconds=self._second - late)

    def _listed(self) -> PracticeDayListed:
        number = self._random.randrange(TRACKS * DAYS)
        date = FIRST_DAY + dt.timedelta(days=number // TRACKS)
        there = [n for n in range(SESSIONS) if self._random.random() < 0.7]
        rows = tuple(self._row(date, n) for n in there) if self._random.random() < 0.97 else ()
        return PracticeDayListed(
            source="liverc",
            track_slug=f"track-{number % TRACKS}",
            date=date,
            complete=self._random.random() < 0.85,
            track_name=f"Track {number % TRACKS}",
            time_zone=self._random.choice([None, "Australia/Sydney"]),
            sessions=rows,
            stats=DayStats(total_laps=len(rows) * LAPS),
            observed_at=self._now(),
            parser_version=self._random.choice([1, 1, 1, 2]),
            page_sha256="0" * 64,
        )

    def _row(self, date: dt.date, number: int) -> ListedSession:
        driver = number if self._random.random() < 0.9 else self._random.randrange(DRIVERS)
        return ListedSession(
            session_id=str(date.toordinal() * 100 + number),
            driver_name=f"Driver {driver}",
            class_name=self._random.choice(["1/10 Open", "1/8 Buggy", None]),
            transponder_number=str(9_000_000 + driver) if self._random.random() < 0.9 else None,
            start_time=dt.datetime.combine(date, dt.time(8)) + dt.timedelta(minutes=number),
            duration_seconds=600,
            lap_count=LAPS,
            fastest_lap=30.0,
            average_lap=31.5,
        )

    def _detail(self, listed: PracticeDayListed, row: ListedSession) -> SessionDetailFetched:
        laps = self._laps(row)
        return SessionDetailFetched(
            source=listed.source,
            track_slug=listed.track_slug,
            date=listed.date,
            session_id=row.session_id,
            driver_name=row.driver_name,
            class_name=row.class_name,
            transponder_number=row.transponder_number if self._random.random() < 0.8 else None,
            start_time=row.start_time,
            lap_count=len(laps),
            fastest_lap=row.fastest_lap,
            average_lap=row.average_lap,
            consistency=self._random.choice([94.5, 95.5, None]),
            laps=laps,
            observed_at=self._now(),
            parser_version=1,
            page_sha256="1" * 64,
            list_row_digest=row_digest(row),
        )

    def _laps(self, row: ListedSession) -> tuple[Lap, ...]:
        count = self._random.choice([LAPS, LAPS, LAPS - 3, 0])
        millis = 30_000 + self._random.randrange(4)
        return tuple(
            Lap(
                lap_number=number,
                lap_time_raw=f"{millis / 1000:.3f}",
                lap_time_seconds=millis / 1000,
                is_valid=number % 7 != 0,
                lapped_at=None
                if row.start_time is None
                else row.start_time + dt.timedelta(seconds=number * 30),
                elapsed_race_time=number * millis / 1000,
            )
            for number in range(1, count + 1)
        )
