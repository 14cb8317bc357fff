"""`lapstream parked`: what is typed wrong is refused before anything is asked."""

import pytest
from typer.testing import CliRunner

from lapstream.cli.commands.parked import app


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--at", "practice-days", "TOPIC/PARTITION/OFFSET"),
        ("--at", "practice-days/1/two", "TOPIC/PARTITION/OFFSET"),
        ("--since", "yesterday", "2025-10-25T18:00"),
        ("--state", "lost", "parked"),
    ],
)
def test_a_filter_that_is_none_is_wrong_usage(option: str, value: str, expected: str) -> None:
    result = CliRunner().invoke(app, ["list", option, value], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert expected in result.stderr


def test_a_discard_needs_its_reason() -> None:
    result = CliRunner().invoke(app, ["discard"])
    assert result.exit_code == 2
    assert "--reason" in result.stderr


@pytest.mark.parametrize("command", ["list", "show", "redrive", "publish-fixed", "discard", "export"])
def test_every_command_has_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: lapstream parked {command}" in result.stdout
