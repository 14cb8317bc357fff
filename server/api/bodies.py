"""The bodies of requests: read strictly, and what is wrong is said by the field's name.

A handler takes `data: JSONBody[Kind]` and has `dto=StrictJson[Kind]`. Without it the framework would take
`"5"` for a number, and of two fields of one name the second.
"""

import re
from http import HTTPStatus
from typing import TypeVar

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.dto import AbstractDTO, DTOConfig
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from schemas.expected import in_words
from schemas.names import named_twice
from server.http.answers import FieldFault
from server.http.refusals import Refusal

ValueT = TypeVar("ValueT")

_AT_FIELD = re.compile(r"^(?P<what>.*) - at `\$\.(?P<field>[a-z_]+)")
_NAMED_FIELD = re.compile(r"^Object (?P<what>missing required|contains unknown) field `(?P<field>[^`]*)`")

_OF_FIELDS = {"missing required": "is missing", "contains unknown": "is no field of this body"}


class StrictJson(AbstractDTO[ValueT]):
    """A body of JSON, as a struct."""

    config = DTOConfig()

    def decode_bytes(self, value: bytes) -> ValueT:
        """The body as the struct; raises a `Refusal`."""
        return _decode(value, self.model_type)

    @classmethod
    def create_for_field_definition(cls, *_: object, **__: object) -> None:
        """Nothing is prepared."""

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003 - the base's name
        schema_creator: SchemaCreator,
    ) -> Reference | Schema:
        """The struct's own schema."""
        return schema_creator.for_field_definition(field_definition)


def _decode(body: bytes, kind: type[ValueT]) -> ValueT:
    """The request's body, read strictly; raises a `Refusal` that names the field at fault."""
    try:
        decoded = msgspec.json.decode(body, type=kind, strict=True)
    except msgspec.ValidationError as error:
        raise _bad_body(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_body("is no JSON") from error
    if twice := named_twice(body):
        raise _bad_field(twice, "stands twice")
    return decoded


def _bad_body(message: str) -> Refusal:
    found = _AT_FIELD.match(message) or _NAMED_FIELD.match(message)
    what = found["what"] if found else message
    return _bad_field(found["field"][:64] if found else None, _OF_FIELDS.get(what) or in_words(what))


def _bad_field(field: str | None, what: str) -> Refusal:
    return Refusal.of_field(
        HTTPStatus.BAD_REQUEST,
        "invalid_request",
        FieldFault(field=field, message=what[:500], source="body"),
    )


def unacceptable(field: str, message: str) -> Refusal:
    """A field of the body that can be read, and asks for what can't be."""
    fault = FieldFault(field=field, message=message, source="body")
    return Refusal.of_field(HTTPStatus.UNPROCESSABLE_ENTITY, "unacceptable_request", fault)
