"""The OpenAPI document: made from the routes, served by the API, and on file as `docs/openapi.json`.

The framework describes paths, parameters and bodies, msgspec the structs. What neither can know is put in
here: the second form of every error, the keys, and shorter names of generic structs.
"""

import re
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Litestar, Response
from litestar.openapi.config import OpenAPIConfig
from litestar.response import ServerSentEvent

from server.api.routes import HEALTH, VERSION_1, version_1
from server.http.accepting import JSON
from server.http.answers import Failure, Problem
from server.http.csv_answers import CSV, form_of
from server.http.refusals import PROBLEM_JSON
from server.http.responses import REFUSALS

_ANSWER_HEADERS = {
    "Location": ("Where the import is followed.", {"type": "string", "format": "uri-reference"}),
    "Link": ('Of a list as CSV that goes on: the next page, `rel="next"`.', {"type": "string"}),
    "Retry-After": ("Seconds after which it is worth asking again.", {"type": "integer"}),
}
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "An API key."},
}
_DESCRIPTION = (
    "Practice days of radio-controlled car clubs, imported from the timing site. Fields are only ever added."
)
_FIRST_ERROR = 400
_RETRIED = (429, 503)
_REF = "#/components/schemas/"
_END_OF_TEXT = (rb'\\Z"', b'$"')
"""A pattern's end in Python's syntax and, as JSON has it, in the one that every engine takes."""

Json = dict[str, Any]


@cache
def document() -> bytes:
    """The document as it is served and on file."""
    config = OpenAPIConfig(
        title="Lapstream", version="1", description=_DESCRIPTION, use_handler_docstrings=True
    )
    app = Litestar([*HEALTH, version_1()], openapi_config=config, logging_config=None)
    described = _with_short_names(app.openapi_schema.to_schema())
    for path in described["paths"].values():
        for method, operation in path.items():
            _complete(operation, is_read=method == "get")
    _describe_csv(described)
    described["components"] = {
        "schemas": _schemas(),
        "responses": _refusals(),
        "securitySchemes": _KEYS,
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=2).replace(*_END_OF_TEXT) + b"\n"


def _schemas() -> Json:
    """Every struct of answers and bodies, as msgspec describes it: with its words and bounds."""
    described = [get_type_hints(handler.fn) for handler in (*HEALTH, *VERSION_1) if handler.operation_id]
    answers = (_struct_of(hints["return"]) for hints in described)
    bodies = (hints.get("data") for hints in described)
    kinds = [kind for kind in (*answers, *bodies, Failure, Problem) if kind is not None]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF + "{name}")
    return _with_short_names({"components": {"schemas": schemas}})["components"]["schemas"]


def _struct_of(answer: Any) -> Any:  # noqa: ANN401 - an annotation
    """The struct of an answer, also where it is wrapped with headers; None for a stream."""
    if get_origin(answer) is Response:
        [answer] = get_args(answer)
    return None if answer is ServerSentEvent else answer


def _with_short_names(described: Json) -> Json:
    """The document with `SuccessRunView` for what is named after modules and brackets."""
    schemas: Json = described["components"]["schemas"]
    short = {name: re.sub(r"(\w+\.)+|\W+", "", schema.get("title", name)) for name, schema in schemas.items()}
    if len({*short.values()}) < len(short):
        raise ValueError(f"two structs of the API have one name, and would be one schema: {sorted(short)}")
    text = msgspec.json.encode(described).decode()
    for name in schemas:
        text = text.replace(f'"{_REF}{name}"', f'"{_REF}{short[name]}"')
    renamed: Json = msgspec.json.decode(text)
    schemas = renamed["components"]["schemas"]
    renamed["components"]["schemas"] = {short[name]: schemas[name] for name in sorted(schemas)}
    return renamed


def _complete(operation: Json, *, is_read: bool) -> None:
    summary, *_ = re.split(r"[:.]", operation["description"])
    operation["summary"] = summary
    if "401" in operation["responses"]:
        operation["security"] = [*([{}] if is_read else []), *({name: []} for name in _KEYS)]
    responses: Json = {
        status: response if int(status) < _FIRST_ERROR else {"$ref": f"#/components/responses/{status}"}
        for status, response in sorted(operation["responses"].items())
    }
    if "202" in responses:
        responses["202"]["headers"] = _headers("Location", "Retry-After")
    operation["responses"] = responses


def _describe_csv(described: Json) -> None:
    """Say of routes that answer with CSV, too, which columns it has."""
    operations = {
        operation["operationId"]: operation
        for path in described["paths"].values()
        for operation in path.values()
    }
    for handler in VERSION_1:
        if form := form_of(handler.fn):
            answer = operations[handler.operation_id]["responses"]["200"]
            columns = ", ".join(f"`{name}`" for name in form.kind.__struct_fields__)
            answer["content"][CSV] = {"schema": {"type": "string", "description": f"Columns: {columns}."}}
            answer["headers"] = _headers("Link") if form.page_of else {}


def _refusals() -> Json:
    """Every answer that is no success, by its status."""
    content = {
        media: {"schema": {"$ref": _REF + form.__name__}}
        for media, form in ((JSON, Failure), (PROBLEM_JSON, Problem))
    }
    return {
        str(status): {
            "description": description,
            "headers": _headers("Retry-After") if status in _RETRIED else {},
            "content": content,
        }
        for status, description in REFUSALS.items()
    }


def _headers(*names: str) -> Json:
    return {
        name: {"description": _ANSWER_HEADERS[name][0], "schema": _ANSWER_HEADERS[name][1]} for name in names
    }
