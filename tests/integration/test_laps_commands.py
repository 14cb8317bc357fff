"""The commands that racers use: the same answers as tables, JSON and CSV, by whatever something is called."""

import csv
import io
import json
from typing import Any

import pytest

from runtime.settings import Settings
from sandbox.sample_site.generate import real_shape_day
from tests.api import settings_of
from tests.commands import invoked
from tests.events import DATE
from tests.sample_days import stored

TRACK = "canberra"
DAY = real_shape_day(TRACK, DATE)
SESSIONS = sorted(DAY.sessions, key=lambda session: (len(session.laps), session.session_id))
LONGEST = SESSIONS[-1]


@pytest.fixture(scope="module")
async def settings(shared_dsn: str) -> Settings:
    """A database with a sample day, which no test changes."""
    settings = settings_of(shared_dsn)
    await stored(settings, DAY)
    return settings


async def ran(settings: Settings, *words: str, code: int = 0) -> str:
    """What a command prints; on stderr where it fails."""
    run = await invoked(settings, *words)
    if run.exception and not isinstance(run.exception, SystemExit):
        assert getattr(run.exception, "exit_code", None) == code, run.exception
        return str(run.exception)
    assert run.exit_code == code, run.output
    return run.stdout


async def rows(settings: Settings, *words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(await ran(settings, *words, "--csv"))))


async def document(settings: Settings, *words: str) -> Any:
    return json.loads(await ran(settings, *words, "--json"))


@pytest.mark.parametrize(
    "words",
    [
        ("days",),
        ("days", TRACK, "--from", str(DATE), "--to", str(DATE)),
        ("drivers",),
        ("drivers", LONGEST.driver),
        ("drivers", str(LONGEST.transponder), "--sessions"),
        ("records", TRACK),
        ("records", TRACK, "--history"),
    ],
)
async def test_lists_say_the_same_as_json_and_csv(settings: Settings, words: tuple[str, ...]) -> None:
    found, table = await document(settings, *words), await rows(settings, *words)
    assert found
    assert [list(one) for one in found] == [list(one) for one in table]
    for one, row in zip(found, table, strict=True):
        for name, value in one.items():
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                assert row[name] == str(value)
    assert await ran(settings, *words)


async def test_a_days_laps_are_all_in_the_csv(settings: Settings) -> None:
    table = await rows(settings, "laps", "--track", TRACK, "--date", str(DATE), "--limit", "1000")
    laps = {
        session.session_id: [lap.millis for lap in session.laps] for session in DAY.sessions if session.laps
    }
    found: dict[str, list[int]] = {}
    for row in table:
        found.setdefault(row["session_id"], []).append(round(float(row["lap_time_seconds"]) * 1000))
    assert found == laps


async def test_no_figure_of_a_sample_day_differs_from_its_pages(settings: Settings) -> None:
    found = await document(settings, "laps", "--track", TRACK, "--date", str(DATE), "--limit", "1000")
    checks = [check for session in found for check in session["checks"]]
    assert len(checks) > 200
    assert [check for check in checks if check["differs"]] == []


async def test_a_session_is_shown_with_marks_and_figures(settings: Settings) -> None:
    said = await ran(settings, "laps", LONGEST.session_id)
    assert LONGEST.driver in said
    assert "fastest" in said
    assert "std deviation" in said


async def test_a_drivers_laps_are_found_by_name_day_and_class(settings: Settings) -> None:
    where = ("--track", TRACK, "--date", str(DATE), "--class", LONGEST.class_name)
    table = await rows(settings, "laps", "--driver", str(LONGEST.transponder), *where)
    assert {(row["transponder_number"], row["class_name"]) for row in table} == {
        (LONGEST.transponder, LONGEST.class_name)
    }


async def test_sessions_and_drivers_are_compared(settings: Settings) -> None:
    other = SESSIONS[-2].session_id
    words = ("compare", LONGEST.session_id, other)
    found, table = await document(settings, *words), await rows(settings, *words)
    assert [side["session"]["session_id"] for side in found["sides"]] == [LONGEST.session_id, other]
    assert len(table) == len(LONGEST.laps) + len(SESSIONS[-2].laps)
    assert table[0]["gap"] == "0.0"
    assert "laps won" in await ran(settings, *words)
    by_driver = await document(settings, "compare", str(LONGEST.transponder), other)
    assert by_driver["sides"][0]["session"]["transponder_number"] == LONGEST.transponder


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("drivers", "nobody", "--sessions"), 1, "no driver is called 'nobody'"),
        (("drivers", "e", "--sessions"), 1, "is a part of the names of several drivers"),
        (("drivers", "--sessions"), 2, "whose sessions?"),
        (("laps",), 2, "which sessions?"),
        (("laps", "1"), 1, "no session has the id '1'"),
        (("laps", "--track", TRACK, "--date", "2001-01-01"), 1, "no session is stored"),
        (("compare", "1"), 2, "2 to 4 can be compared, not 1"),
        (("compare", "nobody", "nowhere"), 1, "no driver is called 'nobody'"),
        (("days", "--json", "--csv"), 2, "give one of them"),
    ],
)
async def test_what_cannot_be_shown_says_why(
    settings: Settings, words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in await ran(settings, *words, code=code)
