"""Rows as Parquet files: one for each track and year, in folders whose names readers take for columns.

A file is written beside its place and comes there whole, in the end: what is there is never half a file. Rows
are held until they are a good row group, so that memory doesn't grow with what is written. The package
pyarrow is an extra; it is imported with this module.
"""

import contextlib
import importlib
import os
from collections.abc import Collection, Generator, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

pa: Any = importlib.import_module("pyarrow")
pq: Any = importlib.import_module("pyarrow.parquet")

ROWS = 50_000
"""So many rows are a row group; the last one of a file has fewer."""

FILE = "part-0.parquet"
_UNFINISHED = f".{FILE}.unfinished"


class Partition(NamedTuple):
    """What a folder of files is of; their columns `source`, `track` and `year` are in its name."""

    source: str
    track: str
    year: int

    def folder(self, root: Path, dataset: str) -> Path:
        """The folder of a dataset's file."""
        names = (f"{name}={value}" for name, value in self._asdict().items())
        return root.joinpath(dataset, *names)


class RowFile:
    """A file that is being written, row group by row group."""

    def __init__(self, file: Path, kind: type[Struct]) -> None:
        self._kind = kind
        self._schema = schema_of(kind)
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[Struct] = []

    def add(self, rows: Iterable[Struct]) -> None:
        """Add rows, which are written when they are enough."""
        for row in rows:
            self._rows.append(row)
            if len(self._rows) == ROWS:
                self._write()

    def close(self) -> None:
        """Write what is left; the file is whole then."""
        self._write()
        self._writer.close()

    def abandon(self) -> None:
        """Write nothing more."""
        self._writer.close()

    def _write(self) -> None:
        columns = {name: [_value(getattr(row, name)) for row in self._rows] for name in self._schema.names}
        self._writer.write_table(pa.table(columns, schema=self._schema))
        self._rows.clear()


@contextlib.contextmanager
def written(root: Path, dataset: str, partition: Partition, kind: type[Struct]) -> Generator[RowFile]:
    """A file of a partition, which takes its place when the block ends without an error."""
    folder = partition.folder(root, dataset)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / _UNFINISHED
    rows = RowFile(unfinished, kind)
    try:
        yield rows
        rows.close()
    except BaseException:
        rows.abandon()
        unfinished.unlink()
        raise
    _sync(unfinished)
    unfinished.replace(folder / FILE)
    _sync(folder)


def remove_other_years(root: Path, dataset: str, kept: Collection[Partition]) -> None:
    """Remove the files of a track's years that have no days any more, and what an export left unfinished."""
    years = {partition.folder(root, dataset) for partition in kept}
    for folder in {year.parent for year in years}:
        for file in (*folder.glob(f"year=*/{FILE}"), *folder.glob(f"year=*/{_UNFINISHED}")):
            if file.name == _UNFINISHED or file.parent not in years:
                file.unlink()


def schema_of(kind: type[Struct]) -> Any:  # noqa: ANN401 - pyarrow has no types
    """The columns of a kind of rows: its fields without the source, which is in the folder's name."""
    info = msgspec.inspect.type_info(kind)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{kind} is no struct")
    return pa.schema([(field.name, _type(field.type)) for field in info.fields if field.name != "source"])


def _type(info: msgspec.inspect.Type) -> Any:  # noqa: ANN401 - pyarrow has no types
    match info:
        case msgspec.inspect.UnionType(types=types):
            [known] = [one for one in types if not isinstance(one, msgspec.inspect.NoneType)]
            return _type(known)
        case msgspec.inspect.Metadata(type=inner):
            return _type(inner)
        case msgspec.inspect.DateTimeType(tz=tz):
            return pa.timestamp("us", tz="UTC" if tz else None)
        case _:
            return _TYPES.get(type(info), pa.string())


_TYPES: dict[type[msgspec.inspect.Type], Any] = {
    msgspec.inspect.BoolType: pa.bool_(),
    msgspec.inspect.IntType: pa.int32(),
    msgspec.inspect.FloatType: pa.float64(),
    msgspec.inspect.DateType: pa.date32(),
}


def _value(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def _sync(path: Path) -> None:
    """Have a file or a folder on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
