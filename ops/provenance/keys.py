"""What a row is called: the text that somebody typed, or pasted from a report, becomes the parts of its name.

A row's id goes in, or its natural key in one of the forms of `FORMS`; what can't be read is a `NoSuchRow`
that shows the forms that are expected.
"""

import datetime as dt
import re
from typing import NamedTuple, NoReturn
from uuid import UUID

from ops.provenance.answer import NoSuchRow, Table
from producer.site import SOURCE
from projections.state import DayRef
from schemas.fields import SESSION_ID, SLUG, SOURCE_NAME

_DAY = "liverc/canberraoffroad-practice-2025-10-25"
_SHORT = "canberraoffroad/2025-10-25"

FORMS: dict[Table, str] = {
    "tracks": "canberraoffroad, liverc/canberraoffroad, or the row's id",
    "drivers": "5402311, liverc/5402311 (the transponder), or the row's id",
    "events": f"{_SHORT}, {_DAY}, or the row's id",
    "races": f"{_SHORT}/21290331, {_DAY}/21290331, or the row's id",
    "race_drivers": f"{_SHORT}/21290331, {_DAY}/21290331/5402311, or the row's id",
    "race_results": f"{_SHORT}/21290331, {_DAY}/21290331/5402311, or the row's id",
    "laps": (f"{_SHORT}/21290331/3, `{_DAY}/21290331/5402311, lap_number 3`, or ID/3 with the result's id"),
    "track_records.fastest_laps": f"{_SHORT}/21290331, {_DAY}/21290331, or the row's id",
}
"""The forms of a key, as examples."""

WITHOUT_DRIVER: tuple[Table, ...] = ("races", "track_records.fastest_laps")
"""Tables of sessions whose rows are not named by who drove."""

LONGEST = 500
"""Characters of a key: a name of the site's has at most 300."""

_LASTING = re.compile(rf"(?:(?P<source>{SOURCE_NAME})/)?(?P<name>.+)", re.DOTALL)
_OF_DAY = re.compile(
    rf"(?:(?P<source>{SOURCE_NAME})/)?(?P<slug>{SLUG})(?:-practice-|/)(?P<date>\d{{4}}-\d\d-\d\d)"
    rf"(?:/(?P<session>{SESSION_ID})(?:/(?P<driver>.+))?)?",
    re.DOTALL,
)
_LAP = re.compile(r"(?P<result>.+?)(?:, lap_number |/)(?P<lap>\d{1,7})", re.DOTALL)
_PLAIN = re.compile(r"[^\0\ud800-\udfff]+")


class LastingName(NamedTuple):
    """A track or a driver, by the name at its source."""

    source: str
    name: str


class SessionName(NamedTuple):
    """A session, by its day and its id at the source; `driver` where somebody says who drove it."""

    ref: DayRef
    session_id: str
    driver: str | None = None


class LapName(NamedTuple):
    """A lap of a session, or of a result by its row's id."""

    result: UUID | SessionName
    number: int


def lasting_name(table: Table, text: str) -> UUID | LastingName:
    """The track or driver that a key names; raises `NoSuchRow`."""
    if row_id := _row_id(text):
        return row_id
    found = _match(_LASTING, table, text)
    return LastingName(found["source"] or SOURCE, found["name"])


def day_name(table: Table, text: str) -> UUID | DayRef:
    """The day that a key names; raises `NoSuchRow`."""
    if row_id := _row_id(text):
        return row_id
    found = _match(_OF_DAY, table, text)
    return _refused(table, text) if found["session"] else _day(table, text, found)


def session_name(table: Table, text: str) -> UUID | SessionName:
    """The session that a key names; raises `NoSuchRow`."""
    if row_id := _row_id(text):
        return row_id
    found = _match(_OF_DAY, table, text)
    if not found["session"] or (found["driver"] and table in WITHOUT_DRIVER):
        _refused(table, text)
    return SessionName(_day(table, text, found), found["session"], found["driver"])


def lap_name(text: str) -> LapName:
    """The lap that a key names; raises `NoSuchRow`."""
    found = _match(_LAP, "laps", text)
    return LapName(session_name("laps", found["result"]), int(found["lap"]))


def _row_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _match(pattern: re.Pattern[str], table: Table, text: str) -> re.Match[str]:
    if len(text) > LONGEST or not _PLAIN.fullmatch(text):
        _refused(table, text)
    return pattern.fullmatch(text) or _refused(table, text)


def _day(table: Table, text: str, found: re.Match[str]) -> DayRef:
    try:
        date = dt.date.fromisoformat(found["date"])
    except ValueError:
        _refused(table, text)
    return DayRef(found["source"] or SOURCE, found["slug"], date)


def _refused(table: Table, text: str) -> NoReturn:
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    raise NoSuchRow(f"{shown!r} is no key of {table}: expected is {FORMS[table]}")
