"""`lapstream prune`: what ended long ago, and nothing needs any more, is deleted."""

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, YesFlag, moment
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import prune as work
else:
    work = later("lapstream.cli.prune")

_AGE = re.compile(r"(\d{1,5})d")


def _before(text: str) -> dt.datetime:
    """A moment, or so many days ago."""
    if age := _AGE.fullmatch(text):
        return dt.datetime.now(dt.UTC) - dt.timedelta(days=int(age[1]))
    try:
        return moment(text)
    except typer.BadParameter as error:
        raise typer.BadParameter(
            f"{text!r} is neither a time nor an age: 2025-10-25, or 90d for 90 days ago"
        ) from error


def prune(
    *,
    before: Annotated[
        dt.datetime,
        typer.Option(
            parser=_before,
            metavar="TIME|AGE",
            help="What ended before: 2025-10-25, or 90d for 90 days ago.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; delete nothing.")] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete what ended long ago and nothing needs any more: asks first.

    That is ended runs with their sessions, finished backfills, settled parked records, reports of rebuilds,
    and Idempotency-Keys. What a rebuild, a reparse, a redrive, a backfill or the next import needs is kept.
    It may be stopped at any point: the same command goes on.

    Example: lapstream prune --before 365d --dry-run
    """
    work.prune(before, dry_run=dry_run, yes=yes, as_json=as_json)
