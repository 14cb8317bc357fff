"""`lapstream log`: the record copied to files, brought back into an empty cluster, and checked."""

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.arguments import run
from ops.cli.log_show import (
    CheckView,
    ExportView,
    ImportView,
    copy_view,
    note_what_is_missing,
    showing,
    tell_checked,
    tell_exported,
    tell_imported,
)
from ops.cli.output import JsonFlag, print_json
from ops.logcopy.carrying import carry_over, check_places
from ops.logcopy.checking import Checked, check_folder, check_topics
from ops.logcopy.exporting import Show, export_log
from ops.logcopy.folder import Folder
from ops.logcopy.importing import import_log
from ops.logcopy.manifest import Manifest
from ops.settings import Settings, read_settings
from ops.wiring import connected

app = typer.Typer(
    help="Copy the record to files, bring it back into an empty cluster, or check a copy.",
    no_args_is_help=True,
)

FolderName = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the copy.")]


@app.command("export")
def export(folder: FolderName, *, as_json: JsonFlag = False) -> None:
    """Copy the record's topics into a folder of compressed files, as far as they go now.

    The same command again adds what is new since then; an export that was ended goes on where it was. Work
    queues are no part of the record, and are left out.

    Example: lapstream log export /backup/record
    """
    settings = read_settings()
    with showing("exporting") as show:
        found = run(export_log(settings, folder, show))
    view = ExportView(
        copy=copy_view(folder, found.manifest), new_records=found.new_records, new_files=found.new_files
    )
    print_json(view) if as_json else tell_exported(view)


@app.command("import")
def import_(
    folder: FolderName,
    *,
    carry: Annotated[
        bool,
        typer.Option(
            "--carry-over/--no-carry-over",
            help="Whether the places in the database (positions, pages, parked records) follow.",
        ),
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring a copy into an empty cluster: asks first. Stop all roles before.

    Order, keys, headers, values and times stay; topics that are missing are created. Offsets may differ, so
    that places in the database are carried over; leave that out where the database stays with its old
    cluster. An import that was ended goes on where it was.

    Example: lapstream log import /backup/record --yes
    """
    settings = read_settings()
    manifest = Folder(folder).manifest()
    note_what_is_missing(copy_view(folder, manifest))
    if not yes:
        typer.confirm(_question(settings, manifest, carry=carry), abort=True, err=True)
    with showing("importing") as show:
        view = run(_import(settings, folder, manifest, show, carry=carry))
    print_json(view) if as_json else tell_imported(view, carry=carry)


def _question(settings: Settings, manifest: Manifest, *, carry: bool) -> str:
    database = ", and carry the places in the database over to it" if carry else ""
    return (
        f"Write {manifest.records} records into the topics {settings.topic_prefix}* of "
        f"{settings.kafka_bootstrap}{database}?"
    )


async def _import(
    settings: Settings, folder: Path, manifest: Manifest, show: Show, *, carry: bool
) -> ImportView:
    if carry:
        async with connected(settings) as connection:
            await check_places(connection, settings, manifest)
    imported = await import_log(settings, folder, show)
    carried = None
    if carry:
        async with connected(settings) as connection:
            carried = await carry_over(connection, settings, manifest, imported.cluster_id)
    return ImportView(
        cluster_id=imported.cluster_id, records=imported.records, sent=imported.sent, carried=carried
    )


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
    settings = read_settings() if topics else None
    with showing("checking files") as show:
        found = run(check_folder(folder, show))
    compared = None
    if settings:
        with showing("comparing topics") as show:
            compared = run(check_topics(settings, found.manifest, show))
    view = _check_view(folder, found, compared)
    print_json(view) if as_json else tell_checked(view)
    if view.problems:
        raise typer.Exit(1)


def _check_view(folder: Path, found: Checked, compared: Checked | None) -> CheckView:
    return CheckView(
        copy=copy_view(folder, found.manifest),
        problems=found.problems + (compared.problems if compared else []),
        newer_offsets=compared.newer_offsets if compared else None,
    )
