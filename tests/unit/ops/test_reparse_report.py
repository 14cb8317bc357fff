"""The report of parsing again: all are counted, some are kept, and a person can read it."""

import datetime as dt
from typing import Any

import pytest

from ops.reparse.differences import FactsDifference, FieldChange
from ops.reparse.report import (
    LONGEST_ERROR,
    SAMPLE,
    SHOWN_FIELDS,
    Outcome,
    ReparseReport,
    Sessions,
    add_day,
    add_page,
    add_without_day,
    lines,
)
from ops.reparse.work import ParseTask
from projections.state import DayRef
from tests.events import DATE, seen

REF = DayRef("liverc", "track", DATE)


def reading(**changes: Any) -> ParseTask:
    usual: dict[str, Any] = {
        "ref": REF,
        "url": "https://track.liverc.com/practice/?p=view_session&id=1",
        "sha256": "0" * 64,
        "observed_at": seen(1),
        "version": 1,
        "session_id": "1",
    }
    return ParseTask(**(usual | changes))


def report() -> ReparseReport:
    return ReparseReport(dry_run=True, parser_version=2)


def text(found: ReparseReport) -> str:
    return "\n".join(lines(found))


@pytest.mark.parametrize(
    ("outcome", "trouble"),
    [
        ("unchanged", 0),
        ("changed", 0),
        ("newly_readable", 0),
        ("still_refused", 0),
        ("no_longer_parses", 1),
        ("not_in_archive", 1),
        ("version_not_raised", 1),
    ],
)
def test_trouble_is_what_somebody_has_to_look_at(outcome: Outcome, trouble: int) -> None:
    found = report()
    add_page(found, reading(), outcome)
    assert (found.pages[outcome], found.trouble) == (1, trouble)


def test_of_each_outcome_some_pages_are_kept_and_of_unchanged_ones_none() -> None:
    found = report()
    for _ in range(SAMPLE + 3):
        add_page(found, reading(), "changed", [FactsDifference(kind="detail", fields=[])] * (SAMPLE + 2))
        add_page(found, reading(), "still_refused", error="x" * 1_000)
        add_page(found, reading(), "unchanged")
    kept = [one.outcome for one in found.pages_sample]
    assert {one: kept.count(one) for one in kept} == {"changed": SAMPLE, "still_refused": SAMPLE}
    assert {len(one.differences) for one in found.pages_sample} == {SAMPLE, 0}
    assert max(len(one.error or "") for one in found.pages_sample) == LONGEST_ERROR
    assert found.pages["unchanged"] == SAMPLE + 3
    assert "… and 2 more" in text(found)


def test_a_day_is_told_by_what_becomes_of_its_sessions() -> None:
    found = report()
    add_day(found, REF, Sessions(changed={"1", "2", "3"}, gone={"3"}, added={"4"}))
    add_day(found, REF._replace(track_slug="calm"), Sessions())
    assert (found.days_changed, found.sessions_added, found.sessions_changed, found.sessions_gone) == (
        1,
        1,
        2,
        1,
    )
    assert "track 2025-10-25: 1 added: 4; 2 changed: 1, 2; 1 gone: 3" in text(found)
    assert "calm" not in text(found)


def test_days_and_addresses_beyond_the_sample_are_counted() -> None:
    found = report()
    for number in range(SAMPLE + 4):
        add_day(found, REF._replace(date=DATE + dt.timedelta(days=number)), Sessions(gone={"1"}))
        add_without_day(found, f"https://track.liverc.com/{number}")
    assert "… and 4 days more" in text(found)
    assert (len(found.without_day_sample), found.pages_without_day) == (SAMPLE, SAMPLE + 4)
    assert f"{SAMPLE + 4} pages of sessions whose day nothing tells" in text(found)


def test_a_difference_is_one_line_of_bounded_length() -> None:
    found = report()
    changes = [FieldChange(field=f"f{number}", old="o" * 500, new=None) for number in range(SHOWN_FIELDS + 2)]
    add_page(found, reading(), "changed", [FactsDifference(kind="detail", session_id="1", fields=changes)])
    add_page(found, reading(session_id=None, version=None), "newly_readable")
    [line] = [line for line in lines(found) if line.startswith("  detail 1: f0 ")]
    assert "… 2 fields more" in line
    assert len(line) < 100 * SHOWN_FIELDS
    assert "changed: track 2025-10-25 session 1, seen 2026-01-01 00:00:01 UTC, parser version 1" in text(
        found
    )
    assert "newly_readable: track 2025-10-25 list, seen 2026-01-01 00:00:01 UTC\n" in text(found) + "\n"
