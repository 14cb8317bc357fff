"""Commands that operate an installation: roles, topics, the schema, the site's switch, lag, settings."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, YesFlag
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import acls, migrate, roles, site, topics
    from lapstream.cli import config as settings_work
    from lapstream.cli import digest as digest_work
    from lapstream.cli import lag as lag_work
    from lapstream.cli import status as status_work
else:
    acls = later("lapstream.cli.acls")
    settings_work = later("lapstream.cli.config")
    digest_work = later("lapstream.cli.digest")
    lag_work = later("lapstream.cli.lag")
    migrate = later("lapstream.cli.migrate")
    roles = later("lapstream.cli.roles")
    site = later("lapstream.cli.site")
    status_work = later("lapstream.cli.status")
    topics = later("lapstream.cli.topics")

topics_app = typer.Typer(
    help="Create the topics, hold them against how they are declared, list the rights on them.",
    no_args_is_help=True,
)
migrate_app = typer.Typer(help="Bring the database's schema forward, or back.", no_args_is_help=True)
site_app = typer.Typer(
    help="Stop all fetching from the site, let it go on, or see what holds it back.", no_args_is_help=True
)

TICK_SECONDS = 2.0
"""How often `lag --watch` looks."""


class RoleName(StrEnum):
    """What can be run."""

    api = "api"
    fetcher = "fetcher"
    projector = "projector"
    relay = "relay"
    all = "all"


def run(
    role: Annotated[
        RoleName, typer.Argument(metavar="ROLE", help="Which role to run; `all` runs each once.")
    ],
) -> None:
    """Run a role until Ctrl-C or SIGTERM; it finishes the work at hand first.

    Example: lapstream run all
    """
    every = [name.value for name in RoleName if name is not RoleName.all]
    roles.run_until_stopped(every if role is RoleName.all else [role.value])


@topics_app.command("create")
def topics_create(*, as_json: JsonFlag = False) -> None:
    """Create the topics that are missing; exits with 1 where one has to be mended.

    Example: lapstream topics create
    """
    topics.create(as_json=as_json)


@topics_app.command("check")
def topics_check(*, as_json: JsonFlag = False) -> None:
    """Hold the topics against their declaration, and change nothing; exits with 1 where one has to be mended.

    Example: lapstream topics check --json
    """
    topics.check(as_json=as_json)


@topics_app.command("acls")
def topics_acls(
    *,
    principal: Annotated[
        str, typer.Option(help="How the broker calls their users; {role} stands for the name of each.")
    ] = "User:lapstream-{role}",
    as_json: JsonFlag = False,
) -> None:
    """Print the commands that grant each role, and each producer of a topic, just the rights that it needs.

    They are Kafka's own `kafka-acls.sh`, with the address and a file `admin.properties` of somebody who may
    grant rights. Nothing is asked of the broker.

    Example: lapstream topics acls --principal 'User:{role}'
    """
    acls.show(principal, as_json=as_json)


@migrate_app.command("up")
def migrate_up(*, as_json: JsonFlag = False) -> None:
    """Apply the migrations that are missing.

    Example: lapstream migrate up
    """
    migrate.up(as_json=as_json)


@migrate_app.command("down")
def migrate_down(
    *,
    count: Annotated[int, typer.Option(min=1, help="How many migrations to roll back.")] = 1,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Roll the newest migrations back, with the tables that they made: asks first.

    Example: lapstream migrate down --count 1
    """
    if not yes:
        typer.confirm(
            f"Roll up to {count} migration(s) back? Their tables and all that is in them go",
            abort=True,
            err=True,
        )
    migrate.down(count, as_json=as_json)


def digest(*, as_json: JsonFlag = False) -> None:
    """Tell what the tables hold, as one checksum for each table over all columns of all rows.

    The same events in any order, any number of times, give the same digests. `observations` (when a page was
    seen, and by which event) stand apart.

    Example: lapstream digest --json
    """
    digest_work.show(as_json=as_json)


def lag(
    *,
    group: Annotated[str | None, typer.Option(help="Only this consumer group.")] = None,
    fail_over: Annotated[
        str | None,
        typer.Option(
            metavar="RECORDS|AGE",
            help="Exit with 3 where a group is more records behind, or an older one is left: 1000, 5min.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help=f"Look every {TICK_SECONDS:.0f} s until Ctrl-C.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell how far each consumer group is behind the end of its topic, in records and in time.

    A projection is measured by its position in PostgreSQL, a work queue by Kafka's committed offset; what
    Kafka says stands beside it. Each group has a verdict, by the looks of the last ten minutes, which a relay
    stores. With --watch and --json together, each look is one line.

    Example: lapstream lag --fail-over 5min
    """
    if watch and fail_over is not None:
        raise typer.BadParameter("not together with --watch, which ends by Ctrl-C", param_hint="--fail-over")
    if watch:
        lag_work.watch(TICK_SECONDS, group, as_json=as_json)
    else:
        lag_work.show(group, lag_work.limit(fail_over), as_json=as_json)


def status(*, as_json: JsonFlag = False) -> None:
    """Tell on one screen whether all is well: servers, topics, roles at work, lag, outbox, site, runs.

    Exits with 3 where something is not well, and names it; a server that is away is a line, not an error.

    Example: lapstream status
    """
    status_work.show(as_json=as_json)


def config(*, as_json: JsonFlag = False) -> None:
    """Show every setting with its value and what it does; secrets are left out.

    Example: lapstream config --json
    """
    settings_work.show(as_json=as_json)


@site_app.command("pause")
def site_pause(*, as_json: JsonFlag = False) -> None:
    """Stop all fetching from the site, in every process, within a second or two.

    Example: lapstream site pause
    """
    site.turn(paused=True, as_json=as_json)


@site_app.command("resume")
def site_resume(*, as_json: JsonFlag = False) -> None:
    """Let fetching go on; ends backing off, too.

    Example: lapstream site resume
    """
    site.turn(paused=False, as_json=as_json)


@site_app.command("status")
def site_status(*, as_json: JsonFlag = False) -> None:
    """Tell whether the site is paused, or backed off from, until when and why.

    Example: lapstream site status
    """
    site.show(as_json=as_json)
