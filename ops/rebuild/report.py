"""What a comparison of live and rebuilt tables found, as numbers, as a sample, and as text for a person.

Counts and checksums go in; whether the swap waits for somebody, and lines to read, come out.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Raw, Struct, field

LARGEST_CHANGED = 0.01
"""The part of a table's rows that may change without anybody's looking."""

SAMPLE = 20
"""Differences of each table that are kept, of each kind."""

Kind = Literal["added", "changed", "gone"]
Cause = Literal["parked", "discarded", "refused", "unexplained"]

CAUSES: dict[Cause, str] = {
    "parked": "its record is parked: the live tables wait for it",
    "discarded": "its record was parked and discarded",
    "refused": "its record can't be applied any more",
    "unexplained": "hand-made or unexplained",
}


class ColumnChange(Struct, frozen=True, kw_only=True):
    """A column's value in the live table and in the rebuilt one, as JSON."""

    column: str
    live: Raw
    rebuilt: Raw


class RowDifference(Struct, frozen=True, kw_only=True):
    """A row that is in one of two tables only, or differs.

    `key` is what people call it; `observation` the event that set the rebuilt value, or for a row that is
    gone the list that lacks it. `changes` tells the columns of a row that is in both.
    """

    kind: Kind
    key: str
    cause: Cause
    observation: str | None
    changes: tuple[ColumnChange, ...] = ()


class TableReport(Struct, frozen=True, kw_only=True):
    """A table's rows and checksums on both sides, and how many rows differ, by kind and by cause."""

    table: str
    live_rows: int
    rebuilt_rows: int
    live_checksum: str
    rebuilt_checksum: str
    counts: dict[Kind, int] = field(default_factory=dict[Kind, int])
    causes: dict[Cause, int] = field(default_factory=dict[Cause, int])
    sample: list[RowDifference] = field(default_factory=list[RowDifference])

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same rows, to the last column."""
        return (self.live_rows, self.live_checksum) == (self.rebuilt_rows, self.rebuilt_checksum)

    @property
    def worrying(self) -> bool:
        """Whether somebody is to look before the rebuilt rows take the live ones' place."""
        return (
            self.counts.get("gone", 0) > 0 or self.counts.get("changed", 0) > LARGEST_CHANGED * self.live_rows
        )


class RefusedRecord(Struct, frozen=True, kw_only=True):
    """A record that the replay could not apply."""

    topic: str
    partition: int
    offset: int
    code: str
    reason: str


class RebuildReport(Struct, frozen=True, kw_only=True):
    """A comparison: of one moment, at which both sides had applied the same records.

    `publications` publish live tables: who subscribes to them is not sent what a swap changes.
    """

    projection: str
    records: int
    seconds: float
    tables: list[TableReport]
    publications: list[str] = field(default_factory=list[str])
    refused: int = 0
    refused_sample: list[RefusedRecord] = field(default_factory=list[RefusedRecord])

    @property
    def equal(self) -> bool:
        """Whether all tables are what the topic says."""
        return all(table.equal for table in self.tables)

    @property
    def worrying(self) -> bool:
        """Whether a swap waits for somebody."""
        return any(table.worrying for table in self.tables)


def lines(report: RebuildReport) -> Iterator[str]:
    """The report for a person to read."""
    yield f"{report.projection}: {report.records:,} records, compared in {report.seconds:.1f} s"
    for table in report.tables:
        yield from _table_lines(table)
    if report.publications and not report.equal:
        yield (
            f"published by {', '.join(report.publications)}: subscribers are not sent what a swap changes; "
            "copy the tables to them anew after it"
        )
    if report.refused:
        yield f"{report.refused} records can't be applied:"
    for one in report.refused_sample:
        yield f"  {one.topic}/{one.partition}/{one.offset} {one.code}: {one.reason}"


def _table_lines(table: TableReport) -> Iterator[str]:
    if table.equal:
        yield f"{table.table}: equal, {table.live_rows:,} rows, {table.live_checksum}"
        return
    found = ", ".join(f"{count:,} {kind}" for kind, count in table.counts.items() if count)
    yield f"{table.table}: {table.live_rows:,} rows live, {table.rebuilt_rows:,} rebuilt: {found}"
    for cause, count in table.causes.items():
        yield f"  {count:,} {CAUSES[cause]}"
    for one in table.sample:
        yield f"  {one.kind} {one.key}, {one.cause}" + (f", by {one.observation}" if one.observation else "")
        for change in one.changes:
            yield f"    {change.column}: {bytes(change.live).decode()} -> {bytes(change.rebuilt).decode()}"
