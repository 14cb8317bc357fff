"""What parsing again came to, as one report: every page is counted, some of each kind are kept with details.

Outcomes of pages and changes of days go in; a struct for JSON, and lines for a terminal, come out.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import msgspec
from msgspec import Struct, field

from ops.reparse.differences import FactsDifference, FieldChange, LapsChange, Sample, some
from ops.reparse.work import ParseTask
from projections.state import DayRef

SAMPLE = 20
"""So many pages of each outcome, and days, are kept; of each page so many differences."""

LONGEST_ERROR = 500
SHOWN_FIELDS = 8
SHOWN_CHARACTERS = 60
"""What a terminal is shown of a difference; `--json` has all that is kept."""

Outcome = Literal[
    "unchanged",
    "changed",
    "newly_readable",
    "no_longer_parses",
    "still_refused",
    "not_in_archive",
    "version_not_raised",
]

TROUBLE: tuple[Outcome, ...] = ("no_longer_parses", "not_in_archive", "version_not_raised")
"""The outcomes that somebody has to look at."""

_SAID: dict[Outcome, str] = {
    "unchanged": "unchanged",
    "changed": "read otherwise than before",
    "newly_readable": "newly readable: refused when they were fetched",
    "no_longer_parses": "no longer parse; what is stored of them stays",
    "still_refused": "refused when they were fetched, and now",
    "not_in_archive": "not in the archive; what is stored of them stays",
    "version_not_raised": (
        "read otherwise by the same parser version, and not published: raise PARSER_VERSION in producer/pages"
    ),
}


class PageNote(Struct, frozen=True, kw_only=True):
    """What came of one page; `session_id` is None for a list, `parser_version` where nothing rested on it."""

    outcome: Outcome
    track_slug: str
    date: dt.date
    session_id: str | None
    url: str
    sha256: str
    observed_at: dt.datetime
    parser_version: int | None
    error: str | None
    differences_in_all: int
    differences: Sequence[FactsDifference]


class DayNote(Struct, frozen=True, kw_only=True):
    """The sessions of a day whose rows in the tables are other ones by the new readings."""

    track_slug: str
    date: dt.date
    sessions_added: Sample
    sessions_changed: Sample
    sessions_gone: Sample


class Sessions(Struct):
    """The sessions of a day that come, change and go."""

    added: set[str] = field(default_factory=set[str])
    changed: set[str] = field(default_factory=set[str])
    gone: set[str] = field(default_factory=set[str])


def _no_outcomes() -> dict[Outcome, int]:
    return dict.fromkeys(get_args(Outcome), 0)


class ReparseReport(Struct, kw_only=True):
    """What it came to: `pages` counts each page that was wanted, `pages_read` those that the archive gave.

    `pages_current` were read by this parser version or a newer one and are left out,
    `observations_without_page` name none. `pages_without_day` are sessions' that nothing tells the day of;
    `addresses_foreign` are in the archive, and none of the configured site's.
    """

    dry_run: bool
    parser_version: int
    days: int = 0
    pages_read: int = 0
    pages: dict[Outcome, int] = field(default_factory=_no_outcomes)
    published: int = 0
    pages_current: int = 0
    observations_without_page: int = 0
    pages_without_day: int = 0
    addresses_foreign: int = 0
    days_changed: int = 0
    sessions_added: int = 0
    sessions_changed: int = 0
    sessions_gone: int = 0
    days_sample: list[DayNote] = field(default_factory=list[DayNote])
    pages_sample: list[PageNote] = field(default_factory=list[PageNote])
    without_day_sample: list[str] = field(default_factory=list[str])

    @property
    def trouble(self) -> int:
        """The pages that somebody has to look at."""
        return sum(self.pages[one] for one in TROUBLE)


def add_page(
    report: ReparseReport,
    reading: ParseTask,
    outcome: Outcome,
    found: Sequence[FactsDifference] = (),
    error: str | None = None,
) -> None:
    """Count a page, and keep it while few of its outcome are kept; of an unchanged one nothing is kept."""
    report.pages[outcome] += 1
    if report.pages[outcome] > SAMPLE or outcome == "unchanged":
        return
    note = PageNote(
        outcome=outcome,
        track_slug=reading.ref.track_slug,
        date=reading.ref.date,
        session_id=reading.session_id,
        url=reading.url,
        sha256=reading.sha256,
        observed_at=reading.observed_at,
        parser_version=reading.version,
        error=error and error[:LONGEST_ERROR],
        differences_in_all=len(found),
        differences=found[:SAMPLE],
    )
    report.pages_sample.append(note)


def add_day(report: ReparseReport, ref: DayRef, sessions: Sessions) -> None:
    """Count what becomes of a day's sessions; a day whose rows stay as they are is left out."""
    changed = sessions.changed - sessions.added - sessions.gone
    if not (sessions.added or changed or sessions.gone):
        return
    report.days_changed += 1
    report.sessions_added += len(sessions.added)
    report.sessions_changed += len(changed)
    report.sessions_gone += len(sessions.gone)
    if len(report.days_sample) < SAMPLE:
        note = DayNote(
            track_slug=ref.track_slug,
            date=ref.date,
            sessions_added=some(sorted(sessions.added)),
            sessions_changed=some(sorted(changed)),
            sessions_gone=some(sorted(sessions.gone)),
        )
        report.days_sample.append(note)


def add_without_day(report: ReparseReport, url: str) -> None:
    """Count a session's page of which nothing tells the day."""
    report.pages_without_day += 1
    if len(report.without_day_sample) < SAMPLE:
        report.without_day_sample.append(url)


def lines(report: ReparseReport) -> Iterator[str]:
    """The report for a person to read; texts of the site's stand in it as they are."""
    yield f"parser version {report.parser_version}, {report.days} days: {report.pages_read} pages read"
    for outcome, count in report.pages.items():
        if count:
            yield f"  {count:>6} {_SAID[outcome]}"
    yield from _left_out(report)
    for day in report.days_sample:
        yield f"{day.track_slug} {day.date}: {_sessions(day)}"
    if report.days_changed > len(report.days_sample):
        yield f"… and {report.days_changed - len(report.days_sample)} days more"
    for note in sorted(report.pages_sample, key=lambda one: (one.track_slug, one.date, one.session_id or "")):
        yield from _page(note)
    for url in report.without_day_sample:
        yield f"without a day: {url}"


def _left_out(report: ReparseReport) -> Iterator[str]:
    told = {
        "pages are not read: this parser version read them before, or a newer one": report.pages_current,
        "observations name no page": report.observations_without_page,
        "pages of sessions whose day nothing tells": report.pages_without_day,
        "addresses of the archive are none of LAPSTREAM_SITE's": report.addresses_foreign,
    }
    for what, count in told.items():
        if count:
            yield f"  {count:>6} {what}"


def _sessions(day: DayNote) -> str:
    parts = {"added": day.sessions_added, "changed": day.sessions_changed, "gone": day.sessions_gone}
    return "; ".join(
        f"{found.count} {what}: {_listed(found)}" for what, found in parts.items() if found.count
    )


def _listed(found: Sample) -> str:
    shown = ", ".join(map(str, found.first))
    return f"{shown}, …" if found.count > len(found.first) else shown


def _page(note: PageNote) -> Iterator[str]:
    subject = f"session {note.session_id}" if note.session_id else "list"
    seen = f"seen {note.observed_at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    version = f", parser version {note.parser_version}" if note.parser_version else ""
    yield f"{note.outcome}: {note.track_slug} {note.date} {subject}, {seen}{version}"
    if note.error:
        yield f"  {note.error}"
    for difference in note.differences:
        yield f"  {_difference(difference)}"
    if note.differences_in_all > len(note.differences):
        yield f"  … and {note.differences_in_all - len(note.differences)} more"


def _difference(one: FactsDifference) -> str:
    parts = ["not known before"] if one.is_new else []
    parts += [_field(change) for change in one.fields[:SHOWN_FIELDS]]
    if len(one.fields) > SHOWN_FIELDS:
        parts.append(f"… {len(one.fields) - SHOWN_FIELDS} fields more")
    if one.laps:
        parts.append(_laps(one.laps))
    subject = f"{one.kind} {one.session_id}" if one.session_id else one.kind
    return f"{subject}: {'; '.join(parts)}"


def _field(change: FieldChange) -> str:
    return f"{change.field} {_value(change.old)} -> {_value(change.new)}"


def _value(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _laps(change: LapsChange) -> str:
    kinds = {"added": change.added, "changed": change.changed, "gone": change.gone}
    return "; ".join(
        f"laps {what}: {found.count} ({_listed(found)})" for what, found in kinds.items() if found.count
    )
