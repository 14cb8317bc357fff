"""Events from files and topics: checked, published, followed; and the vectors, put to a reader."""

import asyncio
import datetime as dt
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from lapstream.cli.output import clean, note, out, print_json, write_line
from ops.events import conformance as vectors
from ops.events.lines import lines_of
from ops.events.publishing import Plan, planned
from ops.events.publishing import publish as publish_records
from ops.events.tailing import Wanted
from ops.events.tailing import tail as tail_records
from ops.events.validating import LineReport, summary, validated
from runtime.settings import Settings, read_broker_settings
from schemas.contract.examples import example_lines
from schemas.events import EVENT_TYPES
from schemas.terminal import clean_json

WRONG = 1
"""The exit code where an event is refused, or a verdict is another one."""


def validate(file: Path, *, as_json: bool) -> None:
    """Show what a reader makes of each line."""
    reports = list(validated(lines_of(file)))
    found = summary(reports)
    if as_json:
        print_json({"summary": found, "lines": reports})
    else:
        _show(file, reports)
        out.print(str(found))
    if found.invalid:
        raise typer.Exit(WRONG)


def _show(file: Path, reports: Iterable[LineReport]) -> None:
    for report in reports:
        for problem in report.problems:
            what = f"{problem.severity}: {problem.code}: {problem.at} {problem.message}"
            out.print(clean(f"{file}:{report.line}: {what}"), soft_wrap=True)


def publish(file: Path, topic: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Publish all lines, or none."""
    settings = read_broker_settings()
    plan = planned(lines_of(file), settings.topics, topic)
    if not plan.refused and not dry_run:
        asyncio.run(publish_records(settings.broker, plan.records))
    if as_json:
        records = [{"topic": topic, "key": record.key.decode()} for topic, record in plan.records]
        print_json({"dry_run": dry_run, "records": records, "refused": plan.refused})
    elif plan.refused:
        _show(file, plan.refused)
    else:
        _show_records(plan, dry_run=dry_run)
    if plan.refused:
        note(f"nothing was published: {len(plan.refused)} events would be refused or ignored")
        raise typer.Exit(WRONG)


def _show_records(plan: Plan, *, dry_run: bool) -> None:
    for topic, record in plan.records:
        out.print(clean(f"{topic}: {record.key.decode()} {len(record.value)} bytes"), soft_wrap=True)
    out.print(f"{len(plan.records)} events {'would be ' if dry_run else ''}published")


def tail(
    topics: Sequence[str],
    type_name: str | None,
    key: str | None,
    source: str | None,
    start: dt.datetime,
    *,
    follow: bool,
) -> None:
    """Show records' events as they come, from a moment on."""
    _check_type(type_name)
    settings = read_broker_settings()
    wanted = Wanted(type=type_name, key=key, source=source)
    asyncio.run(_tail(settings, topics or _topics(settings, type_name), wanted, start, follow=follow))


def _check_type(type_name: str | None) -> None:
    if type_name is not None and type_name not in EVENT_TYPES:
        raise typer.BadParameter(f"{type_name!r} is no type: {', '.join(EVENT_TYPES)}")


def _topics(settings: Settings, type_name: str | None) -> list[str]:
    """The topics that an event of a type may lie in, or any event."""
    topics = settings.topics
    if type_name is None:
        return [topics.requests, *topics.event_log, topics.details, topics.outcomes, topics.refusals]
    topic = topics.of(type_name)
    return list(topics.event_log) if topic == topics.days else [topic]


async def _tail(
    settings: Settings, topics: Sequence[str], wanted: Wanted, start: dt.datetime, *, follow: bool
) -> None:
    async for shown in tail_records(settings.broker, topics, wanted, start, follow=follow):
        if shown.line is None:
            note(f"{shown.place}: {shown.fault}")
        else:
            write_line(clean_json(shown.line))


def examples(type_name: str | None) -> None:
    """Show an event of each type, or of one."""
    _check_type(type_name)
    for name, line in example_lines().items():
        if type_name in {None, name}:
            write_line(line)


def show_vectors() -> None:
    """Print the vectors as they are in their file."""
    sys.stdout.write(vectors.all_vectors().decode())


def conformance(command: Sequence[str], seconds: float, *, as_json: bool) -> None:
    """Put the vectors to a program, or to this version."""
    found = vectors.held_against(command, seconds)
    if as_json:
        print_json(found)
    else:
        for one in found.differences:
            said = one.found or "no verdict"
            out.print(clean(f"{one.name}: expected {one.expected}, got {said}: {one.about}"), soft_wrap=True)
        agreed = found.vectors - len(found.differences)
        out.print(f"{found.vectors} vectors: {agreed} as expected, {len(found.differences)} not")
    if found.differences:
        raise typer.Exit(WRONG)
