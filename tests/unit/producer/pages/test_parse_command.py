import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lapstream.cli.commands.parse import app
from producer.pages import NotThatPage
from sandbox.sample_site.render import render_month
from schemas.errors import LapstreamError
from schemas.events import DayFacts, ListedSession, SessionFacts
from tests.unit.producer.pages.samples import DATE, DAY, SLUG, case_page, cases_list


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    app(list(words), standalone_mode=False)
    return capsys.readouterr().out


def saved(folder: Path, body: bytes) -> str:
    path = folder / "page.html"
    path.write_bytes(body)
    return str(path)


def test_json_shows_every_field_with_nulls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = json.loads(run(capsys, "day", saved(tmp_path, cases_list()), "--json", "--date", "2025-10-25"))
    assert list(printed) == list(DayFacts.__struct_fields__)
    assert list(printed["sessions"][0]) == list(ListedSession.__struct_fields__)
    assert None in {each["transponder_number"] for each in printed["sessions"]}


def test_a_sessions_id_comes_from_option_or_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(tmp_path, case_page("usual"))
    for words, expected in (
        ([], "unknown"),
        (["--session-id", "8"], "8"),
        (["--url", "https://demo.example.org/practice/?p=view_session&id=7"], "7"),
    ):
        printed: dict[str, Any] = json.loads(run(capsys, "session", file, "--json", *words))
        assert printed["session_id"] == expected
        assert list(printed) == list(SessionFacts.__struct_fields__)


def test_the_human_form_holds_every_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, "day", saved(tmp_path, cases_list()))
    assert "complete: True" in printed
    assert "stats.total_laps: " in printed
    assert "transponder_of_two_names" in printed
    assert printed.count("2025-10-25") >= len(DAY.sessions)


def test_a_lap_range_stands_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, "session", saved(tmp_path, case_page("invalid_laps")))
    assert "valid_lap_range: [20.0, 70.0]\n" in printed


def test_a_month_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path, render_month(SLUG, "2025-10", {DATE: 56}, ["2025-10"]))
    assert json.loads(run(capsys, "month", file, "--json"))["days"] == [
        {"date": "2025-10-25", "sessions": 56}
    ]


def test_standard_input_is_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(cases_list())))
    assert json.loads(run(capsys, "day", "-", "--json"))["complete"] is True


def test_what_is_no_page_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotThatPage):
        run(capsys, "day", saved(tmp_path, case_page("usual")))
    with pytest.raises(LapstreamError, match="can't be read"):
        run(capsys, "day", str(tmp_path / "none.html"))


def test_an_address_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["day", saved(tmp_path, cases_list()), "--url", "http://["])
    assert result.exit_code == 2
