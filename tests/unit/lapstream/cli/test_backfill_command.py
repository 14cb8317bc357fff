"""`lapstream backfill` and `discover`: what is typed wrong is refused before anything is asked."""

import datetime as dt

import pytest
from typer import Typer
from typer.testing import CliRunner

from lapstream.cli.commands.backfill import backfill, discover

app = Typer()
app.command("backfill")(backfill)
app.command("discover")(discover)

NEXT_YEAR = f"{dt.datetime.now(dt.UTC).year + 1}-01"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2025-10-25", "2025-10", "no month"),
        ("2025-13", "2025-10", "no month"),
        ("1989-12", "2025-10", "1990"),
        ("2025-10", NEXT_YEAR, "yet to come"),
        ("2025-10", "2025-09", "1 to 240 months"),
        ("2001-01", "2025-10", "not 298"),
    ],
)
def test_months_that_are_none_are_wrong_usage(first: str, last: str, expected: str) -> None:
    command = ["backfill", "track", "--from", first, "--to", last]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert expected in result.stderr


@pytest.mark.parametrize("command", ["backfill", "discover"])
def test_every_command_has_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: lapstream {command}" in result.stdout
