"""The form of every answer: the data under `success`, a page of a list, or an error with its code and facts.

Structs only; what they are filled from is elsewhere. Fields are only ever added (`docs/api-versioning.md`).
"""

from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from msgspec import Meta, Struct

DataT = TypeVar("DataT")
ItemT = TypeVar("ItemT")

Source = Literal["request", "site", "service"]
"""Whose the fault is: the request's, the timing site's, or Lapstream's own."""


class Success(Struct, Generic[DataT], frozen=True, kw_only=True):
    """An answer with what was asked for."""

    success: Literal[True]
    data: DataT


class Page(Struct, Generic[ItemT], frozen=True, kw_only=True):
    """A part of a list; `next_cursor`, given as `cursor`, asks for the next one; null where there is none."""

    items: list[ItemT]
    next_cursor: str | None


class FieldFault(Struct, frozen=True, kw_only=True):
    """What is wrong with a field of the request; `field` is null where it is the whole body."""

    field: str | None
    message: str
    source: Literal["body", "query", "path", "header"]


class Details(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of an error; those that don't apply are left out."""

    fields: list[FieldFault] | None = None
    url: Annotated[str, Meta(description="The site's address that gave no such page.")] | None = None
    found: Annotated[str, Meta(description="What was found there.")] | None = None
    run_id: UUID | None = None
    retry_after_seconds: int | None = None


class Error(Struct, frozen=True, kw_only=True):
    """What went wrong: `code` is for programs, `message` for people."""

    code: str
    message: str
    details: Details
    source: Source


class Failure(Struct, frozen=True, kw_only=True):
    """An answer without what was asked for."""

    success: Literal[False]
    error: Error


class Problem(Struct, frozen=True, kw_only=True):
    """The same as `Failure`, as RFC 9457 has it, for whoever accepts `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    details: Details
    source: Source


def success(data: DataT) -> Success[DataT]:
    """The answer that carries this."""
    return Success(success=True, data=data)
