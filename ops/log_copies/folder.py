"""The folder of a copy: its manifest and its segments, each file written whole or not at all.

In: a path. Out: the manifest, segments' records; every error of the file system as `FolderUnusable`.
"""

import contextlib
import hashlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import cramjam
import msgspec

from ops.log_copies.errors import Damaged, FolderUnusable, NoCopy
from ops.log_copies.form import Draft, Entry, entries
from ops.log_copies.manifest import FORMAT, Manifest, PartitionCopy, Segment
from store.faults import said_by
from store.folders import LOCK, held

MANIFEST = "manifest.json"
LEVEL = 6
"""Of zstd: a fetch from the broker takes longer than this."""


class Folder:
    """A folder that holds a copy, or is to hold one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Make the folder where it is missing, and keep other exports out of it; raises `FolderHeld`."""
        with contextlib.ExitStack() as lock:
            with _files(self.path):
                lock.enter_context(held(self.path))
            yield

    def find(self) -> Manifest | None:
        """The manifest; None where there is none.

        Raises `NoCopy` for one that this version can't read, `Damaged` for one that was changed.
        """
        file = self.path / MANIFEST
        with _files(file):
            if not file.exists():
                return None
            data = file.read_bytes()
        return _manifest(file, data)

    def manifest(self) -> Manifest:
        """The manifest; raises `NoCopy` where there is none."""
        found = self.find()
        if found is None:
            raise NoCopy(f"{self.path} holds no {MANIFEST}: it is no folder of `lapstream log export`")
        return found

    def check_empty(self) -> None:
        """Raise `FolderUnusable` where a first export would mix its files with others."""
        with _files(self.path):
            others = sorted({one.name for one in self.path.iterdir()} - {LOCK, f"{MANIFEST}.new"})
        if others:
            raise FolderUnusable(
                f"{self.path} holds no copy of the event log, but {others[0]}: name an empty folder "
                "or a new one"
            )

    def save(self, manifest: Manifest) -> None:
        """Put a manifest in the place of the last one."""
        manifest.sha256 = manifest.digest
        data = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self._write(self.path / MANIFEST, data + b"\n")

    def add(self, name: str, partition: int, draft: Draft) -> Segment:
        """Write a segment's file; it counts once the manifest names it."""
        data = bytes(cramjam.zstd.compress(draft.frames, level=LEVEL))
        file = f"{name}/{partition}/{draft.start_offset:020}.zst"
        self._write(self.path / file, data)
        return Segment(
            file=file,
            file_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            contents=draft.contents(),
        )

    def _write(self, file: Path, data: bytes) -> None:
        draft = file.with_name(file.name + ".new")
        with _files(file):
            _make(file.parent)
            with draft.open("wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            draft.replace(file)
            _sync(file.parent)

    def entries(self, segment: Segment) -> list[Entry]:
        """A segment's records, once the file is held against its checksum; raises `Damaged`."""
        return list(self.each(segment))

    def last(self, copy: PartitionCopy) -> Entry | None:
        """A partition's last record; None where the copy has none. Raises as `entries` does."""
        held = [segment for segment in copy.segments if segment.contents.records]
        return self.entries(held[-1])[-1] if held else None

    def each(self, segment: Segment) -> Iterator[Entry]:
        """As `entries`, one record at a time: memory holds the segment once."""
        data = self._checked(segment)
        try:
            yield from entries(bytes(cramjam.zstd.decompress(data, output_len=segment.contents.bytes)))
        except (cramjam.DecompressionError, ValueError) as error:
            raise Damaged(f"{self.path / segment.file} can't be read: {error}") from error

    def unnamed(self, manifest: Manifest) -> list[str]:
        """Segments' files that a manifest does not name."""
        with _files(self.path):
            found = {str(one.relative_to(self.path)) for one in self.path.glob("*/*/*.zst")}
        return sorted(found - {segment.file for segment in manifest.segments})

    def check_file(self, segment: Segment) -> None:
        """Hold a file against its checksum; raises `Damaged`."""
        self._checked(segment)

    def _checked(self, segment: Segment) -> bytes:
        file = self.path / segment.file
        with _files(file):
            data = file.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != segment.sha256:
            raise Damaged(
                f"{file} is damaged: its {len(data)} bytes have SHA-256 {found[:16]}…, the manifest says "
                f"{segment.file_bytes} bytes and {segment.sha256[:16]}…; take it from another copy of the "
                "folder"
            )
        return data


def _manifest(file: Path, data: bytes) -> Manifest:
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise NoCopy(f"{file} is no manifest of a copy that this version can read: {error}") from error
    if found.format != FORMAT:
        raise NoCopy(f"{file} is of the format {found.format!r}, this version reads {FORMAT!r}")
    if found.sha256 != found.digest:
        raise Damaged(
            f"{file} is not as it was written: its own checksum says something else; take it from another "
            "copy of the folder"
        )
    return found


@contextlib.contextmanager
def _files(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise FolderUnusable(f"{path} can't be used: {said_by(error)}") from error


def _make(folder: Path) -> None:
    """Make a folder and those above it, each of them noted on the disk."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Have a folder's names on the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
