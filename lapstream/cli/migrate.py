"""The database's schema, brought forward or back."""

import asyncio

from lapstream.cli.output import out, print_json
from runtime import migrate
from runtime.settings import read_settings


def up(*, as_json: bool) -> None:
    """Apply the migrations that are missing."""
    _show("applied", asyncio.run(migrate.apply(read_settings().postgres_dsn)), as_json=as_json)


def down(count: int, *, as_json: bool) -> None:
    """Roll the newest migrations back."""
    _show("rolled back", asyncio.run(migrate.rollback(read_settings().postgres_dsn, count)), as_json=as_json)


def _show(what: str, names: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"migrations": names})
    else:
        out.print(f"{what}: {', '.join(names) or 'nothing to do'}")
