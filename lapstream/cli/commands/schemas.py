"""`lapstream schemas`: the documents that are made from the code."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import schemas as work
else:
    work = later("lapstream.cli.schemas")

FOLDER = Path("docs")


def schemas(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where a file differs.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Keep the present schemas as released: they never change.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the files are.")] = FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Write the documents that are made from the code to their files.

    They are the JSON Schema (2020-12) of every event type and of the envelope, the AsyncAPI document and the
    page of it, the vectors, the API's OpenAPI document, and the settings. Schemas may only add to what is
    released; a change that breaks a reader or publisher is an error.

    Example: lapstream schemas --check
    """
    work.schemas(folder, check=check, release=release, as_json=as_json)
