"""What the vectors are made from: the least data of each type, and the headers around it."""

from typing import Any

import msgspec

from schemas.cloudevents import headers_by_name
from schemas.conformance.vectors import Check
from schemas.contract.envelopes import BINARY
from schemas.contract.examples import data_of, example
from schemas.events import EVENT_TYPES
from schemas.headers import Headers

Json = dict[str, Any]

DETAIL = "session_detail.fetched.v2"
"""The type that most vectors are of."""

OLD_DETAIL = "session_detail.fetched.v1"
"""The same in its first version."""


def named(place: str, about: str) -> str:
    """The name of a vector: which part of a record it is about, and what of it."""
    return f"{place}: {about[0].lower()}{about[1:].rstrip('.')}"


def minimal(type_name: str) -> Json:
    """The example's data without what may be absent."""
    data = data_of(example(type_name))
    return {
        one.name: data[one.name] for one in msgspec.structs.fields(EVENT_TYPES[type_name]) if one.required
    }


def headers_of(type_name: str) -> Headers:
    """The headers of a record in binary mode."""
    texts = {
        "ce_specversion": "1.0",
        "ce_id": "our-own-id-1",
        "ce_type": type_name,
        "ce_source": "https://timing.example/decoder-1",
        "content-type": "application/json",
    }
    return tuple((name, text.encode()) for name, text in texts.items())


def check_of_headers(headers: Headers) -> Check:
    """Headers as one object, as the schema of binary mode describes it."""
    there = {name: data for name, data in headers_by_name(headers).items() if data is not None}
    return Check(
        schema=BINARY, instance={name: data.decode(errors="replace") for name, data in there.items()}
    )
