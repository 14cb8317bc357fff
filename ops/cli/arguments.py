"""The arguments that several commands share, checked where they are read."""

import asyncio
import datetime as dt
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from aiokafka.errors import KafkaError

from ops.wiring import ServerAway
from producer.site import BadAddress, checked_slug
from schemas.errors import LapstreamError

ResultT = TypeVar("ResultT")


def slug(text: str) -> str:
    """The track's slug, for an option that takes one."""
    try:
        return checked_slug(text)
    except BadAddress as error:
        raise typer.BadParameter(str(error)) from error


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date: YYYY-MM-DD is expected, as in 2025-10-25") from error


Track = Annotated[
    str,
    typer.Argument(parser=slug, metavar="TRACK", help="The track's slug: the first part of its address."),
]
Date = Annotated[dt.date, typer.Argument(parser=_date, metavar="DATE", help="The day, as YYYY-MM-DD.")]


class TablesMissing(LapstreamError):
    """The database has not the tables that this version needs."""


def run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a command's work; a broker that does not answer and tables that are not there are errors."""
    try:
        return asyncio.run(work)
    except asyncpg.UndefinedTableError as error:
        raise TablesMissing(
            f"{error}: bring the database's schema forward with `lapstream migrate up`"
        ) from error
    except KafkaError as error:
        raise ServerAway(
            f"the broker does not answer ({error}): is LAPSTREAM_KAFKA_BOOTSTRAP right?"
        ) from error
