"""`lapstream log`: the event log copied to files, brought back into an empty cluster, and checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, YesFlag
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import log as work
else:
    work = later("lapstream.cli.log")

app = typer.Typer(
    help="Copy the event log to files, bring it back into an empty cluster, or check a copy.",
    no_args_is_help=True,
)

FolderName = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the copy.")]


@app.command("export")
def export(folder: FolderName, *, as_json: JsonFlag = False) -> None:
    """Copy the topics of the event log into a folder of compressed files, as far as they go now.

    The same command again adds what is new since then; an export that was ended goes on where it was. Work
    queues are no part of it, and are left out.

    Example: lapstream log export /backup/record
    """
    work.export(folder, as_json=as_json)


@app.command("import")
def import_(
    folder: FolderName,
    *,
    translate: Annotated[
        bool,
        typer.Option(
            "--translate-offsets/--no-translate-offsets",
            help="Whether the places in the database (positions, pages, parked records) follow.",
        ),
    ] = True,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring a copy into an empty cluster: asks first. Stop all roles before.

    Order, keys, headers, values and times stay; topics that are missing are created. Offsets may differ, so
    that offsets in the database are translated; leave that out where the database stays with its old
    cluster. An import that was ended goes on where it was.

    Example: lapstream log import /backup/record --yes
    """
    work.import_(folder, translate=translate, yes=yes, as_json=as_json)


@app.command("check")
def check(
    folder: FolderName,
    *,
    topics: Annotated[
        bool, typer.Option("--topics", help="Compare it with the broker's topics, too.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Hold a copy's files against its manifest, and the topics against the copy; changes nothing.

    Without --topics neither broker nor settings are needed. Exits with 1 where something differs.

    Example: lapstream log check /backup/record --topics
    """
    work.check(folder, topics=topics, as_json=as_json)
