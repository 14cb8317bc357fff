"""Sessions beside each other, on the terminal."""

from collections.abc import Sequence
from functools import partial

from laps import comparing
from laps.choosing import chosen_session
from laps.comparing import FEWEST, LETTERS, MOST, ComparedLap, Comparison
from laps.rows import ComparedLapRow, compared_rows
from lapstream.cli.database import on_database
from lapstream.cli.forms import Form, form_of, print_csv, seconds
from lapstream.cli.lap_list import figures_of, named
from lapstream.cli.output import out, print_json
from lapstream.cli.tables import Listing
from lapstream.cli.where import Where
from schemas.errors import LapstreamError
from store.pool import Connection


class WrongNumber(LapstreamError):
    """Too few or too many are to be compared."""

    exit_code = 2


def compare(who: Sequence[str], where: Where, *, as_json: bool, as_csv: bool) -> None:
    """Compare sessions, or drivers by their fastest ones; raises `WrongNumber`, and as `chosen_session`."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    if not FEWEST <= len(who) <= MOST:
        raise WrongNumber(f"{FEWEST} to {MOST} can be compared, not {len(who)}")
    found = on_database(partial(_compared, who=who, where=where))
    match form:
        case Form.json:
            print_json(found)
        case Form.csv:
            print_csv(ComparedLapRow, compared_rows(found))
        case Form.table:
            show(found)


async def _compared(connection: Connection, *, who: Sequence[str], where: Where) -> Comparison:
    chosen = partial(chosen_session, connection, source=where.source, within=where.scope)
    return comparing.compare([await chosen(one) for one in who])


def show(found: Comparison) -> None:
    """Print a comparison: lap by lap, and head to head."""
    letters = LETTERS[: len(found.sides)]
    for letter, side in zip(letters, found.sides, strict=True):
        out.print(f"{letter}: {named(side.session)}", soft_wrap=True)
    others = [heading for letter in letters[1:] for heading in (letter, f"{letter}-A", f"{letter}-A in all")]
    table = Listing(
        "Lap", "A", *others, right=("Lap", "A", *others), title="Lap by lap [s]; * does not count"
    )
    for line in found.laps:
        first, *rest = line.laps
        cells = [
            cell for lap in rest for cell in (_time(lap), _gap(lap and lap.gap), _gap(lap and lap.gap_in_all))
        ]
        table.add(str(line.lap_number), _time(first), *cells)
    out.print(table)
    _show_figures(found, letters)


def _show_figures(found: Comparison, letters: str) -> None:
    table = Listing("Figure", *letters, worded={"Figure"}, right=set(letters), title="Head to head")
    table.add("laps won", *(str(side.laps_won) for side in found.sides))
    columns = [dict(figures_of(side.session)) for side in found.sides]
    for name in dict.fromkeys(name for column in columns for name in column):
        table.add(name.replace("_", " "), *(column.get(name, "-") for column in columns))
    out.print(table)


def _time(lap: ComparedLap | None) -> str:
    if lap is None or lap.lap_time_seconds is None:
        return "-"
    return seconds(lap.lap_time_seconds) + ("" if lap.counts else "*")


def _gap(gap: float | None) -> str:
    return "-" if gap is None else f"{gap:+.3f}"
