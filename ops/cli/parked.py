"""`lapstream parked`: the records that could not be applied, looked at, and brought to an end."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Generator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops import parking
from ops.cli.arguments import run
from ops.cli.output import JsonFlag, clean, out, print_json, progress_bar
from ops.cli.parked_show import all_of, show_counts, show_heads, show_outcomes, show_record
from ops.redrive import Outcome, redrive
from ops.settings import Settings, read_settings
from ops.wiring import connected
from store import parked
from store.parked import Count, Head, Key, Parked, RecordPlace, Selection, State

app = typer.Typer(
    help="Look at the records that could not be applied; redrive, mend, discard or export them.",
    no_args_is_help=True,
)

PAGE = 50
"""Records on one page of a list."""

UNFINISHED = 1
"""The exit code where a record could not be redriven."""


class StateChoice(StrEnum):
    """The states of a parked record, and all of them."""

    parked = "parked"
    redriven = "redriven"
    fixed = "fixed"
    discarded = "discarded"
    any = "any"


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time: 2025-10-25T18:00, in UTC unless an offset is given"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _place(text: str) -> RecordPlace:
    topic, *numbers = text.split("/")
    try:
        partition, offset = (int(number) for number in numbers)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no place: TOPIC/PARTITION/OFFSET is expected") from error
    return RecordPlace(topic, partition, offset)


GroupOption = Annotated[str | None, typer.Option("--group", help="Only this consumer group's.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only those with this kind of fault.")]
SinceOption = Annotated[
    dt.datetime | None,
    typer.Option("--since", parser=_moment, metavar="TIME", help="Only those parked at this time or later."),
]
UntilOption = Annotated[
    dt.datetime | None,
    typer.Option("--until", parser=_moment, metavar="TIME", help="Only those parked before this time."),
]
AtOption = Annotated[
    RecordPlace | None,
    typer.Option(
        "--at", parser=_place, metavar="PLACE", help="Only the record at TOPIC/PARTITION/OFFSET, as listed."
    ),
]
StateOption = Annotated[StateChoice, typer.Option("--state", help="Only those in this state.")]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="The consumer group that met it.")]
TopicArgument = Annotated[str, typer.Argument(metavar="TOPIC")]
PartitionArgument = Annotated[int, typer.Argument(metavar="PARTITION", min=0)]
OffsetArgument = Annotated[int, typer.Argument(metavar="OFFSET", min=0)]


@app.command("list")
def list_(  # noqa: PLR0913 - each is a filter that people asked for
    *,
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    state: StateOption = StateChoice.parked,
    page: Annotated[int, typer.Option(min=1, help=f"Which page of {PAGE} records.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Count the parked records by kind of fault, and list them, a page at a time.

    Example: lapstream parked list --code bad_json --since 2025-10-25
    """
    selection = _selection(group, code, since, until, at, state)
    counts, heads = run(_list(read_settings(), selection, page))
    total = sum(count.records for count in counts)
    if as_json:
        print_json({"total": total, "page": page, "counts": counts, "records": heads})
        return
    if not counts:
        out.print("nothing is parked" if state is StateChoice.parked else "no such record")
        return
    show_counts(counts)
    show_heads(heads)
    out.print(f"page {page} of {-(-total // PAGE)}")


def _selection(
    group: str | None,
    code: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    at: RecordPlace | None,
    state: StateChoice = StateChoice.parked,
) -> Selection:
    only = None if state is StateChoice.any else State(state)
    return Selection(group=group, code=code, since=since, until=until, place=at, state=only)


async def _list(settings: Settings, selection: Selection, page: int) -> tuple[list[Count], list[Head]]:
    async with connected(settings) as connection:
        counts = await parked.count(connection, selection)
        return counts, await parked.find(connection, selection, limit=PAGE, skip=PAGE * (page - 1))


@app.command()
def show(
    group: GroupArgument,
    topic: TopicArgument,
    partition: PartitionArgument,
    offset: OffsetArgument,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Show one parked record: why it is there, what became of it, and its bytes.

    Text is shown as text, without what could move the terminal's cursor; other bytes in hex.

    Example: lapstream parked show practice-days-projection practice-days 3 17
    """
    record = run(_read(read_settings(), Key(group, topic, partition, offset)))
    if as_json:
        print_json(all_of(record))
    else:
        show_record(record)


async def _read(settings: Settings, at: Key) -> Parked:
    async with connected(settings) as connection:
        return await parking.read_one(connection, at)


@app.command("redrive")
def redrive_(
    *,
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run parked records through the code as it is now; what is still bad stays parked, with its new reason.

    A work queue's records are published to it again. Exits with 1 where a record stays parked.

    Example: lapstream parked redrive --code unknown_version --dry-run
    """
    settings = read_settings()
    outcomes = run(_redrive(settings, _selection(group, code, since, until, at), dry_run=dry_run))
    staying = [outcome for outcome in outcomes if not outcome.redriven]
    if as_json:
        numbers = {"redriven": len(outcomes) - len(staying), "still_parked": len(staying)}
        print_json({"dry_run": dry_run, **numbers, "records": outcomes})
    else:
        show_outcomes(outcomes, staying, dry_run=dry_run)
    if staying:
        raise typer.Exit(UNFINISHED)


async def _redrive(settings: Settings, selection: Selection, *, dry_run: bool) -> list[Outcome]:
    heads = await _find(settings, selection)
    with _progress("redriving", len(heads)) as progress:
        return await redrive(settings, heads, parking.somebody(), dry_run=dry_run, show=progress)


async def _find(settings: Settings, selection: Selection) -> list[Head]:
    async with connected(settings) as connection:
        return await parked.find(connection, selection)


class _Show:
    """A bar on stderr, told of each step's size."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total)

    def __call__(self, records: int) -> None:
        self._progress.advance(self._task, records)


@contextlib.contextmanager
def _progress(what: str, total: int) -> Generator[_Show]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with progress_bar(*columns) as progress:
        yield _Show(progress, what, total)


@app.command("publish-fixed")
def publish_fixed(
    group: GroupArgument,
    topic: TopicArgument,
    partition: PartitionArgument,
    offset: OffsetArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The mended event, as JSON.", exists=True, dir_okay=False)
    ],
    *,
    type_name: Annotated[
        str | None, typer.Option("--type", help="The event's type, where the record's header has none.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Publish a mended event as a new record of the topic, and mark the bad one fixed.

    The file is checked first, more strictly than a record: a field that the type has not is refused. Doing it
    twice does no harm: the event has the same id.

    Example: lapstream parked publish-fixed practice-days-projection practice-days 3 17 mended.json
    """
    at = Key(group, topic, partition, offset)
    new = run(parking.publish_fixed(read_settings(), at, file.read_bytes(), type_name))
    if as_json:
        print_json({"state": State.fixed, "new": new._asdict()})
    else:
        out.print(f"published as {new.topic}/{new.partition}/{new.offset}; the bad record is marked fixed")


@app.command()
def discard(  # noqa: PLR0913 - each is a filter that people asked for
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why nothing is to be done about them; kept.")],
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Give parked records up, with a reason: asks first. They are kept, and so is the reason.

    Example: lapstream parked discard --code null_value --reason "tombstones of a broken producer"
    """
    settings = read_settings()
    heads = run(_find(settings, _selection(group, code, since, until, at)))
    if heads and not yes:
        codes = ", ".join(f"{number} {name}" for name, number in Counter(h.code for h in heads).most_common())
        typer.confirm(f"Discard {len(heads)} parked record(s): {clean(codes)}?", abort=True, err=True)
    discarded = run(_discard(settings, [head.at for head in heads], reason))
    if as_json:
        print_json({"discarded": discarded})
    else:
        out.print(f"{discarded} discarded")


async def _discard(settings: Settings, keys: list[Key], reason: str) -> int:
    async with connected(settings) as connection:
        return await parked.discarded(connection, keys, reason, parking.somebody())


@app.command()
def export(  # noqa: PLR0913 - each is a filter that people asked for
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; JSON lines.")],
    *,
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    state: StateOption = StateChoice.parked,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write over a file that is there.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write parked records to a file, one JSON object a line: their bytes in base64, and all that is known.

    Example: lapstream parked export --state any parked.jsonl
    """
    settings = read_settings()
    heads = run(_find(settings, _selection(group, code, since, until, at, state)))
    with _progress("exporting", len(heads)) as progress:
        run(parking.export_to(settings, heads, file, overwrite=yes, show=progress))
    if as_json:
        print_json({"file": str(file), "records": len(heads)})
    else:
        out.print(clean(f"{len(heads)} record(s) written to {file}"), soft_wrap=True)
