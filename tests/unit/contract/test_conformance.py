"""The vectors: the code comes to each verdict, and so do the schemas, under validators of three languages."""

from collections.abc import Iterable
from typing import Any

import jsonschema
import msgspec
import pytest

from schemas.conformance import stated
from schemas.conformance.vectors import FILE, Vector, judged, vectors
from schemas.contract import documents
from schemas.events import EVENT_TYPES
from tests import foreign
from tests.sources import ROOT

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


def accepted(vector: Vector) -> bool:
    validators: dict[str, Any] = SCHEMAS
    return all(validators[check.schema].is_valid(check.instance) for check in vector.checks)


@of(VECTORS)
def test_python_s_validator_comes_to_the_verdict(vector: Vector) -> None:
    assert accepted(vector) == expected(vector)


def agreed(answers: list[Any]) -> None:
    found = {one["name"]: (one["accepted"], one["errors"]) for one in answers}
    assert found.keys() == {vector.name for vector in VECTORS}
    wrong = {one.name: found[one.name] for one in VECTORS if found[one.name][0] != expected(one)}
    assert wrong == {}


def lines() -> list[bytes]:
    return [msgspec.json.encode(vector) for vector in VECTORS]


@pytest.mark.slow
def test_ajv_comes_to_the_verdicts() -> None:
    agreed(foreign.node("validate.mjs", FOLDER, lines=lines()))


@pytest.mark.slow
def test_go_s_validator_comes_to_the_verdicts() -> None:
    agreed(foreign.go("validate", FOLDER, lines=lines()))
