"""Commands as they were spelled before: what they are now, and that they run as it."""

import pytest
from typer.testing import CliRunner

from lapstream.cli.old_spellings import REBUILD, renewed
from lapstream.cli.tree import app
from runtime.settings import SettingsError
from tests.commands import all_of


@pytest.mark.parametrize(
    ("typed", "now"),
    [
        ("rebuild practice-days", "rebuild start practice-days"),
        ("rebuild --yes practice-days --json", "rebuild start --yes practice-days --json"),
        ("rebuild practice-days --until 2026-01-01", "rebuild start practice-days --until 2026-01-01"),
        ("rebuild --status", "rebuild status"),
        ("rebuild practice-days --status", "rebuild status practice-days"),
        ("rebuild practice-days --pause", "rebuild pause practice-days"),
        ("rebuild --resume practice-days --yes", "rebuild resume practice-days --yes"),
        ("rebuild practice-days --cancel", "rebuild cancel practice-days"),
        ("rebuild practice-days --rollback", "rebuild rollback practice-days"),
        ("verify practice-days --cancel", "rebuild cancel practice-days --verify"),
        ("log import . --no-carry-over --yes", "log import . --no-translate-offsets --yes"),
    ],
)
def test_an_old_spelling_is_read_as_the_new_one_and_told(
    typed: str, now: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert renewed(typed.split()) == now.split()
    assert capsys.readouterr().err == f"note: `lapstream {typed}` is spelled `lapstream {now}` now\n"
    begun = CliRunner().invoke(app, now.split(), env={"LAPSTREAM_KAFKA_BOOTSTRAP": None})
    assert isinstance(begun.exception, SettingsError)


@pytest.mark.parametrize(
    "typed", ["", "rebuild", "rebuild --help", "rebuild -h", "verify practice-days", "lag"]
)
def test_what_was_always_spelled_so_stays(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert renewed(typed.split()) == typed.split()
    assert capsys.readouterr().err == ""


def test_the_commands_of_a_rebuild_are_not_taken_for_projections() -> None:
    assert {f"rebuild {name}" for name in REBUILD} == {one for one in all_of() if one.startswith("rebuild ")}
