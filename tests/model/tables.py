"""Tables as the model, the memory and the database all give them: rows by natural key, without row ids.

Raw rows (columns by name, JSON as text, references as row ids) go in; rows come out whose references are
natural keys and whose JSON is read, so that two sets of tables can be compared whatever made them.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Key = tuple[Any, ...]
Row = dict[str, Any]
Tables = dict[str, dict[Key, Row]]
Raw = Mapping[str, Iterable[Mapping[str, Any]]]

NATURAL_KEYS: dict[str, tuple[str, ...]] = {
    "tracks": ("source", "source_track_slug"),
    "events": ("source", "source_event_id"),
    "races": ("event_id", "source_race_id"),
    "drivers": ("source", "source_driver_id"),
    "race_drivers": ("race_id", "source_driver_id"),
    "race_results": ("race_id", "race_driver_id"),
    "laps": ("race_result_id", "lap_number"),
    "observations": ("event_id", "kind", "session_id"),
}
"""The natural key of each table, parents before children."""

_REFERENCES = {
    "track_id": "tracks",
    "event_id": "events",
    "race_id": "races",
    "driver_id": "drivers",
    "race_driver_id": "race_drivers",
    "race_result_id": "race_results",
}
_JSON = {"metadata", "race_metadata", "raw_fields_json", "segments_json", "shelved_laps"}


def natural(raw: Raw) -> Tables:
    """The rows by natural key; a KeyError where a row refers to one that is not there."""
    tables: Tables = {}
    keys: dict[str, dict[object, Key]] = {}
    for name, columns in NATURAL_KEYS.items():
        tables[name], keys[name] = {}, {}
        for raw_row in raw[name]:
            row = _row(raw_row, keys)
            key = tuple(row[column] for column in columns)
            assert key not in tables[name], f"{name} holds {key} twice"
            tables[name][key] = row
            keys[name][raw_row.get("id")] = key
    return tables


def _row(raw: Mapping[str, Any], keys: Mapping[str, Mapping[object, Key]]) -> Row:
    row: Row = {}
    for column, value in raw.items():
        if column in _REFERENCES:
            row[column] = keys[_REFERENCES[column]][value]
        elif column in _JSON and value is not None:
            row[column] = json.loads(value)
        elif column not in {"id", "subject_id", "facts"}:
            row[column] = value
    if "kind" in row:
        row["session_id"] = json.loads(raw["facts"]).get("session_id")
    return row
