"""The vectors: the code comes to each verdict, and so do the schemas, under validators of three languages."""

import json
from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import jsonschema
import msgspec
import pytest

from schemas.conformance import stated
from schemas.conformance.vectors import FILE, Check, Vector, judged, vectors
from schemas.contract import documents
from schemas.envelope import unpack
from schemas.events import EVENT_TYPES
from schemas.headers import BadRecord, Headers
from tests import foreign
from tests.fuzz.mutations import Fuzz
from tests.sources import ROOT

MUTATED = 600
"""How many mutated records are held against the schemas, beside the vectors."""

VECTORS = tuple(vectors())
SCHEMAS = {name: jsonschema.Draft202012Validator(schema) for name, schema in documents.schemas().items()}
FOLDER = str(ROOT / "docs" / "schemas")


def of(kind: Iterable[Vector]) -> Any:
    return pytest.mark.parametrize("vector", kind, ids=lambda vector: vector.name)


def test_the_file_is_as_the_vectors_are_stated() -> None:
    assert FILE.read_text() == stated.file()


def test_each_vector_has_a_name_of_its_own() -> None:
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)


def test_every_type_and_every_code_is_met() -> None:
    assert {check.schema for vector in VECTORS for check in vector.checks} == SCHEMAS.keys()
    assert {vector.verdict for vector in VECTORS} == {"accepted", "refused", "ignored"}
    codes = {vector.code for vector in VECTORS if vector.code}
    assert codes == {
        "bad_data",
        "bad_header",
        "bad_json",
        "duplicate_key",
        "invalid_event",
        "nul_character",
        "null_value",
        "unknown_format",
        "unknown_specversion",
        "unknown_version",
    }


@pytest.mark.parametrize("type_name", EVENT_TYPES)
def test_every_field_of_a_type_is_met(type_name: str) -> None:
    met = {name for vector in VECTORS for name in vector.name.removeprefix(f"{type_name}, ").split()[:1]}
    assert met >= set(EVENT_TYPES[type_name].__struct_fields__)


@of(VECTORS)
def test_the_code_comes_to_the_verdict(vector: Vector) -> None:
    found = judged(vector)
    assert (found.verdict, found.code) == (vector.verdict, vector.code), found.reason


def test_the_page_says_what_no_schema_says() -> None:
    page = (ROOT / "docs" / "conformance.md").read_text()
    assert f"{len(VECTORS)} golden vectors" in page
    for vector in VECTORS:
        if vector.beyond_schema is not None:
            assert f"| {vector.about} | `{vector.code}` | {vector.beyond_schema} |" in page


def expected(vector: Vector) -> bool:
    """Whether the schemas accept it: they refuse what is refused, unless it is beyond them."""
    return vector.verdict != "refused" or vector.beyond_schema is not None


def accepts(checks: Iterable[Check]) -> bool:
    """What Python's validator says."""
    validators: dict[str, Any] = SCHEMAS
    return all(validators[check.schema].is_valid(check.instance) for check in checks)


@of(VECTORS)
def test_python_s_validator_comes_to_the_verdict(vector: Vector) -> None:
    assert accepts(vector.checks) == expected(vector)


class Mutated(NamedTuple):
    """A mutated event as validators get it, whether its schema takes it, and why the code refuses it."""

    line: dict[str, Any]
    accepted: bool
    code: str | None


@cache
def mutated() -> dict[str, Mutated]:
    """Events that are JSON for every parser, by their names."""
    found: dict[str, Mutated] = {}
    for number, record in enumerate(islice(Fuzz(1).days(), MUTATED)):
        headers = [(name.decode(errors="replace"), data) for name, data in record.headers]
        type_name = (dict(headers).get("ce_type") or b"").decode(errors="replace")
        if type_name in EVENT_TYPES and record.value and (data := plain_json(record.value)) is not None:
            check = Check(schema=type_name, instance=data[0])
            line = {"name": f"mutated {number}", "checks": [check]}
            code = refused_for(tuple(headers), record.value)
            found[f"mutated {number}"] = Mutated(line, accepts([check]), code)
    return found


def plain_json(value: bytes) -> tuple[Any] | None:
    """The JSON that all parsers agree on: no name twice, no half of a surrogate pair, no NaN."""
    try:
        data = json.loads(value, object_pairs_hook=once)
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return (data,)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def refused_for(headers: Headers, value: bytes) -> str | None:
    try:
        unpack(headers, value)
    except BadRecord as fault:
        return fault.code
    return None


def test_the_code_and_the_schemas_judge_mutated_events_alike() -> None:
    """What the code takes a schema takes; few are invalid beyond what schemas say, as laps of one number."""
    events = mutated().values()
    assert len(events) > MUTATED / 2
    assert sum(not one.accepted for one in events) > len(events) / 10
    assert [one.line for one in events if one.code is None and not one.accepted] == []
    assert sum(one.accepted and one.code == "invalid_event" for one in events) < len(events) / 50


def agreed(answers: list[Any]) -> None:
    """Whether a validator of another language accepts what Python's does, and what is stated."""
    found = {one["name"]: (one["accepted"], one["errors"]) for one in answers}
    stated = {vector.name: expected(vector) for vector in VECTORS}
    stated |= {name: one.accepted for name, one in mutated().items()}
    assert found.keys() == stated.keys()
    assert {name: found[name] for name, accepts in stated.items() if found[name][0] != accepts} == {}


def lines() -> list[bytes]:
    return [msgspec.json.encode(one) for one in (*VECTORS, *(one.line for one in mutated().values()))]


@pytest.mark.slow
def test_ajv_comes_to_the_verdicts() -> None:
    agreed(foreign.node("validate.mjs", FOLDER, lines=lines()))


@pytest.mark.slow
def test_go_s_validator_comes_to_the_verdicts() -> None:
    agreed(foreign.go("validate", FOLDER, lines=lines()))
