"""The parameters that several routes share, the body of a request, and the cursors of pages.

All of it comes from anybody: each has its bound, and what is wrong is said by the field's name.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import msgspec
from litestar.params import PathParameter, QueryParameter

from lapstream.http.answers import FieldFault, Page
from lapstream.http.refusals import Refusal
from schemas import fields
from schemas.expected import in_words
from schemas.names import named_twice

SLUG = rf"^{fields.SLUG}\Z"

TrackSlug = Annotated[
    str, PathParameter(pattern=SLUG, description="The track's name at its source, as `canberraoffroad`.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=100, description="The most entries of a page.")]
Cursor = Annotated[
    str | None,
    QueryParameter(
        max_length=200, description="`next_cursor` of the page before; without it, the first page."
    ),
]

PAGE = 50
"""Entries of a page, unless another number is asked for."""

ValueT = TypeVar("ValueT")
ItemT = TypeVar("ItemT")

_AT_FIELD = re.compile(r"^(?P<what>.*) - at `\$\.(?P<field>[a-z_]+)")
_NAMED_FIELD = re.compile(r"^Object (?P<what>missing required|contains unknown) field `(?P<field>[^`]*)`")

_OF_FIELDS = {"missing required": "is missing", "contains unknown": "is no field of this body"}


def decode_body(body: bytes, kind: type[ValueT]) -> ValueT:
    """The request's body, read strictly; raises a `Refusal` that names the field at fault."""
    try:
        decoded = msgspec.json.decode(body, type=kind, strict=True)
    except msgspec.ValidationError as error:
        raise _bad_body(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_body("is no JSON" if body else "is missing: JSON is expected") from error
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


def page_of(found: Sequence[ItemT], limit: int, place: Callable[[ItemT], tuple[Any, ...]]) -> Page[ItemT]:
    """The first `limit` of what was found, one more than which was asked for; `place` tells where one is."""
    items = list(found[:limit])
    return Page(items=items, next_cursor=_cursor(place(items[-1])) if len(found) > limit else None)


def _cursor(place: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def place_at(cursor: str | None, kind: type[ValueT]) -> ValueT | None:
    """Where the page before ended; raises a `Refusal` for a cursor that is none of ours."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (msgspec.MsgspecError, UnicodeError, binascii.Error, ValueError) as error:
        fault = FieldFault(field="cursor", message="is no cursor of this list", source="query")
        raise Refusal.of_field(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_cursor", fault) from error
