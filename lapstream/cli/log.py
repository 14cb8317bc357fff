"""The event log copied to files, brought back into an empty cluster, and checked."""

import asyncio
from pathlib import Path

import typer

from lapstream.cli.log_show import (
    CheckView,
    ExportView,
    ImportView,
    copy_view,
    note_what_is_missing,
    print_checked,
    print_exported,
    print_imported,
    showing,
)
from lapstream.cli.output import print_json
from ops.log_copies.checking import Checked, check_folder, check_topics
from ops.log_copies.cluster import cluster
from ops.log_copies.exporting import Show, export_log
from ops.log_copies.folder import Folder
from ops.log_copies.importing import import_log
from ops.log_copies.manifest import Manifest
from ops.log_copies.translating import check_places, translate_offsets
from runtime.database import connected
from runtime.settings import Settings, read_settings


def export(folder: Path, *, as_json: bool) -> None:
    """Copy the topics of the event log into a folder, as far as they go now."""
    settings = read_settings()
    with showing("exporting") as show:
        found = asyncio.run(export_log(settings.broker, settings.topics, folder, show))
    view = ExportView(
        copy=copy_view(folder, found.manifest), new_records=found.new_records, new_files=found.new_files
    )
    print_json(view) if as_json else print_exported(view)


def import_(folder: Path, *, translate: bool, yes: bool, as_json: bool) -> None:
    """Bring a copy into an empty cluster, where that is confirmed."""
    settings = read_settings()
    manifest = Folder(folder).manifest()
    note_what_is_missing(copy_view(folder, manifest))
    if not yes:
        typer.confirm(_question(settings, manifest, translate=translate), abort=True, err=True)
    with showing("importing") as show:
        view = asyncio.run(_import(settings, folder, manifest, show, translate=translate))
    print_json(view) if as_json else print_imported(view, translate=translate)


def _question(settings: Settings, manifest: Manifest, *, translate: bool) -> str:
    database = ", and translate the offsets in the database to those there" if translate else ""
    return (
        f"Write {manifest.records} records into the topics {settings.topic_prefix}* of "
        f"{settings.kafka_bootstrap}{database}?"
    )


async def _import(
    settings: Settings, folder: Path, manifest: Manifest, show: Show, *, translate: bool
) -> ImportView:
    if translate:
        async with connected(settings) as connection:
            await check_places(connection, settings.topics, manifest)
    imported = await import_log(settings, folder, show)
    carried = None
    if translate:
        async with connected(settings) as connection:
            carried = await translate_offsets(connection, settings.topics, manifest, imported.cluster_id)
    return ImportView(
        cluster_id=imported.cluster_id, records=imported.records, sent=imported.sent, carried=carried
    )


def check(folder: Path, *, topics: bool, as_json: bool) -> None:
    """Hold a copy against its manifest, and the topics against the copy; exits with 1 where they differ."""
    settings = read_settings() if topics else None
    with showing("checking files") as show:
        found = asyncio.run(check_folder(folder, show))
    compared = None
    if settings:
        with showing("comparing topics") as show:
            compared = asyncio.run(_compared(settings, found.manifest, show))
    view = _check_view(folder, found, compared)
    print_json(view) if as_json else print_checked(view)
    if view.problems:
        raise typer.Exit(1)


async def _compared(settings: Settings, manifest: Manifest, show: Show) -> Checked:
    async with cluster(settings.broker) as found:
        return await check_topics(found, settings.topic_prefix, manifest, show)


def _check_view(folder: Path, found: Checked, compared: Checked | None) -> CheckView:
    return CheckView(
        copy=copy_view(folder, found.manifest),
        problems=found.problems + (compared.problems if compared else []),
        newer_offsets=compared.newer_offsets if compared else None,
    )
