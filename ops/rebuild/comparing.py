"""Comparing live tables with rebuilt ones, both of one moment at which they had applied the same records.

A connection whose transaction sees both goes in; a report comes out. Row counts and checksums are compared
first; only tables that differ are read row by row, along their keys.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw

from ops.rebuild import attached, shadow
from ops.rebuild import queries as rebuilds
from ops.rebuild.queries import Rebuild, Refused
from ops.rebuild.report import (
    SAMPLE,
    Cause,
    ColumnChange,
    Kind,
    RebuildReport,
    RefusedRecord,
    RowDifference,
    TableReport,
)
from ops.rebuild.shadow import RowKey
from store.pool import Connection

CHUNK = 1_000

Row = dict[str, Raw]

NAMED = {
    "tracks": "id",
    "events": "id",
    "races": "id",
    "drivers": "id",
    "race_drivers": "id",
    "race_results": "id",
    "laps": "race_result_id",
    "observations": "subject_id",
    "track_observations": "track_id",
    "driver_observations": "driver_id",
    "fastest_laps": "id",
}
"""Tables whose rows have a name that people know, and the column by which it is found."""


class Sides(NamedTuple):
    """The schemas of the live tables and of the rebuilt ones."""

    live: str
    rebuilt: str


class Named(NamedTuple):
    """What people call a row, the day that it is of, and the events that set it, the newest first."""

    key: str
    day: UUID | None = None
    observations: Sequence[str] = ()


class Evidence(NamedTuple):
    """What is known of records that stand behind a difference, by their events' ids."""

    parked: Mapping[str, str]
    refused: frozenset[str]

    def explain(self, kind: Kind, new: Sequence[str], old: Sequence[str]) -> tuple[Cause, str | None]:
        """Why a row differs, by the events that set it on the rebuilt and on the live side, and by which."""
        for cause in _WAITING:
            for event_id in new:
                if self.parked.get(_hex(event_id)) == cause:
                    return cause, event_id
        refused = kind != "added" and any(_hex(event_id) in self.refused for event_id in old)
        return "refused" if refused else "unexplained", next(iter(new), None)


_WAITING: tuple[Cause, ...] = ("parked", "discarded")


def _hex(event_id: str) -> str:
    return event_id.encode().hex()


class Pair(NamedTuple):
    """A row as it is live and as it is rebuilt; None where it is not there."""

    live: Row | None
    rebuilt: Row | None

    @property
    def kind(self) -> Kind:
        """In which way the two differ."""
        if self.live is None:
            return "added"
        return "gone" if self.rebuilt is None else "changed"


async def compare(
    connection: Connection, rebuild: Rebuild, sides: Sides, group: str, records: int
) -> RebuildReport:
    """Compare all tables, in the open transaction, which sees one moment."""
    began = time.perf_counter()
    refused = await rebuilds.refused(connection, rebuild.id)
    evidence = Evidence(
        await rebuilds.parked_events(connection, group),
        frozenset(one.event_id_hex for one in refused if one.event_id_hex),
    )
    keys = await shadow.keys(connection, sides.live)
    names = await shadow.tables(connection, sides.live)
    tables = [await _table(connection, sides, name, keys[name], evidence) for name in names]
    return RebuildReport(
        projection=rebuild.projection,
        records=records,
        seconds=round(time.perf_counter() - began, 3),
        tables=tables,
        publications=await attached.publications(connection, sides.live),
        refused=len(refused),
        refused_sample=[_refused(one) for one in refused[:SAMPLE]],
    )


def _refused(one: Refused) -> RefusedRecord:
    return RefusedRecord(
        topic=one.topic, partition=one.partition, offset=one.record_offset, code=one.code, reason=one.reason
    )


async def _table(
    connection: Connection, sides: Sides, table: str, key: RowKey, evidence: Evidence
) -> TableReport:
    live, rebuilt = [await shadow.checksum(connection, side, table) for side in sides]
    report = TableReport(
        table=table,
        live_rows=live.rows,
        rebuilt_rows=rebuilt.rows,
        live_checksum=live.total,
        rebuilt_checksum=rebuilt.total,
    )
    return report if report.equal else await _with_differences(connection, sides, report, key, evidence)


async def _with_differences(
    connection: Connection, sides: Sides, report: TableReport, key: RowKey, evidence: Evidence
) -> TableReport:
    """The report with what differs, read in chunks, so that memory stays small however much it is."""
    kinds: Counter[Kind] = Counter()
    causes: Counter[Cause] = Counter()
    sample: list[RowDifference] = []
    await shadow.open_differences(connection, sides.live, sides.rebuilt, report.table, key)
    while chunk := await shadow.next_differences(connection, CHUNK):
        pairs = [Pair(*(None if side is None else _row.decode(side) for side in row)) for row in chunk]
        for one in await _explained(connection, sides, report.table, key.columns, pairs, evidence):
            kinds[one.kind] += 1
            causes[one.cause] += 1
            if kinds[one.kind] <= SAMPLE:
                sample.append(one)
    return msgspec.structs.replace(report, counts=dict(kinds), causes=dict(causes), sample=sample)


async def _explained(
    connection: Connection,
    sides: Sides,
    table: str,
    key: Sequence[str],
    pairs: Sequence[Pair],
    evidence: Evidence,
) -> list[RowDifference]:
    old = await _names(connection, sides.live, table, key, [one.live for one in pairs])
    new = await _names(connection, sides.rebuilt, table, key, [one.rebuilt for one in pairs])
    days = {
        name.day for one, name in zip(pairs, old, strict=True) if one.kind == "gone" and name and name.day
    }
    lists = await shadow.lists_of_days(connection, sides.rebuilt, sorted(days)) if days else {}
    found: list[RowDifference] = []
    for pair, before, after in zip(pairs, old, new, strict=True):
        gone_by = lists.get(before.day) if before else None
        by = after.observations if after else [gone_by] if gone_by else []
        name = after or before or Named("?")
        cause, observation = evidence.explain(pair.kind, by, before.observations if before else [])
        found.append(
            RowDifference(
                kind=pair.kind,
                key=name.key,
                cause=cause,
                observation=observation,
                changes=tuple(_changes(pair)),
            )
        )
    return found


async def _names(
    connection: Connection, schema: str, table: str, key: Sequence[str], rows: Sequence[Row | None]
) -> list[Named | None]:
    """What people call these rows, in their order; by their keys where there is no better name."""
    column = NAMED.get(table)
    rest = [name for name in key if name != column]
    ids = {_text(row[column]) for row in rows if row} if column else set[str]()
    found = {
        str(one["id"]): Named(one["key"], one["day"], _known(one["observations"]))
        for one in (await shadow.names(connection, schema, table, sorted(ids)) if ids else ())
    }
    return [
        None if row is None else _named(row, rest, found.get(_text(row[column])) if column else None)
        for row in rows
    ]


def _known(event_ids: Sequence[str | None] | None) -> list[str]:
    return [event_id for event_id in event_ids or () if event_id]


def _named(row: Row, rest: Iterable[str], name: Named | None) -> Named:
    """The row's name, with those columns of its key that the name does not hold."""
    parts = [f"{column} {_text(row[column])}" for column in rest]
    own = [_text(row["source_event_id"])] if "content_digest" in row else []
    if name is None:
        return Named(", ".join(parts) or _text(next(iter(row.values()))), None, own)
    return Named(", ".join([name.key, *parts]), name.day, own or name.observations)


def _changes(pair: Pair) -> Iterable[ColumnChange]:
    if pair.live is None or pair.rebuilt is None:
        return
    for column, live in pair.live.items():
        rebuilt = pair.rebuilt[column]
        if bytes(live) != bytes(rebuilt):
            yield ColumnChange(column=column, live=live, rebuilt=rebuilt)


def _text(value: Raw) -> str:
    return str(msgspec.json.decode(value))


_row = msgspec.json.Decoder(Row)
