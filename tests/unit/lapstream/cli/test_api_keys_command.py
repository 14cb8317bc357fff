"""`lapstream keys`: what is typed wrong is refused before anything is asked."""

import pytest
from typer.testing import CliRunner

from lapstream.cli.commands.keys import app


@pytest.mark.parametrize("name", ["", " padded", "with\nbreak", "x" * 101])
def test_a_name_that_is_none_is_wrong_usage(name: str) -> None:
    result = CliRunner().invoke(app, ["create", name, "--scope", "read"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert "printable" in result.stderr


def test_a_key_needs_a_scope() -> None:
    result = CliRunner().invoke(app, ["create", "front-end"])
    assert result.exit_code == 2
    assert "--scope" in result.stderr


def test_a_scope_is_one_of_three() -> None:
    result = CliRunner().invoke(app, ["create", "front-end", "--scope", "all"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert "ingest" in result.stderr


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_every_command_has_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: lapstream keys {command}" in result.stdout
