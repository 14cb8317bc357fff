"""`lapstream keys`: the API keys, made, listed and revoked."""

import datetime as dt
from typing import Annotated

import typer
from rich.table import Table

from ops.cli.arguments import run
from ops.cli.output import JsonFlag, clean, note, out, print_json
from ops.settings import Settings, read_settings
from ops.wiring import connected
from store import api_keys
from store.api_keys import ApiKey, Scope

app = typer.Typer(
    help="Make the keys that the API asks for, list them, and end them.",
    no_args_is_help=True,
)

LONGEST_NAME = 100


def _name(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable() or text != text.strip():
        raise typer.BadParameter(
            f"1 to {LONGEST_NAME} printable characters are expected, without spaces around"
        )
    return text


Name = Annotated[
    str, typer.Argument(parser=_name, metavar="NAME", help="What the key is called: who uses it.")
]


@app.command()
def create(
    name: Name,
    *,
    scope: Annotated[
        list[Scope],
        typer.Option(
            "--scope",
            help="What it allows; may be given more than once. `ingest` includes `read`, `operate` both.",
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Make a key and show its token: this once, for only a digest of it is kept.

    Example: lapstream keys create front-end --scope ingest
    """
    key, token = run(_create(read_settings(), name, scope))
    if as_json:
        print_json({**_told(key), "token": token})
        return
    out.print(token, soft_wrap=True)
    note(f"the key {key.name} allows {', '.join(key.scopes)}; its token can't be shown again")


async def _create(settings: Settings, name: str, scopes: list[Scope]) -> tuple[ApiKey, str]:
    async with connected(settings) as connection:
        return await api_keys.create(connection, name, scopes)


@app.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """List all keys, those that were revoked too.

    Example: lapstream keys list --json
    """
    keys = run(_list(read_settings()))
    if as_json:
        print_json([_told(key) for key in keys])
        return
    table = Table("Name", "Scopes", "Created", "Revoked")
    for key in keys:
        table.add_row(clean(key.name), ", ".join(key.scopes), _utc(key.created_at), _utc(key.revoked_at))
    out.print(table)


async def _list(settings: Settings) -> list[ApiKey]:
    async with connected(settings) as connection:
        return await api_keys.list_all(connection)


@app.command()
def revoke(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """End a key, at once and for good: asks first. Its name may be given again.

    Example: lapstream keys revoke front-end --yes
    """
    if not yes:
        typer.confirm(f"End the key {name}? Whoever uses it is refused from then on", abort=True, err=True)
    key = run(_revoke(read_settings(), name))
    if as_json:
        print_json(_told(key))
    else:
        out.print(clean(f"the key {key.name} is revoked"))


async def _revoke(settings: Settings, name: str) -> ApiKey:
    async with connected(settings) as connection:
        return await api_keys.revoke(connection, name)


def _told(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def _utc(moment: dt.datetime | None) -> str:
    return "-" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
