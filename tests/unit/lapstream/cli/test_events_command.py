"""`lapstream events`, as far as it needs no broker."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lapstream.cli.commands.events import app
from schemas.conformance.vectors import FILE
from schemas.contract.examples import example_lines
from schemas.errors import LapstreamError

LINES = b"".join(line + b"\n" for line in example_lines().values())
ENVIRONMENT = {"COLUMNS": "200", "LAPSTREAM_KAFKA_BOOTSTRAP": "127.0.0.1:1"}


def invoke(*arguments: str, given: bytes | None = None, prefix: str = "") -> Result:
    return CliRunner().invoke(
        app, list(arguments), input=given, env=ENVIRONMENT | {"LAPSTREAM_TOPIC_PREFIX": prefix}
    )


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A good event, an empty line, one that is refused, and another vendor's."""
    good, *_ = example_lines().values()
    foreign = b'{"specversion":"1.0","id":"1","type":"com.example.x","source":"s","data":5}'
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join([good, b"", good.replace(b"2025-10-25", b"yesterday\x1b[2J"), foreign, b""]))
    return path


def test_the_examples_are_valid() -> None:
    assert invoke("examples").stdout_bytes == LINES
    result = invoke("validate", "-", given=LINES)
    assert (result.exit_code, result.stdout) == (0, "10 events: 10 valid, 0 invalid, 0 ignored\n")


def test_an_example_of_one_type() -> None:
    result = invoke("examples", "practice_day.changed.v1")
    assert result.stdout_bytes == example_lines()["practice_day.changed.v1"] + b"\n"
    assert invoke("examples", "practice_day.changed.v9").exit_code == 2


def test_a_problem_is_named_by_line_and_place(bad: Path) -> None:
    result = invoke("validate", str(bad))
    assert result.exit_code == 1
    assert f"{bad}:3: error: bad_json: $" in result.stdout
    assert "3 events: 1 valid, 1 invalid, 1 ignored" in result.stdout
    assert "\x1b" not in result.stdout


def test_problems_as_json(bad: Path) -> None:
    found: Any = json.loads(invoke("validate", str(bad), "--json").stdout)
    assert found["summary"] == {"events": 3, "valid": 1, "invalid": 1, "ignored": 1}
    assert [(one["line"], one["verdict"]) for one in found["lines"]] == [
        (1, "valid"),
        (3, "invalid"),
        (4, "ignored"),
    ]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = invoke("validate", str(tmp_path / "no.jsonl"))
    assert isinstance(result.exception, LapstreamError)


def test_a_dry_run_needs_no_broker() -> None:
    result = invoke("publish", "-", "--dry-run", "--json", given=LINES, prefix="club-")
    found: Any = json.loads(result.stdout)
    assert (result.exit_code, found["dry_run"], found["refused"]) == (0, True, [])
    day = "liverc/canberraoffroad/2025-10-25"
    assert {(one["topic"], one["key"]) for one in found["records"]} == {
        ("club-practice-day-requests", day),
        ("club-practice-days", day),
        ("club-session-detail-requests", f"{day}/21290331"),
        ("club-practice-day-outcomes", day),
        ("club-refused-records", "practice-days/6"),
    }


def test_a_topic_that_is_given_is_taken_as_it_is() -> None:
    result = invoke("publish", "-", "--dry-run", "--topic", "ours", given=LINES, prefix="x-")
    assert {line.partition(":")[0] for line in result.stdout.splitlines()[:-1]} == {"ours"}
    assert result.stdout.endswith("10 events would be published\n")


def test_nothing_is_published_where_one_event_would_be_refused(bad: Path) -> None:
    result = invoke("publish", str(bad))
    assert result.exit_code == 1
    assert f"{bad}:4: error: foreign_type: $.type com.example.x is no type of Lapstream's" in result.stdout
    assert "nothing was published: 2 events" in result.stderr


def test_this_version_comes_to_every_verdict() -> None:
    result = invoke("conformance")
    number = len(FILE.read_bytes().splitlines())
    assert (result.exit_code, result.stdout) == (0, f"{number} vectors: {number} as expected, 0 not\n")
    assert invoke("conformance", "--vectors").stdout_bytes == FILE.read_bytes()


READER = """
import json, sys
for line in sys.stdin:
    vector = json.loads(line)
    assert "verdict" not in vector
    if vector["name"] != "session_detail.fetched.v2, the least":
        print(json.dumps({"name": vector["name"], "verdict": "accepted"}))
"""


def test_a_reader_that_takes_everything_differs(tmp_path: Path) -> None:
    (tmp_path / "reader.py").write_text(READER)
    result = invoke("conformance", "--json", sys.executable, str(tmp_path / "reader.py"))
    found: Any = json.loads(result.stdout)
    by_name = {one["name"]: one for one in found["differences"]}
    assert result.exit_code == 1
    assert by_name["session_detail.fetched.v2, the least"]["found"] is None
    assert by_name["another vendor's type"] | {"about": ""} == {
        "name": "another vendor's type",
        "about": "",
        "expected": "ignored",
        "found": "accepted",
        "reason": None,
    }


@pytest.mark.parametrize(
    "program", ["raise SystemExit(3)", "print('accepted')", "import time; time.sleep(9)"]
)
def test_a_program_that_does_not_answer_is_an_error(program: str) -> None:
    result = invoke("conformance", "--seconds", "1", sys.executable, "-c", program)
    assert isinstance(result.exception, LapstreamError)


@pytest.mark.parametrize("command", ["validate", "publish", "tail", "examples", "conformance"])
def test_every_command_has_an_example(command: str) -> None:
    assert f"Example: lapstream events {command}" in invoke(command, "--help").stdout
