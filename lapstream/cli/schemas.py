"""The documents that are made from the code: the contract's, OpenAPI, the settings, the metrics."""

from pathlib import Path

from lapstream.cli.config import settings_page
from lapstream.cli.output import out, print_json
from lapstream.metrics_page import metrics_page
from schemas.conformance import stated, vectors
from schemas.contract import documents, released
from schemas.errors import LapstreamError
from server.api.document import document

ADVICE = (
    "that breaks who reads or publishes these events: make what changed a new version of its type, with an "
    "upcaster from the old one; released files stay as they are"
)


class SchemasDiffer(LapstreamError):
    """A document on file is not what the code says."""


class ContractBroken(LapstreamError):
    """What is released is not kept: who reads or publishes events would be misled."""


def schemas(folder: Path, *, check: bool, release: bool, as_json: bool) -> None:
    """Write the documents that are made from the code to their files, or hold the files against them."""
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
    others = {
        "openapi.json": document().decode(),
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
    }
    found = {folder / name: content for name, content in (documents.files() | others).items()}
    return found | {vectors.FILE: stated.file()}
