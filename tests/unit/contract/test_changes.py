"""The rules by which a change to a schema is classified: one test for each, on the schemas that there are."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from schemas.contract.changes import Change, changes
from schemas.contract.documents import schemas

Json = dict[str, Any]
OLD = schemas()["session_detail.fetched.v2"]


def fields(schema: Json, struct: str = "SessionDetailFetched") -> Json:
    return schema["$defs"][struct]["properties"]


def needed(schema: Json) -> list[str]:
    return schema["$defs"]["SessionDetailFetched"]["required"]


def either(schema: Json, name: str) -> Json:
    """What a field is, where it is not null."""
    return fields(schema)[name]["anyOf"][0]


def changed(change: Callable[[Json], Any]) -> list[Change]:
    new = copy.deepcopy(OLD)
    change(new)
    return list(changes(OLD, new))


OPTIONAL = {"anyOf": [{"type": "string", "maxLength": 300}, {"type": "null"}], "default": None}

NOTHING: dict[str, Callable[[Json], Any]] = {
    "nothing": lambda schema: None,
    "a description": lambda schema: fields(schema)["laps"].update(description="Other words."),
    "a title": lambda schema: either(schema, "fastest_lap").update(title="Another"),
    "an example": lambda schema: schema.update(examples=[]),
    "the order of fields": lambda schema: needed(schema).reverse(),
    "a struct's name": lambda schema: rename(schema, "Lap", "OneLap"),
}


def rename(schema: Json, old: str, new: str) -> None:
    schema["$defs"][new] = schema["$defs"].pop(old)
    fields(schema)["laps"]["items"]["$ref"] = f"#/$defs/{new}"


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_no_record_is_no_change(name: str) -> None:
    assert changed(NOTHING[name]) == []


@pytest.mark.parametrize("struct", ["SessionDetailFetched", "Lap"])
def test_a_new_field_that_may_be_absent_adds(struct: str) -> None:
    at = "$" if struct == "SessionDetailFetched" else "$.laps[]"
    found = changed(lambda schema: fields(schema, struct).update(weather=OPTIONAL))
    assert found == [Change("additive", f"{at}.weather", "a new field, which may be absent")]


BREAKING: dict[str, tuple[str, Callable[[Json], Any]]] = {
    "a new field that must be there": (
        "$.weather",
        lambda schema: (fields(schema).update(weather={"type": "string"}), needed(schema).append("weather")),
    ),
    "a field that is gone": ("$.end_time", lambda schema: fields(schema).pop("end_time")),
    "a field that must be there, and had not to": (
        "$.driver_name",
        lambda schema: needed(schema).append("driver_name"),
    ),
    "a field that may be absent, and was always there": (
        "$.observed_at",
        lambda schema: needed(schema).remove("observed_at"),
    ),
    "another type": ("$.fastest_lap", lambda schema: either(schema, "fastest_lap").update(type="integer")),
    "no null any more": ("$.driver_name", lambda schema: fields(schema)["driver_name"]["anyOf"].pop()),
    "a null": ("$.date", lambda schema: fields(schema).update(date={"anyOf": [fields(schema)["date"], {}]})),
    "a lower bound": ("$.lap_count", lambda schema: either(schema, "lap_count").update(maximum=10)),
    "a higher bound": ("$.lap_count", lambda schema: either(schema, "lap_count").update(maximum=10**9)),
    "a new bound": ("$.laps", lambda schema: fields(schema)["laps"].update(minItems=1)),
    "no bound any more": ("$.laps", lambda schema: fields(schema)["laps"].pop("maxItems")),
    "a shorter text": ("$.class_name", lambda schema: either(schema, "class_name").update(maxLength=3)),
    "another pattern": ("$.source", lambda schema: fields(schema)["source"].update(pattern="^[a-z]$")),
    "another format": ("$.date", lambda schema: fields(schema)["date"].update(format="date-time")),
    "another default": ("$.laps", lambda schema: fields(schema)["laps"].update(default=[1])),
    "other items": ("$.laps[]", lambda schema: schema["$defs"]["Lap"].update(type="array")),
    "another value of a part": (
        "$.laps[].is_valid",
        lambda schema: fields(schema, "Lap")["is_valid"]["anyOf"][0].update(type="string"),
    ),
    "no other fields": (
        "$",
        lambda schema: schema["$defs"]["SessionDetailFetched"].update(additionalProperties=False),
    ),
}


@pytest.mark.parametrize("name", BREAKING)
def test_all_else_breaks(name: str) -> None:
    at, change = BREAKING[name]
    found = changed(change)
    assert {one.kind for one in found} == {"breaking"}
    assert at in {one.at for one in found}


def test_another_value_of_a_choice_breaks() -> None:
    old = schemas()["practice_day.ingested.v1"]
    new = copy.deepcopy(old)
    new["$defs"]["PracticeDayIngested"]["properties"]["status"]["enum"].append("unknown")
    [found] = changes(old, new)
    assert (found.kind, found.at) == ("breaking", "$.status")
