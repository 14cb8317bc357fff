"""The lines of a status: what needs attention is not well, and says what to do."""

from typing import Any

import msgspec
import pytest

from ops.fleet.state import OpenRebuild, State
from ops.lag.figures import GroupLag, Verdict
from ops.status import lines
from ops.status.lines import Line, Stored
from outbox.rows import Backlog
from runtime.migrate import Standing

QUIET = State(
    parked={"lists": 0},
    rebuilds=[],
    site_paused=False,
    site_backing_off_seconds=0.0,
    site_reason=None,
    runs_open=2,
    runs_failed=0,
    database_bytes=1,
    tables={},
)


def group(verdict: Verdict = "ok", members: int | None = 1) -> GroupLag:
    return GroupLag(
        group="lists",
        topics=("requests",),
        projection=None,
        state="stable",
        members=members,
        standing="ok",
        behind=7,
        kafka_behind=7,
        oldest_seconds=None,
        freshness_seconds=None,
        verdict=verdict,
        reason="so it is",
        troubles=[],
        partitions=[],
        retention_used={},
    )


def stored(waiting: Backlog | None = None, **changes: Any) -> dict[str, Line]:
    found = Stored(
        backlog=waiting or Backlog(0, 0.0), state=msgspec.structs.replace(QUIET, **changes), relayed=True
    )
    return {line.name: line for line in lines.of_stored(found)}


def test_what_is_quiet_is_well() -> None:
    found = list(stored().values())
    assert {line.well for line in found} == {True}
    assert lines.status(found).well


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("parked", {"parked": {"lists": 3}}, "waiting: 3 of lists; `lapstream parked list`"),
        ("site", {"site_paused": True}, "paused: nothing is fetched until `lapstream site resume`"),
        (
            "site",
            {"site_backing_off_seconds": 840.0, "site_reason": "a bot check"},
            "backing off for 840 s more: a bot check",
        ),
        ("runs", {"runs_failed": 1}, "2 at work, 1 failed in the last hour; `lapstream runs list"),
        (
            "rebuilds",
            {"rebuilds": [OpenRebuild("practice-days", "replaying", 1, 4, 1_000.0)]},
            "practice-days replaying, 25%; none of practice-days for 1000 s",
        ),
    ],
)
def test_what_needs_attention_is_not_well(name: str, changes: dict[str, Any], said: str) -> None:
    found = stored(**changes)
    assert found[name].found.startswith(said)
    status = lines.status(list(found.values()))
    assert (status.well, status.unwell) == (False, [name])


def test_a_rebuild_that_waits_for_a_decision_is_not_stuck() -> None:
    waiting = [OpenRebuild("practice-days", "verified", 4, 4, 9_000.0)]
    assert stored(rebuilds=waiting)["rebuilds"].well


@pytest.mark.parametrize(("seconds", "well"), [(5.0, True), (61.0, False)])
def test_rows_that_wait_for_long_are_not_well(seconds: float, well: bool) -> None:  # noqa: FBT001 - a parameter
    found = stored(Backlog(2, seconds))["outbox"]
    assert (found.well, found.found) == (well, f"2 rows wait, the oldest for {seconds:.0f} s")


@pytest.mark.parametrize(
    ("verdict", "well"),
    [("ok", True), ("lagging", True), ("unknown", None), ("stalled", False), ("no_members", False)],
)
def test_a_group_is_well_by_its_verdict(verdict: Verdict, well: bool | None) -> None:  # noqa: FBT001 - as above
    found = lines.of_group(group(verdict))
    assert (found.well, found.name) == (well, "lag of lists")
    assert found.found == f"{verdict.replace('_', ' ')}, 7 behind: so it is"


@pytest.mark.parametrize(("members", "well"), [(2, True), (0, False), (None, None)])
def test_a_role_is_at_work_where_its_groups_have_members(members: int | None, well: bool | None) -> None:  # noqa: FBT001 - as above
    assert lines.of_members("fetcher", [group(), group(members=members)]).well is well


def test_migrations_that_are_missing_are_named_and_newer_ones_do_no_harm() -> None:
    missing = lines.of_migrations(Standing(applied=["0001"], missing=["0002"], unknown=[]))
    assert (missing.well, "0002" in missing.found) == (False, True)
    newer = lines.of_migrations(Standing(applied=["0001"], missing=[], unknown=["0002"]))
    assert (newer.well, newer.found) == (True, "all are applied, and 1 of another release")
