"""A vector: a record, what a reader must make of it, and how far the JSON Schemas can say so."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from schemas.envelope import unpack
from schemas.headers import BadRecord, Headers

FILE = Path(__file__).parent / "vectors.jsonl"

Verdict = Literal["accepted", "refused", "ignored"]

Bytes = str | dict[Literal["base64"], str] | None
"""A text as it is, other bytes as `{"base64": …}`, or none."""


class VectorRecord(Struct, frozen=True, kw_only=True):
    """A record as it lies in a topic: its headers in their order, and its value."""

    headers: tuple[tuple[str, Bytes], ...]
    value: Bytes


class Check(Struct, frozen=True, kw_only=True):
    """A schema, by its name, and what is to be held against it."""

    schema: str
    instance: Any


class Vector(Struct, frozen=True, kw_only=True):
    """A record with its verdict.

    It is refused when one of its `checks` fails. Where no schema can say why, `beyond_schema` says it: then
    all checks pass, and the verdict is the code's.
    """

    name: str
    about: str
    record: VectorRecord
    verdict: Verdict
    code: str | None
    checks: tuple[Check, ...]
    beyond_schema: str | None


class Judgement(Struct, frozen=True, kw_only=True):
    """What a reader made of a vector; `code` and `reason` say why it refused it, where it says so."""

    name: str
    verdict: Verdict
    code: str | None = None
    reason: str | None = None


def vectors() -> Iterator[Vector]:
    """The vectors that come with this version."""
    for line in FILE.read_bytes().splitlines():
        yield msgspec.json.decode(line, type=Vector)


def judged(vector: Vector) -> Judgement:
    """What this version makes of a vector."""
    headers = tuple((name, as_bytes(data)) for name, data in vector.record.headers)
    try:
        received = unpack(headers, as_bytes(vector.record.value))
    except BadRecord as fault:
        return Judgement(name=vector.name, verdict="refused", code=fault.code, reason=fault.reason)
    return Judgement(name=vector.name, verdict="accepted" if received else "ignored")


def as_bytes(data: Bytes) -> bytes | None:
    """What stands for bytes, as bytes."""
    if data is None:
        return None
    return data.encode() if isinstance(data, str) else base64.b64decode(data["base64"])


def from_bytes(data: bytes | None) -> Bytes:
    """Bytes as they stand in a vector."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def record_of(headers: Headers, value: bytes | None) -> VectorRecord:
    """A record as it stands in a vector."""
    return VectorRecord(
        headers=tuple((name, from_bytes(data)) for name, data in headers), value=from_bytes(value)
    )
