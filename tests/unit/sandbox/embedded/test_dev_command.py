"""`lapstream dev`, where no server is needed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lapstream.cli.commands import dev
from sandbox.embedded import state
from sandbox.embedded.errors import NotOurs


def run(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(dev.app, words, input=answer)


def test_the_status_of_a_stack_that_does_not_run_exits_with_1(tmp_path: Path) -> None:
    result = run("status", "--home", str(tmp_path))
    assert result.exit_code == 1
    assert "never started" in result.stdout


def test_the_status_is_readable_by_a_machine(tmp_path: Path) -> None:
    state.save(tmp_path, state.fresh())
    found = json.loads(run("status", "--home", str(tmp_path), "--json").stdout)
    assert found["running"] is False
    assert found["kafka"]["state"] == "stopped"


def test_stopping_what_does_not_run_is_no_failure(tmp_path: Path) -> None:
    result = run("down", "--home", str(tmp_path), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"home": str(tmp_path), "stopped": False, "wiped": False}


def test_data_is_removed_only_after_a_yes(tmp_path: Path) -> None:
    state.save(tmp_path, state.fresh())
    home = str(tmp_path)
    assert run("down", "--home", home, "--wipe", answer="n\n").exit_code == 1
    assert state.load(tmp_path) is not None
    assert run("down", "--home", home, "--wipe", answer="y\n").exit_code == 0
    assert state.load(tmp_path) is None


def test_a_folder_that_is_no_home_is_not_removed(tmp_path: Path) -> None:
    result = run("down", "--home", str(tmp_path), "--wipe", "--yes")
    assert isinstance(result.exception, NotOurs)
    assert tmp_path.is_dir()


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_each_command_shows_an_example(command: str) -> None:
    assert "Example:" in run(command, "--help").stdout
