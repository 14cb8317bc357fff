"""The JSON Schemas: described in full, in a syntax that every engine takes, and as strict as the code."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, cast, get_origin

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import fields
from schemas.checks import is_possible
from schemas.contract import documents
from schemas.contract.examples import EVENTS, data_of
from schemas.contract.json_schemas import DIALECT, event_schemas, identifier, portable
from schemas.events import EVENT_TYPES

SCHEMAS = documents.schemas()
KINDS = {name: kind for name, kind in vars(fields).items() if get_origin(kind) is Annotated}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield cast("dict[str, Any]", node)
        node = list(cast("dict[str, Any]", node).values())
    if isinstance(node, list):
        for one in cast("list[Any]", node):
            yield from nodes(one)


def patterns(schema: Any) -> set[str]:
    return {node["pattern"] for node in nodes(schema) if isinstance(node.get("pattern"), str)}


def accepted(schema: dict[str, Any], value: Any) -> bool:
    validator: Any = jsonschema.Draft202012Validator(schema)
    return validator.is_valid(value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_of_its_dialect_and_has_its_name(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert (SCHEMAS[name]["$schema"], SCHEMAS[name]["$id"]) == (DIALECT, identifier(name))


@pytest.mark.parametrize("name", SCHEMAS)
def test_patterns_are_of_the_syntax_that_all_engines_share(name: str) -> None:
    for pattern in patterns(SCHEMAS[name]):
        assert not re.search(r"\(\?[^:]|\\[ZzAGbBpPKkuQ1-9]|[*+?}]\+", pattern), pattern
        re.compile(pattern)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_field_says_what_it_means(name: str) -> None:
    for struct in event_schemas()[name]["$defs"].values():
        assert struct["description"]
        for field, schema in struct["properties"].items():
            described = schema.get("description") or SCHEMAS[name]["$defs"][schema["$ref"].split("/")[-1]]
            assert described, f"{struct['title']}.{field}"


def test_every_kind_of_field_has_a_title_and_a_description() -> None:
    for name, kind in KINDS.items():
        schema = msgspec.json.schema(kind)
        assert schema["title"], name
        assert schema["description"], name
        for example in schema.get("examples", []):
            msgspec.convert(example, kind)
            assert accepted(portable(schema), example), name


def test_there_is_an_example_of_every_type() -> None:
    assert [event.type_name for event in EVENTS] == list(EVENT_TYPES)
    for event in EVENTS:
        assert accepted(SCHEMAS[event.type_name], data_of(event))
        assert SCHEMAS[event.type_name]["examples"] == [data_of(event)]


@pytest.mark.parametrize(
    "name", [name for name in KINDS if portable(msgspec.json.schema(KINDS[name])).get("not")]
)
def test_a_line_break_at_the_end_is_no_part_of_what_a_pattern_bounds(name: str) -> None:
    schema = portable(msgspec.json.schema(KINDS[name]))
    [example, *_] = schema["examples"]
    assert accepted(schema, example)
    assert not accepted(schema, example + "\n")
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(example + "\n", KINDS[name])


two = st.integers(0, 62).map("{:02}".format)
years = st.sampled_from([1, 1989, 1990, 1991, 1992, 2000, 2024, 2025, 2099, 2100, 2101, 9999]).map(
    "{:04}".format
)
dates = st.builds("-".join, st.tuples(years, two, two))
times = st.builds(
    "".join,
    st.tuples(two, st.just(":"), two, st.just(":"), two, st.sampled_from(["", ".", ".5", ".123456789"])),
)
offsets = st.sampled_from(["", "Z", "z", "+00:00", "-0330", "+23:59", "+24:00", "+14:60", "+02", " Z"])
moments = st.builds("".join, st.tuples(dates, st.sampled_from(["T", "t", " ", "_", ""]), times, offsets))


@given(text=dates | times | moments | st.text(max_size=12))
@pytest.mark.parametrize("name", ["Date", "TimeOfDay", "LocalTime", "Instant"])
def test_a_pattern_of_dates_and_times_takes_what_the_code_takes(name: str, text: str) -> None:
    schema = portable(msgspec.json.schema(KINDS[name]))
    assert accepted(schema, text) == read(KINDS[name], text), text


def read(kind: Any, text: str) -> bool:
    try:
        found: Any = msgspec.convert(text, kind)
    except msgspec.ValidationError:
        return False
    return isinstance(found, dt.time) or is_possible(found)
