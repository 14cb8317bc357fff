"""What is released of the contract: schemas, and examples of events, which never change.

`released/TYPE/N.schema.json` is the N-th revision of a type's schema, `N.examples.jsonl` has events as they
were written under it. A revision only adds to the one before. `SHA256SUMS` holds each file to its bytes.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from schemas import versions
from schemas.contract import documents
from schemas.contract.changes import Change, changes
from schemas.contract.examples import example_lines
from schemas.contract.json_schemas import Json
from schemas.events import EVENT_TYPES
from schemas.versions import family

FOLDER = Path(__file__).parent / "released"
_SUMS = "SHA256SUMS"


def problems(current: Mapping[str, Json], folder: Path = FOLDER) -> Iterator[str]:
    """What is wrong with the present schemas beside the released ones, and with the files of these."""
    yield from _changed_files(folder)
    for name, revisions in schemas(folder).items():
        if name not in current:
            yield f"{name}: the type is gone: its events are in the log for ever, and so are to be read"
            continue
        for change in _since(revisions, current[name]):
            if change.kind == "breaking":
                yield f"{name}: {change.at}: {change.what}"
    yield from _not_upcast(current)


def additions(current: Mapping[str, Json], folder: Path = FOLDER) -> Iterator[str]:
    """What the present schemas add to the released ones."""
    released = schemas(folder)
    for name, schema in current.items():
        if name not in released:
            yield f"{name}: not released yet"
        for change in _since(released.get(name, []), schema):
            if change.kind == "additive":
                yield f"{name}: {change.at}: {change.what}"


def release(current: Mapping[str, Json], folder: Path = FOLDER) -> list[Path]:
    """Keep what is new in the present schemas, with examples, as released; returns the files."""
    released, lines = schemas(folder), example_lines()
    written: list[Path] = []
    for name, schema in current.items():
        revisions = released.get(name, [])
        if revisions and not list(changes(revisions[-1], schema)):
            continue
        place = folder / name / str(len(revisions) + 1)
        written.append(_write(place.with_suffix(".schema.json"), documents.text(schema).encode()))
        if name in lines:
            written.append(_write(place.with_suffix(".examples.jsonl"), lines[name] + b"\n"))
    with (folder / _SUMS).open("a") as sums:
        sums.writelines(f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in written)
    return written


def schemas(folder: Path = FOLDER) -> dict[str, list[Json]]:
    """The released revisions of each schema, the oldest first."""
    found: dict[str, list[Json]] = {}
    for path in _in_order(folder, "schema.json"):
        found.setdefault(path.parent.name, []).append(msgspec.json.decode(path.read_bytes()))
    return found


def examples(folder: Path = FOLDER) -> dict[str, list[bytes]]:
    """The released examples of each type, as lines."""
    found: dict[str, list[bytes]] = {}
    for path in _in_order(folder, "examples.jsonl"):
        found.setdefault(path.parent.name, []).extend(path.read_bytes().splitlines())
    return found


def _in_order(folder: Path, ending: str) -> list[Path]:
    return sorted(folder.glob(f"*/*.{ending}"), key=lambda path: (path.parent.name, _number(path)))


def _number(path: Path) -> int:
    return int(path.name.partition(".")[0])


def _since(revisions: list[Json], current: Json) -> list[Change]:
    """How a schema differs from its last released revision."""
    return list(changes(revisions[-1], current)) if revisions else []


def _not_upcast(current: Mapping[str, Json]) -> Iterator[str]:
    """Old versions that nothing brings to the next one."""
    newest: dict[str, int] = {}
    known = [family(name) for name in current if name in EVENT_TYPES]
    for kind, version in known:
        newest[kind] = max(version, newest.get(kind, 0))
    for kind, version in known:
        name = f"{kind}.v{version}"
        if version < newest[kind] and name not in versions.UPCASTERS:
            yield f"{name}: no upcaster brings it to {kind}.v{version + 1}"


def _changed_files(folder: Path) -> Iterator[str]:
    """Files that are not as they were released, not there, or not known."""
    lines = [line.split("  ") for line in (folder / _SUMS).read_text().splitlines()]
    listed = {name: digest for digest, name in lines}
    there = {path.relative_to(folder).as_posix() for path in folder.glob("*/*")}
    for name in sorted(there | listed.keys()):
        if name not in there:
            yield f"{name}: the released file is gone"
        elif name not in listed:
            yield f"{name}: not among the released files; `lapstream schemas --release` writes them"
        elif listed[name] != _digest(folder / name):
            yield f"{name}: the released file was changed; it never is"


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
