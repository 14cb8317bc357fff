"""The lag of groups as people see it: a verdict with its reason, figures, a table of the partitions."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from lapstream.cli.output import clean, utc
from lapstream.cli.tables import Listing
from ops.lag.figures import GroupLag, Pace, PartitionLag
from ops.lag.report import LagReport
from ops.lag.tracks import TrackFreshness

TRACKS = 10
"""So many tracks are shown; `--json` has more."""

_COLOURS = {"ok": "green", "lagging": "yellow", "unknown": "yellow"}


def view(found: LagReport) -> Group:
    """All of it."""
    parts: list[RenderableType] = [Text(f"unknown: {clean(found.trouble)}")] if found.trouble else []
    parts += [part for one in found.groups for part in _group(one, found.trouble)]
    if found.tracks:
        parts.append(_tracks(found.tracks[:TRACKS]))
    return Group(*parts)


def _group(one: GroupLag, trouble: str | None) -> Iterator[RenderableType]:
    yield Text(_title(one))
    verdict = Text("  ").append(one.verdict.replace("_", " "), style=_COLOURS.get(one.verdict, "bold red"))
    yield verdict.append(f": {clean(one.reason)}", style="default")
    if one.pace.in_rate is not None:
        yield Text(f"  {_pace(one.pace)}")
    told = {trouble, one.reason, *(one.troubles if one.reason == "; ".join(one.troubles) else ())}
    yield from (Text(f"  {clean(words)}") for words in one.troubles if words not in told)
    notes = (partition.note for partition in one.partitions if partition.note)
    yield from (Text(f"  {clean(words)}") for words in notes if words not in told)
    if one.partitions:
        yield _table(one)


def _title(one: GroupLag) -> str:
    members = "members unknown" if one.members is None else f"{one.members} member" + "s" * (one.members != 1)
    kafka = "" if one.kafka_behind is None else f" ({one.kafka_behind} by Kafka's offsets)"
    age = "" if one.oldest_seconds is None else f", the oldest {duration(one.oldest_seconds)} old"
    standing = "" if one.standing == "ok" else f"{one.standing}, "
    behind = "unknown how far" if one.behind is None else str(one.behind)
    state = one.state or "state unknown"
    return f"{clean(one.group)}: {standing}{state}, {members}; {behind} behind{kafka}{age}"


def _pace(pace: Pace) -> str:
    rates = f"{pace.in_rate:g}/s in, {pace.out_rate:g}/s applied"
    if pace.catch_up == "never":
        return f"{rates}: never caught up at this rate"
    if pace.catch_up == "in_time" and pace.catch_up_seconds is not None:
        return f"{rates}: caught up in {duration(pace.catch_up_seconds)}"
    return rates


def _table(one: GroupLag) -> Listing:
    numbers = ("Partition", "End", "Position", "Behind", "Kafka's offset", "Kafka's lag", "Oldest")
    table = Listing("Topic", *numbers, folded={"Topic"}, right=numbers)
    for partition in one.partitions:
        table.add(clean(partition.topic), *_cells(partition))
    return table


def _cells(one: PartitionLag) -> list[str]:
    numbers = (one.partition, one.end_offset, one.position, one.behind, one.committed, one.kafka_behind)
    return [*("-" if number is None else str(number) for number in numbers), _oldest(one)]


def _oldest(one: PartitionLag) -> str:
    if one.oldest == "untimed":
        return "no time"
    if one.oldest == "unread":
        return "unread"
    return duration(one.oldest_seconds)


def _tracks(tracks: Sequence[TrackFreshness]) -> Listing:
    table = Listing("Source", "Track", "Newest list", "Age", folded={"Track"}, right={"Age"})
    for one in tracks:
        table.add(clean(one.source), clean(one.track_slug), utc(one.observed_at), duration(one.seconds))
    return table


def duration(seconds: float | None) -> str:
    """A time as people say it: in the two largest of its units."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
