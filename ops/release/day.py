"""The points of a practice day: imported, its rows counted, its practice stats there, imported again.

Settings and a day go in, with what imports it; the points are judged on the tables that it is imported into.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from msgspec import Struct

from ops.imports.follow import ImportSummary
from ops.release.points import Checklist, Found
from producer.site import SOURCE
from runs import run as runs
from runtime.database import connected
from runtime.settings import Settings
from schemas.identity import practice_event_id
from store.digest import TableDigest, digest_day
from store.pool import fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

DAY_POINTS = ("import", "counts", "practice stats", "import again")
IMPORT, COUNTS, STATS, AGAIN = DAY_POINTS

COUNTED = ("races", "race_drivers", "race_results", "laps")


class Day(Struct, frozen=True):
    """A practice day of a track."""

    track: str
    date: dt.date

    @property
    def event_id(self) -> UUID:
        """The day's row."""
        return practice_event_id(SOURCE, self.track, self.date)

    def __str__(self) -> str:
        return f"{self.track} {self.date}"


class Expected(Struct, frozen=True):
    """How many rows of each table a day is to have, and who says so."""

    counts: Mapping[str, int]
    said_by: str


Import = Callable[[Settings, Day], Awaitable[ImportSummary]]
"""Imports a day, and shows its progress; raises `ImportFailed`, `RoleNotRunning`."""


class DayPoints:
    """The points of one day; without `expected`, the tables are to hold what was read from the pages."""

    def __init__(
        self, settings: Settings, day: Day, import_day: Import, expected: Expected | None = None
    ) -> None:
        self._settings = settings
        self._day = day
        self._import_day = import_day
        self._expected = expected
        self._imported: ImportSummary | None = None

    async def judge(self, checklist: Checklist) -> None:
        """Import the day, and judge its points."""
        await checklist.judge(IMPORT, self._import)
        if self._imported is None:
            checklist.skip((COUNTS, STATS, AGAIN), "the day was not imported")
            return
        run_id = self._imported.run_id
        await checklist.judge(COUNTS, lambda: self.counts(run_id))
        await checklist.judge(STATS, self.stats)
        if checklist.has_passed(IMPORT):
            await checklist.judge(AGAIN, self.imported_again)
        else:
            checklist.skip([AGAIN], "the first import did not bring in all of the day")

    async def _import(self) -> Found:
        self._imported = await self._import_day(self._settings, self._day)
        return _complete(self._day, self._imported)

    async def counts(self, run_id: UUID) -> Found:
        """Whether the tables hold as many rows as they should, or as this run read."""
        expected = self._expected or await self._read_by(run_id)
        held = {one.table: one.rows for one in await self._digests()}
        wrong = [f"{held[name]} {name}, {expected.counts[name]} expected" for name in _off(held, expected)]
        if wrong:
            return Found(
                f"{', '.join(wrong)} ({expected.said_by})",
                "`lapstream parked list` shows what could not be applied, `lapstream verify practice-days` "
                "which rows are not what the events say",
            )
        return Found(f"{', '.join(f'{held[name]} {name}' for name in COUNTED)}: {expected.said_by}")

    async def _read_by(self, run_id: UUID) -> Expected:
        """What a run read from the site, which is noted from the events and not from the tables."""
        async with connected(self._settings) as connection:
            read = await runs.progress(connection, run_id)
            total: int | None = await connection.fetchval(statement("stated_laps"), self._day.event_id)
        counts = dict.fromkeys(COUNTED, read.sessions) | {"laps": read.laps}
        stated = "no laps" if total is None else f"{total} laps"
        return Expected(counts, f"as read from the site's pages, whose totals say {stated}")

    async def stats(self) -> Found:
        """Whether practice stats of at least one session are there, in both columns."""
        async with connected(self._settings) as connection:
            row = await fetch_one(connection, statement("with_stats"), self._day.event_id)
        found = (
            f"in race_metadata of {row['races']} sessions, and in raw_fields_json of {row['results']} results"
        )
        if row["races"] and row["results"]:
            return Found(found)
        return Found(
            found,
            "pages of sessions without laps have none: name a day with laps. Else pages were read wrongly: "
            "`lapstream parse session` shows what is read from a saved one",
        )

    async def imported_again(self) -> Found:
        """Whether a second import leaves every row of the day as it is."""
        before = await self._digests()
        again = _complete(self._day, await self._import_day(self._settings, self._day))
        changed = _differing(before, await self._digests())
        if changed:
            return Found(
                f"rows changed: {', '.join(changed)}",
                "a day that is still being driven, or was just corrected, may change: name one that is over. "
                "Else `lapstream why` tells which events set a row",
            )
        if again.remedy:
            return again
        rows = sum(one.rows for one in before)
        return Found(f"{again.what}; none of {rows} rows in {len(before)} tables changed")

    async def _digests(self) -> list[TableDigest]:
        async with connected(self._settings) as connection:
            return await digest_day(connection, self._day.event_id)


def _complete(day: Day, summary: ImportSummary) -> Found:
    found = (
        f"{day}: {summary.status} in {summary.duration_seconds:.1f} s, {summary.sessions_ingested} sessions, "
        f"{summary.laps_ingested} laps"
    )
    if summary.status == "completed":
        return Found(found)
    failures = [f"session {one.session_id}: {one.message}" for one in summary.failures[:3]]
    return Found(
        "; ".join([found, *failures]),
        f"`lapstream runs show {summary.run_id}` names all that failed, docs/pages.md what an error means",
    )


def _off(held: Mapping[str, int], expected: Expected) -> list[str]:
    return [name for name in COUNTED if held[name] != expected.counts[name]]


def _differing(before: list[TableDigest], after: list[TableDigest]) -> list[str]:
    """The tables that differ, with their numbers of rows."""
    return [
        f"{one.table} ({one.rows} before, {two.rows} after)"
        for one, two in zip(before, after, strict=True)
        if one != two
    ]
