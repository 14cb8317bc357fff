"""`lapstream events`: the kit for other systems that publish or read the events."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag, SourceOption, moment
from lapstream.cli.later import later
from ops.events.since import END, START

if TYPE_CHECKING:
    from lapstream.cli import events as work
else:
    work = later("lapstream.cli.events")

app = typer.Typer(
    help="Check, publish and follow events; for other systems that publish or read them.",
    no_args_is_help=True,
)


def _start(text: str) -> dt.datetime:
    return {"start": START, "end": END}.get(text) or moment(text)


EventFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="JSON Lines, a CloudEvent each; `-` reads standard input."),
]


@app.command()
def validate(file: EventFile, *, as_json: JsonFlag = False) -> None:
    """Hold events against the contract: each problem with its line, its place and what was expected.

    A line is a CloudEvent in its JSON format. A field that is not known is a warning. Neither a broker nor
    settings are needed. Exits with 1 where a reader would refuse an event.

    Example: lapstream events validate events.jsonl
    """
    work.validate(file, as_json=as_json)


@app.command()
def publish(
    file: EventFile,
    *,
    topic: Annotated[
        str | None, typer.Option("--topic", help="Into this topic, as it is named; else each into its own.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show; publish nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Publish events, with their own ids, sources and extensions; all are checked first.

    Where one would be refused or ignored, none is published, and the exit code is 1. Needs the broker's
    address (LAPSTREAM_KAFKA_BOOTSTRAP), and no database. Done twice, the events have the same ids.

    Example: lapstream events publish events.jsonl --dry-run
    """
    work.publish(file, topic, dry_run=dry_run, as_json=as_json)


@app.command()
def tail(
    *,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="This topic; by default all that have events.")
    ] = None,
    type_name: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only events of this type.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only records whose key begins so.")] = None,
    source: SourceOption = None,
    start: Annotated[
        dt.datetime | None,
        typer.Option(
            "--from", parser=_start, metavar="start|end|TIME", help="Where to begin; by default at the end."
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Whether to wait for more; else begin at the start.")
    ] = True,
) -> None:
    """Show events as they come, one line of JSON each; Ctrl-C ends it.

    A line is what `validate` and `publish` read. Its attributes kafkatopic, kafkapartition and kafkaoffset
    say where it lies. A record that is no event is named on stderr. Needs the broker's address
    (LAPSTREAM_KAFKA_BOOTSTRAP), and no database.

    Example: lapstream events tail --source liverc --from start --no-follow
    """
    begin = start or (END if follow else START)
    work.tail(topic or [], type_name, key, source, begin, follow=follow)


@app.command()
def examples(
    type_name: Annotated[str | None, typer.Argument(metavar="TYPE", help="Of this type only.")] = None,
) -> None:
    """Show an event of each type, one line of JSON each, as `validate` and `publish` read them.

    Example: lapstream events examples session_detail.fetched.v2
    """
    work.examples(type_name)


@app.command(context_settings={"ignore_unknown_options": True})
def conformance(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="A program that judges the vectors; without one, this."),
    ] = None,
    *,
    show: Annotated[bool, typer.Option("--vectors", help="Print the vectors, and do nothing else.")] = False,
    seconds: Annotated[float, typer.Option(min=1, help="How long the program may take.")] = 60,
    as_json: JsonFlag = False,
) -> None:
    """Put the golden vectors to a reader of the events: which records it accepts, refuses and ignores.

    The program gets a line of JSON for each vector on stdin (`name`, `record`, `checks`), and answers each
    with a line on stdout: `{"name": …, "verdict": "accepted"}`, or refused, or ignored. Exits with 1 where it
    comes to another verdict.

    Example: lapstream events conformance node reader.mjs
    """
    if show:
        work.show_vectors()
    else:
        work.conformance(command or [], seconds, as_json=as_json)
