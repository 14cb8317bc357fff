"""`lapstream keys`: the API keys, made, listed and revoked."""

from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, YesFlag
from lapstream.cli.later import later
from schemas.scopes import Scope

if TYPE_CHECKING:
    from lapstream.cli import keys as work
else:
    work = later("lapstream.cli.keys")

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
    work.create(name, scope, as_json=as_json)


@app.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """List all keys, those that were revoked too.

    Example: lapstream keys list --json
    """
    work.list_all(as_json=as_json)


@app.command()
def revoke(name: Name, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """End a key, at once and for good: asks first. Its name may be given again.

    Example: lapstream keys revoke front-end --yes
    """
    if not yes:
        typer.confirm(f"End the key {name}? Requests with it are refused from then on", abort=True, err=True)
    work.revoke(name, as_json=as_json)
