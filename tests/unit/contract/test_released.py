"""What is released is kept: files, schemas, types and versions; and the events in it are read for ever."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from schemas import versions
from schemas.contract import documents, released
from schemas.envelope import unpack
from schemas.events import EVENT_TYPES
from schemas.lines import record_of

Json = dict[str, Any]
SCHEMAS = documents.schemas()
LISTED = "practice_day.listed.v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what is released, to be spoilt."""
    return Path(shutil.copytree(released.FOLDER, tmp_path / "released"))


def changed(**fields: Json) -> dict[str, Json]:
    """The present schemas, with further fields of a list."""
    new = copy.deepcopy(SCHEMAS)
    new[LISTED]["$defs"]["PracticeDayListed"]["properties"] |= fields
    return new


def problems(current: dict[str, Json], folder: Path = released.FOLDER) -> list[str]:
    return list(released.problems(current, folder))


def test_the_present_schemas_keep_what_is_released() -> None:
    assert problems(SCHEMAS) == []


def test_every_type_is_released_with_an_example() -> None:
    assert released.schemas().keys() == SCHEMAS.keys()
    assert released.examples().keys() == EVENT_TYPES.keys()


@pytest.mark.parametrize("name", released.examples())
def test_a_released_event_is_read_for_ever(name: str) -> None:
    for line in released.examples()[name]:
        assert unpack(*record_of(line)) is not None


def test_a_released_file_never_changes(folder: Path) -> None:
    path = folder / LISTED / "1.examples.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    (folder / LISTED / "1.schema.json").unlink()
    (folder / LISTED / "9.schema.json").write_text("{}")
    found = problems(SCHEMAS, folder)
    assert [problem.partition(":")[0] for problem in found if "/" in problem] == [
        f"{LISTED}/1.examples.jsonl",
        f"{LISTED}/1.schema.json",
        f"{LISTED}/9.schema.json",
    ]


def test_a_type_that_is_gone_is_a_problem() -> None:
    [problem] = problems({name: schema for name, schema in SCHEMAS.items() if name != LISTED})
    assert problem.startswith(f"{LISTED}: the type is gone")


def test_a_change_that_breaks_is_a_problem() -> None:
    [problem] = problems(changed(complete={"type": "integer"}))
    assert problem == f"{LISTED}: $.complete: type is 'integer', and was 'boolean'"


def test_what_is_added_is_told_and_released_as_a_revision(folder: Path) -> None:
    current = changed(weather={"type": "string"})
    assert problems(current) == []
    assert list(released.additions(current)) == [f"{LISTED}: $.weather: a new field, which may be absent"]
    written = released.release(current, folder)
    assert [path.name for path in written] == ["2.schema.json", "2.examples.jsonl"]
    assert (problems(current, folder), list(released.additions(current, folder))) == ([], [])
    [problem] = problems(SCHEMAS, folder)
    assert problem.startswith(f"{LISTED}: $.weather: the field is gone")


def test_what_is_as_released_is_not_released_again(folder: Path) -> None:
    assert released.release(SCHEMAS, folder) == []


def test_a_version_that_nothing_brings_to_the_next_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = "practice_day.listed.v2"
    monkeypatch.setitem(EVENT_TYPES, newer, EVENT_TYPES[LISTED])
    current = SCHEMAS | {newer: SCHEMAS[LISTED]}
    assert problems(current) == [f"{LISTED}: no upcaster brings it to {newer}"]
    monkeypatch.setattr(versions, "UPCASTERS", {**versions.UPCASTERS, LISTED: versions.upcast})
    assert problems(current) == []
