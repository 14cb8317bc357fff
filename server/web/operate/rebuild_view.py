"""What the pages of rebuilds hold: pure, so that it is tested without a server."""

from collections.abc import Iterator

from msgspec import Struct

from ops.rebuild import states
from ops.rebuild.queries import Rebuild
from ops.rebuild.report import CAUSES, RebuildReport, RowDifference, TableReport
from schemas.terminal import clean
from server.web.formats import number
from server.web.texts import TEXTS

MOST_ROWS = 200
"""Rows that differ which a page shows, over all tables; the report keeps up to sixty of each table."""

MOST_COLUMNS = 12
LONGEST_VALUE = 200


class Change(Struct, frozen=True, kw_only=True):
    """A column of a row that differs, on both sides."""

    column: str
    live: str
    rebuilt: str


class Difference(Struct, frozen=True, kw_only=True):
    """A row that differs."""

    kind: str
    key: str
    cause: str
    changes: list[Change]


class TableView(Struct, frozen=True, kw_only=True):
    """A table that differs, with some of its rows."""

    table: TableReport
    rows: list[Difference]


class ReportView(Struct, frozen=True, kw_only=True):
    """A comparison as a page shows it."""

    report: RebuildReport
    differing: list[TableView]


def report_of(rebuild: Rebuild) -> ReportView | None:
    """What the comparison of a rebuild found; None where none was made yet."""
    report = states.report_of(rebuild)
    return None if report is None else ReportView(report=report, differing=list(_differing(report)))


def _differing(report: RebuildReport) -> Iterator[TableView]:
    left = MOST_ROWS
    for table in report.tables:
        if not table.equal:
            rows = table.sample[:left]
            left -= len(rows)
            yield TableView(table=table, rows=[_difference(row) for row in rows])


def _difference(row: RowDifference) -> Difference:
    return Difference(
        kind=row.kind,
        key=_short(row.key),
        cause=CAUSES[row.cause],
        changes=[
            Change(
                column=change.column,
                live=_short(bytes(change.live).decode()),
                rebuilt=_short(bytes(change.rebuilt).decode()),
            )
            for change in row.changes[:MOST_COLUMNS]
        ],
    )


def _short(text: str) -> str:
    return clean(text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…")


def summary_of(rebuild: Rebuild, what: str) -> list[str]:
    """What the newest comparison found, for who is to decide on a swap."""
    report = states.report_of(rebuild) if what == "swap" else None
    if report is None:
        return []
    differing = [table for table in report.tables if not table.equal]
    texts = [_in_words(table) for table in differing] or [TEXTS("operate.nothing_differs")]
    refused = [TEXTS("operate.refused", n=number(report.refused))] if report.refused else []
    return [TEXTS("operate.compared", n=number(report.records)), *texts, *refused]


def _in_words(table: TableReport) -> str:
    found = ", ".join(f"{number(count)} {kind}" for kind, count in table.counts.items() if count)
    return TEXTS("operate.table_differs", table=table.table, rows=number(table.live_rows), found=found)


def command_of(rebuild: Rebuild) -> str | None:
    """The command that goes on with a rebuild where no process works at it; None where none is needed."""
    if not rebuild.open or rebuild.purpose == "verify":
        return None
    until = f" --until {rebuild.until:%Y-%m-%dT%H:%M:%SZ}" if rebuild.until else ""
    return f"lapstream rebuild {'resume' if rebuild.paused else 'start'} {rebuild.projection}{until}"


def did(what: str, done: Rebuild | None) -> str:
    """The name of the text that says what was done."""
    if done is None:
        return "at_work"
    if what == "swap" and done.state != "swapped":
        return "not_swapped"
    return {"pause": "paused", "cancel": "cancelled", "swap": "swapped", "rollback": "rolled_back"}[what]
