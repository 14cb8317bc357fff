"""The arguments that several commands share, checked where they are read."""

import asyncio
import datetime as dt
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaError

from ops.wiring import ServerAway
from producer.site import BadAddress, checked_slug

ResultT = TypeVar("ResultT")


def _slug(text: str) -> str:
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
    typer.Argument(parser=_slug, metavar="TRACK", help="The track's slug: the first part of its address."),
]
Date = Annotated[dt.date, typer.Argument(parser=_date, metavar="DATE", help="The day, as YYYY-MM-DD.")]


def run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a command's work; a broker that does not answer is an error that says so."""
    try:
        return asyncio.run(work)
    except KafkaError as error:
        raise ServerAway(
            f"the broker does not answer ({error}): is LAPSTREAM_KAFKA_BOOTSTRAP right?"
        ) from error
