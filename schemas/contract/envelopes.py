"""JSON Schemas of the envelope: a record's headers in binary mode, and the event in structured mode.

`headers` of a message is the first one, as one object: the names in lower case, the last of two alike,
without those that are null.
"""

from schemas.cloudevents import SPECVERSION
from schemas.contract.json_schemas import Json, standing
from schemas.headers import MAX_HEADER

BINARY = "cloudevents.binary"
STRUCTURED = "cloudevents.structured"

_RUN = "The run that it belongs to: all that follows from one request has the same."
_CAUSE = "The id of the event that this one follows from."
_TRACE = "The trace, as W3C's Trace Context writes it; passed on as it came."
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z"


def envelope_schemas() -> dict[str, Json]:
    """The schema of each mode by its name."""
    return {
        name: standing(name, schema) for name, schema in ((BINARY, binary()), (STRUCTURED, _structured()))
    }


def binary() -> Json:
    """The headers of a record in binary mode."""
    return {
        "title": "Headers of a record in binary mode",
        "description": (
            "A record's headers as one object: names in lower case, the last of two alike, without those "
            f"that are null. Each is UTF-8 and has at most {MAX_HEADER:,} bytes. Other headers are ignored."
        ),
        "type": "object",
        "properties": {
            "ce_specversion": {"const": SPECVERSION, "description": "The version of CloudEvents."},
            "ce_id": _text(
                "Its publisher's name for it. Lapstream's own is BLAKE2b-128 of type and content, so that "
                "the same event twice has the same id.",
                "19df1ca99ca0b45ce3159741303c5d48",
                needed=True,
            ),
            "ce_type": _text("The type of the event.", "session_detail.fetched.v1", needed=True),
            "ce_source": _text("Who published it.", "https://timing.example/decoder-1", needed=True),
            "content-type": _text(
                "The value is JSON in UTF-8, whatever stands here but `application/cloudevents…`.",
                "application/json",
            ),
            "ce_correlationid": _text(_RUN, "ed629a62-949c-4dbd-9f18-093ae9ef682a"),
            "ce_causationid": _text(_CAUSE, "8c2e0aa915c7251ae154bbc4cb3fbaa2"),
            "traceparent": _text(_TRACE, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            "ce_traceparent": _text("The same as `traceparent`, which counts where both are there."),
            "ce_time": _noted("When it happened; the event says it too, and only that counts."),
            "ce_dataschema": _noted("The `$id` of the JSON Schema, `urn:lapstream:schema:{type}`."),
            "ce_subject": _noted("Not looked at."),
        },
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source"],
    }


def _structured() -> Json:
    absent = {"type": "null"}
    return {
        "title": "Event in structured mode",
        "description": (
            "CloudEvents' JSON format. A record is in structured mode when its media type is "
            "`application/cloudevents+json`, or when it has no header that begins with `ce_`. The data is "
            "the event, as its own schema says. Other attributes are ignored. Texts have at most "
            f"{MAX_HEADER:,} bytes."
        ),
        "type": "object",
        "properties": {
            "specversion": {"const": SPECVERSION, "description": "The version of CloudEvents."},
            "id": _text("Its publisher's name for it.", "our-own-id-1", needed=True),
            "type": _text("The type of the event.", "session_detail.fetched.v1", needed=True),
            "source": _text("Who published it.", "https://timing.example/decoder-1", needed=True),
            "correlationid": _or_null(_text(_RUN)),
            "causationid": _or_null(_text(_CAUSE)),
            "traceparent": _or_null(_text(_TRACE)),
            "time": {"description": "When it happened; the event says it too, and only that counts."},
            "datacontenttype": {"description": "Not looked at: the data is JSON."},
            "dataschema": {"description": "The `$id` of the JSON Schema, `urn:lapstream:schema:{type}`."},
            "data": {"description": "The event."},
            "data_base64": _or_null(
                {
                    "type": "string",
                    "pattern": _BASE64,
                    "contentEncoding": "base64",
                    "contentMediaType": "application/json",
                    "description": "The event's JSON in base64, in place of `data`.",
                }
            ),
        },
        "required": ["specversion", "id", "type", "source"],
        "oneOf": [
            {
                "required": ["data"],
                "properties": {"data": {"not": absent}, "data_base64": absent},
            },
            {
                "required": ["data_base64"],
                "properties": {"data_base64": {"type": "string"}, "data": absent},
            },
        ],
    }


def _text(description: str, *examples: str, needed: bool = False) -> Json:
    found: Json = {"type": "string", "maxLength": MAX_HEADER, "description": description}
    return found | ({"minLength": 1} if needed else {}) | ({"examples": list(examples)} if examples else {})


def _noted(description: str) -> Json:
    """A header that is not looked at."""
    return {"description": description}


def _or_null(schema: Json) -> Json:
    description = schema.pop("description")
    return {"description": description, "anyOf": [schema, {"type": "null"}]}
