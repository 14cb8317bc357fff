"""How far each consumer group is behind, on the terminal, once or again and again."""

import asyncio
import signal
from collections.abc import Callable, Iterator

import msgspec
from rich.console import Group
from rich.live import Live
from rich.text import Text

from lapstream.cli.output import clean, err, out, print_json, write_line
from lapstream.cli.tables import Listing
from ops.lag.figures import GroupLag, PartitionLag
from ops.lag.watching import watching
from runtime.settings import Settings, read_settings
from schemas.terminal import clean_json
from store.waiting import set_within


def show(*, as_json: bool) -> None:
    """Show the lag of every group once."""
    found = asyncio.run(_once(read_settings()))
    print_json(found) if as_json else out.print(_view(found))


def watch(seconds: float, *, as_json: bool) -> None:
    """Show the lag again and again, after so many seconds, until Ctrl-C."""
    settings = read_settings()
    asyncio.run(_watch(settings, seconds, _write_line) if as_json else _redraw(settings, seconds))


async def _once(settings: Settings) -> list[GroupLag]:
    async with watching(settings) as lag:
        return await lag.look()


async def _watch(settings: Settings, seconds: float, show: Callable[[list[GroupLag]], None]) -> None:
    """Look until Ctrl-C, which is a signal here: the Kafka client may swallow a cancellation."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    async with watching(settings) as lag:
        while not stop.is_set():
            show(await lag.look())
            await set_within(stop, seconds)


def _write_line(found: list[GroupLag]) -> None:
    write_line(clean_json(msgspec.json.encode(found)))


async def _redraw(settings: Settings, seconds: float) -> None:
    with Live(console=err, auto_refresh=False, vertical_overflow="crop") as live:
        await _watch(settings, seconds, lambda found: live.update(_view(found), refresh=True))


def _view(found: list[GroupLag]) -> Group:
    return Group(*(part for one in found for part in (_title(one), *_notes(one), _table(one))))


def _title(one: GroupLag) -> Text:
    members = f"{one.members} member" + ("" if one.members == 1 else "s")
    kafka = "" if one.kafka_behind is None else f" ({one.kafka_behind} by Kafka's offsets)"
    age = "" if one.oldest_seconds is None else f", the oldest {_age(one.oldest_seconds)} old"
    standing = "" if one.standing == "ok" else f"{one.standing}, "
    return Text(f"{clean(one.group)}: {standing}{one.state}, {members}; {one.behind} behind{kafka}{age}")


def _notes(one: GroupLag) -> Iterator[Text]:
    """What is wrong, and what to do about it."""
    return (Text(f"  {clean(partition.note)}") for partition in one.partitions if partition.note)


def _table(one: GroupLag) -> Listing:
    numbers = ("Partition", "End", "Position", "Behind", "Kafka's offset", "Kafka's lag", "Oldest")
    table = Listing("Topic", *numbers, folded={"Topic"}, right=numbers)
    for partition in one.partitions:
        table.add(clean(partition.topic), *_cells(partition))
    return table


def _cells(one: PartitionLag) -> list[str]:
    numbers = (one.partition, one.end_offset, one.position, one.behind, one.committed, one.kafka_behind)
    return [*("-" if number is None else str(number) for number in numbers), _age(one.oldest_seconds)]


def _age(seconds: float | None) -> str:
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
