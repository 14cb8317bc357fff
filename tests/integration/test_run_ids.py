"""Runs on the terminal: named by the beginning of an id, listed in the terminal's width."""

from uuid import UUID

import pytest
from typer.testing import Result

from lapstream.cli.output import out
from ops.imports import follow
from runs import changes as run_changes
from runs import run as runs
from runtime.settings import Settings
from store.pool import Pool
from tests.commands import invoked
from tests.events import DATE

ONE, OTHER = UUID("abcd1234-0000-4000-8000-000000000000"), UUID("abcd5678-0000-4000-8000-000000000000")
LONG = "a-track-with-a-rather-long-name-that-no-terminal-has-room-for"


async def said(settings: Settings, *words: str) -> Result:
    """What a command prints."""
    return await invoked(settings, "runs", *words)


@pytest.fixture
async def two(pool: Pool) -> None:
    """Two runs whose ids begin alike."""
    async with pool.acquire() as connection:
        for run_id, track in ((ONE, "track"), (OTHER, LONG)):
            await run_changes.open_run(connection, run_id, follow.request("liverc", track, DATE), None)


@pytest.mark.parametrize("name", ["abcd1", "ABCD1234", "abcd1234-00", str(ONE), ONE.hex])
async def test_the_beginning_of_an_id_names_a_run(settings: Settings, two: None, name: str) -> None:
    shown = await said(settings, "show", name)
    assert (shown.exit_code, str(ONE) in shown.stdout) == (0, True)


async def test_a_beginning_that_several_ids_have_is_refused(settings: Settings, two: None) -> None:
    for command in (["show"], ["retry"], ["cancel", "--yes"]):
        result = await said(settings, *command, "abcd")
        assert str(result.exception) == (
            f"more than one run's id begins with abcd, as {ONE} and {OTHER} do: give more of it"
        )


async def test_a_beginning_that_no_id_has_is_not_found(settings: Settings, two: None) -> None:
    result = await said(settings, "show", "abcd9")
    assert str(result.exception) == "there is no run abcd9: `lapstream runs list` shows what there is"


@pytest.mark.parametrize("name", ["abc", "track", "", "abcd-xyz", "a" * 33])
async def test_what_is_no_id_is_refused(settings: Settings, name: str) -> None:
    assert (await said(settings, "show", name)).exit_code == 2


async def test_a_run_is_cancelled_by_the_beginning_of_its_id(
    settings: Settings, two: None, pool: Pool
) -> None:
    await said(settings, "cancel", "--yes", "abcd5")
    async with pool.acquire() as connection:
        states = [(await runs.read(connection, run_id)) for run_id in (ONE, OTHER)]
    assert [run and run.state for run in states] == ["running", "cancelled"]


@pytest.mark.parametrize("width", [80, 200])
async def test_no_id_date_or_state_is_cut_in_a_list(
    settings: Settings, two: None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", width)
    listed = (await said(settings, "list")).stdout
    assert max(map(len, listed.splitlines())) <= width
    for run_id in (ONE, OTHER):
        [line] = [line for line in listed.splitlines() if run_id.hex[:8] in line]
        assert str(DATE) in line
        assert "running" in line
    assert LONG in "".join(line.split("│")[2].strip() for line in listed.splitlines() if "│" in line)
