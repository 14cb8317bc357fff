"""`lapstream schemas`: the documents that are made from the code: the contract's, OpenAPI, the settings."""

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.config import settings_page
from ops.cli.output import JsonFlag, out, print_json
from schemas.contract import documents
from schemas.errors import LapstreamError

FOLDER = Path("docs")


class SchemasDiffer(LapstreamError):
    """A document on file is not what the code says."""


def schemas(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where a file differs.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the files are.")] = FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Write the documents that are made from the code to their files.

    They are the JSON Schema (2020-12) of every event type and of the envelope, the AsyncAPI document and the
    page of it, the API's OpenAPI document, and the settings.

    Example: lapstream schemas --check
    """
    wanted = _wanted(folder)
    stale = [path for path, content in wanted.items() if not path.exists() or path.read_text() != content]
    if stale and check:
        names = ", ".join(str(path) for path in stale)
        raise SchemasDiffer(
            f"{names}: not what the code says; run `lapstream schemas` and read the difference"
        )
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    if as_json:
        print_json({"files": [str(path) for path in wanted], "written": [str(path) for path in stale]})
    else:
        out.print(f"{len(wanted)} documents in {folder}, {len(stale)} written")


def _wanted(folder: Path) -> dict[Path, str]:
    """What is to stand in each file."""
    from ops.api.document import document  # noqa: PLC0415 - half a second of imports that only this needs

    others = {"openapi.json": document().decode(), "settings.md": settings_page()}
    return {folder / name: content for name, content in (documents.files() | others).items()}
