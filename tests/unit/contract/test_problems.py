"""All problems of a line: each in its place, and none exactly where a reader takes the event."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conformance.vectors import Vector, as_bytes, vectors
from schemas.contract.examples import EVENTS, data_of, example_lines
from schemas.contract.problems import MOST, Problem, checked, unknown_fields
from schemas.envelope import unpack
from schemas.headers import BadRecord
from schemas.lines import line_of

DETAIL = json.loads(example_lines()["session_detail.fetched.v2"])


def line(data: dict[str, Any] | None = None, **attributes: Any) -> bytes:
    """The example with other fields and attributes; None is one that is not there."""
    changed = {name: value for name, value in (DETAIL["data"] | (data or {})).items() if value is not None}
    outer = DETAIL | {"data": changed} | attributes
    return json.dumps({name: value for name, value in outer.items() if value is not None}).encode()


def places(found: list[Problem]) -> set[tuple[str, str]]:
    return {(problem.at, problem.code) for problem in found}


@pytest.mark.parametrize("name", example_lines())
def test_an_example_has_no_problems(name: str) -> None:
    found = checked(example_lines()[name])
    assert (found.verdict, found.type, found.problems) == ("valid", name, [])


def test_every_problem_is_named_in_its_place() -> None:
    laps = [{"lap_number": "x"}, {"lap_number": 2, "segments": [1, "x"], "weather": 1}, 5]
    fields = {
        "date": None,
        "source": "LiveRC",
        "fastest_lap": -1,
        "laps": laps,
        "start_time": "2025-10-25T16:36:38Z",
    }
    found = checked(line(fields, id="", correlationid="a\0b"))
    assert found.verdict == "invalid"
    assert places(found.problems) == {
        ("$.id", "bad_header"),
        ("$.correlationid", "bad_header"),
        ("$.data.date", "invalid_event"),
        ("$.data.source", "invalid_event"),
        ("$.data.fastest_lap", "invalid_event"),
        ("$.data.start_time", "invalid_event"),
        ("$.data.laps[0].lap_number", "invalid_event"),
        ("$.data.laps[1].segments[1]", "invalid_event"),
        ("$.data.laps[1].weather", "unknown_field"),
        ("$.data.laps[2]", "invalid_event"),
    }
    messages = {problem.at: problem.message for problem in found.problems}
    assert messages["$.id"] == "is empty"
    assert messages["$.data.date"] == "is missing"
    assert messages["$.data.laps[0].lap_number"] == "expected integer, got string"
    assert messages["$.data.laps[1].segments[1]"] == "expected number or null, got string"
    assert messages["$.data.source"] == "expected string matching regex '^[a-z][a-z0-9_-]{0,31}$'"


def test_what_no_type_says_has_its_place_too() -> None:
    laps = [{"lap_number": 1}, {"lap_number": 2}, {"lap_number": 1, "lapped_at": "2101-01-01T00:00:00"}]
    found = checked(line({"laps": laps}))
    assert places(found.problems) == {
        ("$.data.laps[2].lap_number", "invalid_event"),
        ("$.data.laps[2].lapped_at", "invalid_event"),
    }


def test_an_unknown_field_is_a_warning() -> None:
    found = checked(line({"weather": {"sky": "blue"}}))
    assert (found.verdict, places(found.problems)) == ("valid", {("$.data.weather", "unknown_field")})
    assert list(unknown_fields("session_detail.fetched.v2", b'{"date": 1, "sky": 2}')) == ["$.sky"]


@pytest.mark.parametrize(
    ("text", "at", "code"),
    [
        (b"{", "$", "bad_json"),
        (b"[]", "$", "bad_json"),
        (b"{}", "$.type", "bad_header"),
        (line(specversion="0.3"), "$", "unknown_specversion"),
        (line(type="session_detail.fetched.v9"), "$", "unknown_version"),
        (line(data_base64="e30="), "$", "bad_data"),
        (line(Lane=3), "$", "bad_header"),
        (line(lane=[3]), "$", "bad_header"),
        (line()[:-1] + b',"id":"2"}', "$", "duplicate_key"),
        (line({"driver_name": "a\0b"}), "$", "nul_character"),
    ],
)
def test_what_is_wrong_with_the_whole_is_named_there(text: bytes, at: str, code: str) -> None:
    found = checked(text)
    assert found.verdict == "invalid"
    assert (at, code) in places(found.problems)


def test_another_vendors_event_is_ignored() -> None:
    found = checked(line(type="com.example.weather", data={"no": "event"}))
    assert (found.verdict, found.problems) == ("ignored", [])


def test_problems_are_bounded() -> None:
    assert len(checked(line({"laps": [{}] * 5_000})).problems) == MOST


def taken(headers: Any, value: bytes | None) -> bool:
    try:
        return unpack(headers, value) is not None
    except BadRecord:
        return False


RECORDS = [vector for vector in vectors() if vector.verdict != "ignored"]


@pytest.mark.parametrize("vector", RECORDS, ids=lambda vector: vector.name)
def test_a_vector_has_problems_where_it_is_refused(vector: Vector) -> None:
    headers = [(name, as_bytes(data)) for name, data in vector.record.headers]
    try:
        text = line_of(headers, as_bytes(vector.record.value))
    except BadRecord:
        return  # it can't be said on a line
    found = checked(text)
    assert found.verdict in {"valid", "invalid"}
    if vector.verdict == "accepted":
        assert found.verdict == "valid", found.problems


NOTHING: list[Any] = []
VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        10**7,
        "",
        "x",
        "x" * 301,
        "2025-10-25",
        "2025-10-25T16:36:38Z",
        NOTHING,
        [1],
        [{"a": 1}],
    ]
)


@settings(max_examples=300)
@given(event=st.sampled_from(EVENTS), data=st.data())
def test_problems_are_found_exactly_where_a_reader_refuses(event: Any, data: st.DataObject) -> None:
    changed = data_of(event)
    for name in data.draw(st.lists(st.sampled_from(sorted(changed)), max_size=2)):
        changed[name] = data.draw(VALUES)
    outer = {"specversion": "1.0", "id": "1", "type": event.type_name, "source": "s", "data": changed}
    text = json.dumps(outer).encode()
    structured = (("content-type", b"application/cloudevents+json"),)
    assert (checked(text).verdict == "valid") == taken(structured, text)
