"""What whoever runs Lapstream types: roles, topics, the schema, digests, the switch of the site."""

import asyncio
import signal
import threading
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from ops import migrate as migrations
from ops import topics as broker_topics
from ops.cli.arguments import run
from ops.cli.output import JsonFlag, clean, out, print_json
from ops.logs import configure_logs
from ops.settings import read_settings
from ops.stopping import last_resort
from ops.topics import TopicState
from ops.wiring import connected
from store import sites
from store.digest import OBSERVATION_TABLES, READ_TABLES, RECORD_TABLES, TableDigest, digest
from store.sites import SiteState

topics_app = typer.Typer(help="Create the topics, and hold them against how they are declared.")
migrate_app = typer.Typer(help="Bring the database's schema forward, or back.")
site_app = typer.Typer(help="Stop all fetching from the site, let it go on, or see what holds it back.")


class RoleName(StrEnum):
    """What can be run."""

    api = "api"
    fetcher = "fetcher"
    projector = "projector"
    relay = "relay"
    all = "all"


def run_role(
    role: Annotated[RoleName, typer.Argument(help="Which role to run; `all` runs each once.")],
) -> None:
    """Run a role until Ctrl-C or SIGTERM; it finishes the work at hand first.

    Example: lapstream run all
    """
    configure_logs()
    names = (
        [name.value for name in RoleName if name is not RoleName.all]
        if role is RoleName.all
        else [role.value]
    )
    resort = last_resort()
    try:
        run(_until_stopped(names, resort))
    finally:
        resort.cancel()


async def _until_stopped(names: list[str], resort: threading.Timer) -> None:
    from ops.roles import run_roles  # noqa: PLC0415 - half a second of imports that only roles need
    from ops.telemetry import observed  # noqa: PLC0415

    stop = asyncio.Event()

    def told() -> None:
        if not stop.is_set():
            resort.start()
            stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    settings = read_settings()
    with observed(settings, names):
        await run_roles(settings, names, stop)


@topics_app.command("create")
def topics_create(*, as_json: JsonFlag = False) -> None:
    """Create the topics that are missing; exits with 1 where one has to be mended.

    Example: lapstream topics create
    """
    settings = read_settings()
    _show_topics(
        run(
            broker_topics.create_topics(
                settings.kafka_bootstrap, settings.topics, replication_factor=settings.replication_factor
            )
        ),
        as_json=as_json,
    )


@topics_app.command("check")
def topics_check(*, as_json: JsonFlag = False) -> None:
    """Hold the topics against their declaration, and change nothing; exits with 1 where one has to be mended.

    Example: lapstream topics check --json
    """
    settings = read_settings()
    _show_topics(run(broker_topics.check_topics(settings.kafka_bootstrap, settings.topics)), as_json=as_json)


def _show_topics(states: list[TopicState], *, as_json: bool) -> None:
    if as_json:
        print_json(states)
    else:
        table = Table("Topic", "Partitions", "As declared")
        for state in states:
            table.add_row(
                state.name, str(state.partitions), "; ".join([*state.differences, *state.notes]) or "yes"
            )
        out.print(table)
    if any(state.differences for state in states):
        raise typer.Exit(1)


@migrate_app.command("up")
def migrate_up(*, as_json: JsonFlag = False) -> None:
    """Apply the migrations that are missing.

    Example: lapstream migrate up
    """
    _show_migrations("applied", run(migrations.apply(read_settings().postgres_dsn)), as_json=as_json)


@migrate_app.command("down")
def migrate_down(
    *,
    count: Annotated[int, typer.Option(min=1, help="How many migrations to take back.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take the newest migrations back, with the tables that they made: asks first.

    Example: lapstream migrate down --count 1
    """
    if not yes:
        typer.confirm(
            f"Take up to {count} migration(s) back? Their tables and all that is in them go",
            abort=True,
            err=True,
        )
    _show_migrations(
        "taken back", run(migrations.rollback(read_settings().postgres_dsn, count)), as_json=as_json
    )


def _show_migrations(what: str, names: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"migrations": names})
    else:
        out.print(f"{what}: {', '.join(names) or 'nothing to do'}")


def show_digest(*, as_json: JsonFlag = False) -> None:
    """Tell what the tables hold, as one checksum for each table over all columns of all rows.

    The same events in any order, any number of times, give the same digests. `observations` (when a page was
    seen, and by which event) stand apart.

    Example: lapstream digest --json
    """
    digests = run(_digests(READ_TABLES + OBSERVATION_TABLES + RECORD_TABLES))
    if as_json:
        print_json({one.table: {"rows": one.rows, "digest": one.digest} for one in digests})
        return
    table = Table("Table", "Rows", "Digest")
    for one in digests:
        table.add_row(one.table, str(one.rows), one.digest)
    out.print(table)


async def _digests(tables: tuple[str, ...]) -> list[TableDigest]:
    async with connected(read_settings()) as connection:
        return await digest(connection, tables)


@site_app.command("pause")
def site_pause(*, as_json: JsonFlag = False) -> None:
    """Stop all fetching from the site, in every process, within a second or two.

    Example: lapstream site pause
    """
    _show_site(run(_turn_switch(paused=True)), as_json=as_json)


@site_app.command("resume")
def site_resume(*, as_json: JsonFlag = False) -> None:
    """Let fetching go on; ends a rest, too.

    Example: lapstream site resume
    """
    _show_site(run(_turn_switch(paused=False)), as_json=as_json)


@site_app.command("status")
def site_status(*, as_json: JsonFlag = False) -> None:
    """Tell whether the site is paused, or rests, and for how long.

    Example: lapstream site status
    """
    _show_site(run(_turn_switch(paused=None)), as_json=as_json)


async def _turn_switch(*, paused: bool | None) -> SiteState:
    settings = read_settings()
    async with connected(settings) as connection:
        if paused is not None:
            await sites.pause(connection, settings.site, paused=paused)
        return await sites.state(connection, settings.site)


def _show_site(state: SiteState, *, as_json: bool) -> None:
    if as_json:
        print_json(state._asdict())
    elif state.paused:
        out.print("paused: nothing is fetched until `lapstream site resume`")
    elif state.rest_seconds:
        end = f"until {state.rest_until:%Y-%m-%d %H:%M:%S} UTC, " if state.rest_until else ""
        out.print(f"rests {end}for {state.rest_seconds:.0f} s more: {clean(state.rest_reason or '')}")
    else:
        out.print("open")
    out.print(f"{state.open_requests} requests open, {state.errors_in_row} errors in a row")


def register(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    app.command("run")(run_role)
    app.command("digest")(show_digest)
    app.add_typer(topics_app, name="topics")
    app.add_typer(migrate_app, name="migrate")
    app.add_typer(site_app, name="site")
