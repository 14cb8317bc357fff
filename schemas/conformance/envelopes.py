"""Vectors of envelopes: the same event in other headers, in structured mode, or of another vendor's type.

The verdicts are stated here, not computed: a test holds the code and the schemas against them.
"""

import base64
import json
from collections.abc import Iterator

from schemas.conformance.records import DETAIL, Json, check_of_headers, headers_of, minimal, named
from schemas.conformance.vectors import Check, Vector, Verdict, record_of
from schemas.contract.envelopes import STRUCTURED
from schemas.contract.json_schemas import identifier
from schemas.events import EVENT_TYPES
from schemas.headers import MAX_HEADER, Headers

_MEDIA = "application/cloudevents+json"
_FOREIGN = "com.example.weather.v1"
_DATA = json.dumps(minimal(DETAIL)).encode()
_BASE64 = base64.b64encode(_DATA).decode()
_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_WIDE = "é".encode()
_NEEDED = ("ce_specversion", "ce_id", "ce_type", "ce_source")
_MUST_BE_THERE = "It must be there."

GOOD_HEADERS: tuple[tuple[str, bytes | None, str], ...] = (
    ("content-type", b"application/json; charset=utf-8", "A content type with a parameter."),
    ("content-type", b"Application/JSON", "A content type in other letters."),
    ("content-type", None, "No content type."),
    ("ce_subject", b"anything", "An attribute that is not looked at."),
    ("ce_lane", b"3", "An extension that is not known."),
    ("ce_time", b"2025-10-26T08:00:03Z", "The time of the event."),
    ("ce_dataschema", identifier(DETAIL).encode(), "The schema of the data."),
    ("ce_correlationid", b"any text", "A correlation id that is no run's."),
    ("ce_causationid", None, "A header that is null is one that is not there."),
    ("ce_traceparent", _TRACE.encode(), "A trace, as an attribute."),
    ("traceparent", _TRACE.encode(), "A trace, as a header."),
    ("x-other", b"\xff", "A header that is none of CloudEvents' may have any bytes."),
    ("ce_source", _WIDE * (MAX_HEADER // 2), "The longest header."),
)

BAD_HEADERS: tuple[tuple[str, bytes | None, str, str, str | None], ...] = (
    *((name, None, _MUST_BE_THERE, "bad_header", None) for name in _NEEDED),
    *((name, b"", "It is not empty.", "bad_header", None) for name in _NEEDED),
    *(
        (name, b"x" * (MAX_HEADER + 1), "It is too long.", "bad_header", None)
        for name in ("ce_id", "ce_correlationid", "content-type", "traceparent")
    ),
    (
        "ce_id",
        _WIDE * (MAX_HEADER // 2 + 1),
        "It is too long in bytes.",
        "bad_header",
        "a schema counts characters, not bytes",
    ),
    ("ce_id", b"a\0b", "The NUL character.", "bad_header", None),
    ("ce_causationid", b"\0", "The NUL character.", "bad_header", None),
    (
        "ce_id",
        b"\xff\xfe",
        "It is UTF-8.",
        "bad_header",
        "decoding the header as UTF-8 fails before a schema is checked",
    ),
    ("ce_specversion", b"0.3", "Another version of CloudEvents.", "unknown_specversion", None),
    (
        "ce_type",
        b"session_detail.fetched.v9",
        "A type of Lapstream's own that is not known.",
        "unknown_version",
        "there is no schema of that name",
    ),
    (
        "ce_type",
        b"record.refused.v9",
        "What Lapstream announces has types of its own, too.",
        "unknown_version",
        "there is no schema of that name",
    ),
)

GOOD_OUTERS: tuple[tuple[str, Json, str | None, str], ...] = (
    ("plain", {}, _MEDIA, "The whole event in the value."),
    ("in other letters", {}, "Application/CloudEvents+JSON", "A media type in other letters."),
    ("with a parameter", {}, f"{_MEDIA}; charset=utf-8", "A media type with a parameter."),
    ("as JSON", {}, "application/json", "Known by its value: no header begins with ce_."),
    ("without a content type", {}, None, "Known by its value: no header begins with ce_."),
    ("extensions", {"lane": 3, "wet": False, "note": None}, _MEDIA, "Extensions of any type."),
    ("nulls", {"correlationid": None, "data_base64": None}, _MEDIA, "Null is absent."),
    ("base64", {"data": None, "data_base64": _BASE64}, _MEDIA, "The data in base64."),
)

BAD_OUTERS: tuple[tuple[str, Json, str, str], ...] = (
    *((f"without {name}", {name: None}, "bad_header", _MUST_BE_THERE) for name in ("id", "type", "source")),
    *((f"empty {name}", {name: ""}, "bad_header", _MUST_BE_THERE) for name in ("id", "type", "source")),
    ("without specversion", {"specversion": None}, "bad_header", _MUST_BE_THERE),
    ("specversion 0.3", {"specversion": "0.3"}, "unknown_specversion", "Another version of CloudEvents."),
    ("an id too long", {"id": "x" * (MAX_HEADER + 1)}, "bad_header", "It is too long."),
    ("NUL in an id", {"id": "a\0b"}, "bad_header", "The NUL character."),
    ("a number as id", {"id": 1}, "bad_json", "An id is a text."),
    ("without data", {"data": None}, "null_value", "An event has data."),
    ("data twice", {"data_base64": _BASE64}, "bad_data", "Data stands in one of the two."),
    ("no base64", {"data": None, "data_base64": "e30"}, "bad_data", "Base64 is padded."),
    ("wrong data", {"data": minimal(DETAIL) | {"date": "no"}}, "invalid_event", "A date is YYYY-MM-DD."),
)
"""What stands in the event in place of the usual; null is absent."""


def vectors_of_envelopes() -> Iterator[Vector]:
    """Records in both modes: good ones, ones that are refused, and other vendors'."""
    for name, data, about in GOOD_HEADERS:
        yield _binary(named(name, about), _but(name, data), about)
    capitals = tuple((name.upper(), data) for name, data in headers_of(DETAIL))
    yield _binary("names in capitals", capitals, "Names of headers are taken in any case.")
    twice = (("ce_id", b""), *headers_of(DETAIL))
    yield _binary("ce_id twice", twice, "Of two alike the last one counts.")
    for name, data, about, code, beyond in BAD_HEADERS:
        yield _binary(named(name, about), _but(name, data), about, code, beyond)
    for name, changes, kind, about in GOOD_OUTERS:
        yield _structured(name, changes, about, kind=kind)
    for name, changes, code, about in BAD_OUTERS:
        yield _structured(name, changes, about, code)
    yield from _of_other_formats()
    yield from _of_another_vendor()


def _but(name: str, data: bytes | None) -> Headers:
    """The usual headers with another one in place of this."""
    return (*(pair for pair in headers_of(DETAIL) if pair[0] != name), (name, data))


def _binary(
    name: str, headers: Headers, about: str, code: str | None = None, beyond: str | None = None
) -> Vector:
    return Vector(
        name=f"binary mode, {name}",
        about=about,
        record=record_of(headers, _DATA),
        verdict="refused" if code else "accepted",
        code=code,
        checks=(check_of_headers(headers), Check(schema=DETAIL, instance=minimal(DETAIL))),
        beyond_schema=beyond,
    )


def _structured(
    name: str,
    changes: Json,
    about: str,
    code: str | None = None,
    *,
    kind: str | None = _MEDIA,
    verdict: Verdict = "accepted",
) -> Vector:
    outer: Json = {
        "specversion": "1.0",
        "id": "our-own-id-1",
        "type": DETAIL,
        "source": "https://timing.example/decoder-1",
        "data": minimal(DETAIL),
        **changes,
    }
    headers: Headers = () if kind is None else (("content-type", kind.encode()),)
    data = [Check(schema=outer["type"], instance=outer["data"])] if _has_data(outer) else []
    return Vector(
        name=f"structured mode, {name}",
        about=about,
        record=record_of(headers, json.dumps(outer).encode()),
        verdict="refused" if code else verdict,
        code=code,
        checks=(Check(schema=STRUCTURED, instance=outer), *data),
        beyond_schema=None,
    )


def _has_data(outer: Json) -> bool:
    """Whether there is a schema, and something to hold against it."""
    return outer["type"] in EVENT_TYPES and outer["data"] is not None


def _of_other_formats() -> Iterator[Vector]:
    for kind in ("application/cloudevents-batch+json", "application/cloudevents+avro"):
        yield Vector(
            name=kind,
            about="CloudEvents in a batch, or in another format than JSON.",
            record=record_of((("content-type", kind.encode()),), _DATA),
            verdict="refused",
            code="unknown_format",
            checks=(),
            beyond_schema="the media type says which schema is asked, and there is none for this one",
        )


def _of_another_vendor() -> Iterator[Vector]:
    about = "A type of another vendor's is ignored, whatever it says."
    for name, data, value in (
        ("ce_type", _FOREIGN.encode(), b"<weather/>"),
        ("ce_type", _FOREIGN.encode(), None),
    ):
        headers = _but(name, data)
        yield Vector(
            name=f"another vendor's type{', without a value' if value is None else ''}",
            about=about,
            record=record_of(headers, value),
            verdict="ignored",
            code=None,
            checks=(check_of_headers(headers),),
            beyond_schema=None,
        )
    changes = {"type": _FOREIGN, "data": "rain"}
    yield _structured("another vendor's type", changes, about, verdict="ignored")
