"""The parameters that several routes share, and the cursors of pages.

All of it comes from anybody: each has its bound, and what is wrong is said by the field's name.
"""

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

import msgspec
from litestar.params import PathParameter, QueryParameter

from schemas import fields
from server.http.answers import FieldFault, Page
from server.http.refusals import Refusal

LONGEST_CURSOR = 3_000
"""The place of a driver has a name of up to 300 characters, each of which may be written in six bytes."""

SLUG = rf"^{fields.SLUG}\Z"
_SOURCE = rf"^{fields.SOURCE_NAME}\Z"

TrackSlug = Annotated[
    str, PathParameter(pattern=SLUG, description="The track's name at its source, as `canberraoffroad`.")
]
Date = Annotated[dt.date, PathParameter(description="The day.")]
Source = Annotated[str, QueryParameter(pattern=_SOURCE, description="The timing service that saw it.")]
AnySource = Annotated[
    str | None, QueryParameter(pattern=_SOURCE, description="Only what this timing service saw.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=100, description="The most entries of a page.")]
Cursor = Annotated[
    str | None,
    QueryParameter(
        max_length=LONGEST_CURSOR, description="`next_cursor` of the page before; without it, the first page."
    ),
]

PAGE = 50
"""Entries of a page, unless another number is asked for."""

ValueT = TypeVar("ValueT")
ItemT = TypeVar("ItemT")


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
        found = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
        check_moments(found)
    except (msgspec.MsgspecError, UnicodeError, binascii.Error, ValueError, OverflowError) as error:
        fault = FieldFault(field="cursor", message="is no cursor of this list", source="query")
        raise Refusal.of_field(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_cursor", fault) from error
    return found


def check_moments(values: object) -> None:
    """Raise OverflowError for a moment that UTC's years from 1 to 9999 lack: the database can't be asked."""
    for value in cast("Iterable[object]", values):
        if isinstance(value, dt.datetime) and value.tzinfo:
            value.astimezone(dt.UTC)
