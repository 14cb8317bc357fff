"""All commands in one tree."""

import copy
import importlib.metadata
import inspect
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from typer.models import CommandInfo

from lapstream.cli.commands import (
    aliases,
    backfill,
    backfills,
    dev,
    events,
    imports,
    keys,
    laps,
    log,
    operate,
    parked,
    parse,
    prune,
    rebuild,
    release,
    runs,
    schemas,
    tracks,
    why,
)

app = typer.Typer(
    name="lapstream",
    help="Import practice days from the timing site into PostgreSQL, through Kafka.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"lapstream {importlib.metadata.version('lapstream')}")
        raise typer.Exit


@app.callback()
def lapstream(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and exit."),
    ] = False,
) -> None:
    """Import practice days from the timing site into PostgreSQL, through Kafka."""


app.command("ingest")(imports.ingest)
app.command("backfill")(backfill.backfill)
app.command("discover")(backfill.discover)
app.command("follow")(tracks.follow)
app.command("day")(imports.day)
app.command("days")(laps.days)
app.command("laps")(laps.laps)
app.command("drivers")(laps.drivers)
app.command("records")(laps.records)
app.command("compare")(laps.compare)
app.command("export")(laps.export)
app.command("config")(operate.config)
app.command("demo")(dev.demo)
app.command("sample-site")(dev.sample_site)
app.command("schemas")(schemas.schemas)
app.command("status")(operate.status)
app.command("lag")(operate.lag)
app.command("verify")(rebuild.verify)
app.command("verify-release")(release.verify_release)
app.command("reparse")(rebuild.reparse)
app.command("why")(why.why)
app.command("run")(operate.run)
app.command("prune")(prune.prune)
app.command("digest")(operate.digest)
app.add_typer(backfills.app, name="backfills")
app.add_typer(rebuild.app, name="rebuild")
app.add_typer(events.app, name="events")
app.add_typer(parse.app, name="parse")
app.add_typer(dev.app, name="dev")
app.add_typer(parked.app, name="parked")
app.add_typer(runs.app, name="runs")
app.add_typer(keys.app, name="keys")
app.add_typer(aliases.app, name="aliases")
app.add_typer(log.app, name="log")
app.add_typer(operate.topics_app, name="topics")
app.add_typer(operate.migrate_app, name="migrate")
app.add_typer(operate.site_app, name="site")
app.add_typer(tracks.app, name="tracks")


def tree_for(words: Sequence[str]) -> typer.Typer:
    """The commands that these words can mean: Typer looks into each of a tree before it runs one.

    All of them where the first word is the name of none, as for `--help`.
    """
    part = copy.copy(app)
    part.registered_commands = [one for one in app.registered_commands if words[:1] == [one.name]]
    part.registered_groups = [one for one in app.registered_groups if words[:1] == [one.name]]
    return part if part.registered_commands or part.registered_groups else app


def _commands(tree: typer.Typer) -> Iterator[CommandInfo]:
    yield from tree.registered_commands
    for group in tree.registered_groups:
        if group.typer_instance:
            yield from _commands(group.typer_instance)


for _one in _commands(app):
    # a paragraph's lines end where the terminal's do, not where those of the docstring end
    _text = inspect.getdoc(_one.callback) or ""
    _one.help = "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in _text.split("\n\n"))
