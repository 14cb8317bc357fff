"""An export of sessions and laps into files, on the terminal."""

import asyncio
from pathlib import Path

from laps.exporting import Exported, tracks_of
from laps.exporting import export as export_tracks
from lapstream.cli.output import out, print_json, progress_bar, words
from producer.site import SOURCE
from runtime.database import database
from runtime.settings import Settings, read_settings
from schemas.errors import LapstreamError
from schemas.identity import track_id
from store.pool import Pool
from store.reading import TrackView, read_track


class NothingToExport(LapstreamError):
    """Nothing is stored of what is to be exported."""


class WhatToExport(LapstreamError):
    """Neither a track nor all of them were named, or both."""

    exit_code = 2


def export(track: str | None, folder: Path, source: str | None, *, everything: bool, as_json: bool) -> None:
    """Export a track of a source, or all; raises `WhatToExport` and `NothingToExport`."""
    if (track is None) != everything:
        raise WhatToExport("what is to be exported? Name a track, or give --all")
    done = asyncio.run(_export(read_settings(), track, source, folder))
    if as_json:
        print_json(done)
        return
    out.print(
        f"{done.tracks} tracks, {done.days} days, {done.sessions} sessions, {done.laps} laps: "
        f"{done.files} files in {folder}",
        soft_wrap=True,
    )


async def _export(settings: Settings, track: str | None, source: str | None, folder: Path) -> Exported:
    async with database(settings, size=1) as pool:
        tracks = await _tracks(pool, track, source)
        with progress_bar(words("{task.description}")) as bar:
            task = bar.add_task("exporting…")

            def show(done: Exported) -> None:
                far = f"{done.tracks} of {len(tracks)} tracks, {done.days} days, {done.laps} laps"
                bar.update(task, description=far)

            return await export_tracks(pool, tracks, folder, show)


async def _tracks(pool: Pool, slug: str | None, source: str | None) -> list[TrackView]:
    async with pool.acquire() as connection:
        if slug is None:
            found = [track async for track in tracks_of(connection, source)]
        else:
            track = await read_track(connection, track_id(source or SOURCE, slug))
            found = [track] if track else []
    if not found:
        raise NothingToExport("nothing is stored of it: `lapstream days` lists what is there")
    return found
