"""Records that are still in parts, to be mutated: an event's headers and data, and how they become bytes."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from schemas.cloudevents import STRUCTURED
from schemas.envelope import Outgoing
from tests.raw_records import RawRecord

Path = tuple[int | str, ...]


@dataclass
class Draft:
    """A record in parts; `value` is its bytes where they are not to be made of `data` any more."""

    key: bytes | None
    headers: list[tuple[bytes, bytes | None]]
    data: Any
    value: bytes | None = None
    without_value: bool = False
    structured: bool = False
    base64: bool = False
    edits: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    """What is to be replaced once in the JSON, for what `json` never writes."""

    def record(self) -> RawRecord:
        """The record as it is sent."""
        if self.without_value or self.value is not None:
            return RawRecord(None if self.without_value else self.value, self.headers, self.key)
        if self.structured:
            headers, value = self._structured()
            return RawRecord(value, headers, self.key)
        return RawRecord(self._edited(written(self.data)), self.headers, self.key)

    def _structured(self) -> tuple[list[tuple[bytes, bytes | None]], bytes]:
        """The event in the value: what the headers say becomes its attributes."""
        event: dict[str, Any] = {}
        others: list[tuple[bytes, bytes | None]] = [(b"content-type", STRUCTURED.encode())]
        for name, text in self.headers:
            if name.lower().startswith(b"ce_"):
                event[name[3:].decode(errors="replace").lower()] = (
                    None if text is None else text.decode(errors="replace")
                )
            elif name.lower() != b"content-type":
                others.append((name, text))
        data = self._edited(written(self.data))
        if self.base64:
            event["data_base64"] = base64.b64encode(data).decode()
            return others, written(event)
        return others, written(event)[:-1] + b',"data":' + data + b"}"

    def _edited(self, text: bytes) -> bytes:
        for old, new in self.edits:
            text = text.replace(old, new, 1)
        return text


def draft_of(record: Outgoing) -> Draft:
    """A good record in its parts; a page's body stays as it is."""
    headers: list[tuple[bytes, bytes | None]] = [(name.encode(), text) for name, text in record.headers]
    is_json = dict(record.headers).get("content-type") == b"application/json"
    data = json.loads(record.value) if is_json else None
    return Draft(record.key, headers, data, None if is_json else record.value)


def written(data: object) -> bytes:
    """JSON, in which a surrogate without its other half is escaped."""
    return json.dumps(data, separators=(",", ":")).encode()


def children(part: Any) -> list[tuple[int | str, Any]]:
    """The fields of an object or the items of a list, each behind its step; none of anything else."""
    if isinstance(part, dict):
        return list(cast("dict[str, Any]", part).items())
    return list(enumerate(cast("list[Any]", part))) if isinstance(part, list) else []


def objects(part: Any, at: Path = ()) -> Iterator[Path]:
    """Where objects stand in JSON; of a list only the first ones are looked at."""
    if isinstance(part, dict):
        yield at
    for step, child in children(cast("object", part))[:20]:
        yield from objects(child, (*at, step))


def part_at(data: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        data = data[step]
    return data


def put_at(data: Any, path: Path, part: object) -> Any:
    """The JSON with another part at a path; changed in place, but for the whole."""
    if not path:
        return part
    part_at(data, path[:-1])[path[-1]] = part
    return data
