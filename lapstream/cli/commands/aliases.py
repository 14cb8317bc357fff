"""`lapstream aliases`: which drivers are one person, said by people."""

from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import CsvFlag, JsonFlag, SourceOption
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import aliases as work
else:
    work = later("lapstream.cli.aliases")

app = typer.Typer(
    help="Say which drivers are one person: transponders and names that are seen together.",
    no_args_is_help=True,
)

NameOption = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="A name of this person, for transponders that have driven under several; may be repeated.",
    ),
]


@app.command("set")
def set_(
    who: Annotated[
        list[str],
        typer.Argument(metavar="WHO", help="Two or more: a name or a part of it, a transponder, an id."),
    ],
    *,
    name: NameOption = None,
    source: SourceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say that drivers are one person, with all who were said to be one with any of them.

    A transponder that has driven under several names may have been lent: only its sessions under a --name are
    the person's. One of which nothing is stored yet needs --source.

    Example: lapstream aliases set 4134980 9783013 --name "Abel Thornwick"
    """
    work.set_aliases(who, name or [], source, as_json=as_json)


@app.command()
def unset(
    who: Annotated[str, typer.Argument(metavar="WHO", help="A driver, as for `lapstream aliases set`.")],
    *,
    name: NameOption = None,
    source: SourceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say that a driver is no longer one with a person; the others stay one.

    Example: lapstream aliases unset 9783013
    """
    work.unset_alias(who, name or [], source, as_json=as_json)


@app.command("list")
def list_(*, as_json: JsonFlag = False, as_csv: CsvFlag = False) -> None:
    """List the people of whom aliases are set, one line an alias.

    Example: lapstream aliases list --json
    """
    work.list_all(as_json=as_json, as_csv=as_csv)
