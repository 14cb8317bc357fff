"""`lapstream parked`: the records that could not be applied, looked at, and brought to an end."""

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from lapstream.cli.arguments import JsonFlag, SourceOption, YesFlag, moment
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import parked as work
else:
    work = later("lapstream.cli.parked")

app = typer.Typer(
    help="Look at the records that could not be applied; redrive, mend, discard or export them.",
    no_args_is_help=True,
)

PAGE = 50
"""Records on one page of a list."""


class Place(NamedTuple):
    """Where a record is."""

    topic: str
    partition: int
    offset: int


class StateChoice(StrEnum):
    """The states of a parked record, and all of them."""

    parked = "parked"
    redriven = "redriven"
    fixed = "fixed"
    discarded = "discarded"
    any = "any"


def _place(text: str) -> Place:
    topic, *numbers = text.split("/")
    try:
        partition, offset = (int(number) for number in numbers)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no place: TOPIC/PARTITION/OFFSET is expected") from error
    return Place(topic, partition, offset)


GroupOption = Annotated[str | None, typer.Option("--group", help="Only this consumer group's.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only those with this kind of fault.")]
SinceOption = Annotated[
    dt.datetime | None,
    typer.Option("--since", parser=moment, metavar="TIME", help="Only those parked at this time or later."),
]
UntilOption = Annotated[
    dt.datetime | None,
    typer.Option("--until", parser=moment, metavar="TIME", help="Only those parked before this time."),
]
AtOption = Annotated[
    Place | None,
    typer.Option(
        "--at", parser=_place, metavar="PLACE", help="Only the record at TOPIC/PARTITION/OFFSET, as listed."
    ),
]
TopicOption = Annotated[str | None, typer.Option("--topic", help="Only those of this topic.")]
StateOption = Annotated[StateChoice, typer.Option("--state", help="Only those in this state.")]
PlaceArgument = Annotated[
    Place,
    typer.Argument(parser=_place, metavar="PLACE", help="Its place, as listed: TOPIC/PARTITION/OFFSET."),
]


@app.command("list")
def list_(  # noqa: PLR0913 - each is a filter that people asked for
    *,
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    source: SourceOption = None,
    topic: TopicOption = None,
    state: StateOption = StateChoice.parked,
    page: Annotated[int, typer.Option(min=1, help=f"Which page of {PAGE} records.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Count the parked records by kind of fault, and list them, a page at a time.

    A record that several groups parked is listed once, with their names.

    Example: lapstream parked list --code bad_json --since 2025-10-25
    """
    chosen = work.selected(
        at, state.value, group=group, code=code, since=since, until=until, source=source, topic=topic
    )
    work.show_list(chosen, page, PAGE, as_json=as_json)


@app.command()
def show(
    place: PlaceArgument,
    *,
    group: GroupOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show one parked record: why it is there, what became of it in each group that parked it, and its bytes.

    Text is shown as text, without what could move the terminal's cursor; other bytes in hex.

    Example: lapstream parked show practice-days/3/17
    """
    work.show(place, group, as_json=as_json)


@app.command()
def redrive(  # noqa: PLR0913 - each is a filter that people asked for
    *,
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    source: SourceOption = None,
    topic: TopicOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run parked records through the code as it is now; what is still bad stays parked, with its new reason.

    A work queue's records are published to it again. Exits with 1 where a record stays parked.

    Example: lapstream parked redrive --code unknown_version --dry-run
    """
    chosen = work.selected(at, group=group, code=code, since=since, until=until, source=source, topic=topic)
    work.redrive(chosen, dry_run=dry_run, as_json=as_json)


@app.command("publish-fixed")
def publish_fixed(
    place: PlaceArgument,
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

    Example: lapstream parked publish-fixed practice-days/3/17 mended.json
    """
    work.publish_fixed(place, file, type_name, as_json=as_json)


@app.command()
def discard(  # noqa: PLR0913 - each is a filter that people asked for
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why nothing is to be done about them; kept.")],
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    source: SourceOption = None,
    topic: TopicOption = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Give parked records up, with a reason: asks first. They are kept, and so is the reason.

    Example: lapstream parked discard --code null_value --reason "tombstones of a broken producer"
    """
    chosen = work.selected(at, group=group, code=code, since=since, until=until, source=source, topic=topic)
    work.discard(chosen, reason, yes=yes, as_json=as_json)


@app.command()
def export(  # noqa: PLR0913 - each is a filter that people asked for
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; JSON lines.")],
    *,
    group: GroupOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    at: AtOption = None,
    source: SourceOption = None,
    topic: TopicOption = None,
    state: StateOption = StateChoice.parked,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write over a file that is there.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write parked records to a file, one JSON object a line: their bytes in base64, and all that is known.

    Example: lapstream parked export --state any parked.jsonl
    """
    chosen = work.selected(
        at, state.value, group=group, code=code, since=since, until=until, source=source, topic=topic
    )
    work.export(chosen, file, overwrite=yes, as_json=as_json)
