"""The topics on the terminal: created, and held against how they are declared."""

import asyncio

import typer

from broker.topics import TopicState, check_topics, create_topics
from lapstream.cli.output import out, print_json
from lapstream.cli.tables import Listing
from runtime.settings import read_settings


def create(*, as_json: bool) -> None:
    """Create the topics that are missing; exits with 1 where one has to be mended."""
    settings = read_settings()
    creating = create_topics(settings.broker, settings.topics, replication_factor=settings.replication_factor)
    _show(asyncio.run(creating), as_json=as_json)


def check(*, as_json: bool) -> None:
    """Hold the topics against their declaration; exits with 1 where one has to be mended."""
    settings = read_settings()
    _show(asyncio.run(check_topics(settings.broker, settings.topics)), as_json=as_json)


def _show(states: list[TopicState], *, as_json: bool) -> None:
    if as_json:
        print_json(states)
    else:
        table = Listing("Topic", "Partitions", "As declared", folded={"As declared"}, right={"Partitions"})
        for state in states:
            table.add(
                state.name, str(state.partitions), "; ".join([*state.differences, *state.notes]) or "yes"
            )
        out.print(table)
    if any(state.differences for state in states):
        raise typer.Exit(1)
