"""The database's schema, brought forward or back."""

import asyncio

from lapstream.cli.output import out, print_json
from runtime import migrate
from runtime.settings import read_settings


def up(*, as_json: bool) -> None:
    """Apply the migrations that are missing."""
    names = asyncio.run(migrate.apply(read_settings().postgres_dsn))
    _show("applied", names, "the schema is up to date", as_json=as_json)


def down(count: int, *, as_json: bool) -> None:
    """Roll the newest migrations back."""
    names = asyncio.run(migrate.rollback(read_settings().postgres_dsn, count))
    _show("rolled back", names, "no migration is left", as_json=as_json)


def _show(what: str, names: list[str], none: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"migrations": names})
    else:
        out.print(f"{what}: {', '.join(names)}" if names else none)
