"""`lapstream schemas`: the documents that are made from the code: JSON Schemas, OpenAPI, the settings."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ops.cli.config import settings_page
from ops.cli.output import JsonFlag, out, print_json
from schemas.errors import LapstreamError
from schemas.events import EVENT_TYPES

FOLDER = Path("docs/schemas")


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

    They are the JSON Schema (2020-12) of every event type, the API's OpenAPI document, and the settings.

    Example: lapstream schemas --check
    """
    from ops.api.document import document  # noqa: PLC0415 - half a second of imports that only this needs

    wanted = {folder / f"{name}.json": text(schema) for name, schema in event_schemas().items()}
    wanted[folder.parent / "openapi.json"] = document().decode()
    wanted[folder.parent / "settings.md"] = settings_page()
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
        out.print(f"{len(wanted)} documents in {folder.parent}, {len(stale)} written")


def event_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each event by the name of its type."""
    found: dict[str, dict[str, Any]] = {}
    for name, kind in EVENT_TYPES.items():
        schema = msgspec.json.schema(kind)
        found[name] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:lapstream:schema:{name}",
            **schema,
        }
    return found


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
