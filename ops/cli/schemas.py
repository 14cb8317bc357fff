"""`lapstream schemas`: the documents that are made from the code: the contract's, OpenAPI, the settings."""

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.config import settings_page
from ops.cli.output import JsonFlag, out, print_json
from schemas.conformance import stated
from schemas.contract import documents, released
from schemas.errors import LapstreamError

FOLDER = Path("docs")
VECTORS = Path("schemas/conformance/vectors.jsonl")


ADVICE = (
    "that breaks who reads or publishes these events: make what changed a new version of its type, with an "
    "upcaster from the old one; released files stay as they are"
)


class SchemasDiffer(LapstreamError):
    """A document on file is not what the code says."""


class ContractBroken(LapstreamError):
    """What is released is not kept: who reads or publishes events would be misled."""


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
    released; a change that breaks somebody is an error.

    Example: lapstream schemas --check
    """
    current = documents.schemas()
    if release and not check:
        released.release(current)
    if broken := list(released.problems(current)):
        raise ContractBroken("\n".join([*broken, ADVICE]))
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
    additions = list(released.additions(current))
    if as_json:
        files = {"files": [str(path) for path in wanted], "written": [str(path) for path in stale]}
        print_json({**files, "additions": additions})
    else:
        out.print(f"{len(wanted)} files, {len(stale)} written")
        for addition in additions:
            out.print(f"since the release: {addition}")


def _wanted(folder: Path) -> dict[Path, str]:
    """What is to stand in each file."""
    from ops.api.document import document  # noqa: PLC0415 - half a second of imports that only this needs

    others = {"openapi.json": document().decode(), "settings.md": settings_page()}
    found = {folder / name: content for name, content in (documents.files() | others).items()}
    return found | {VECTORS: stated.file()}
