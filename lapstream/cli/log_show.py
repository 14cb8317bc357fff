"""What `lapstream log` shows: a copy, what was exported, imported and found."""

import datetime as dt
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from lapstream.cli.output import clean, note, out, progress_bar
from lapstream.cli.tables import Listing
from ops.log_copies.checking import CopyProblem
from ops.log_copies.exporting import Show
from ops.log_copies.manifest import Manifest, TopicCopy
from ops.log_copies.queries import Translated
from schemas.records import time_of

SHOWN_PROBLEMS = 20


class TopicView(Struct, frozen=True, kw_only=True):
    """What a copy holds of a topic.

    `missing_offsets` are those at which no record lies; `begins_late` are partitions whose beginning was gone
    when they were exported. Times are those of the records.
    """

    topic: str
    partitions: int
    records: int
    files: int
    file_bytes: int
    missing_offsets: int
    begins_late: list[int]
    earliest: dt.datetime | None
    latest: dt.datetime | None


class CopyView(Struct, frozen=True, kw_only=True):
    """A copy; `finished_at` is null where the newest export into it did not come to its end."""

    folder: str
    export_id: str
    tool: str
    cluster_id: str
    finished_at: dt.datetime | None
    topics: list[TopicView]


class ExportView(Struct, frozen=True, kw_only=True):
    """What an export came to."""

    copy: CopyView
    new_records: int
    new_files: int


class CheckView(Struct, frozen=True, kw_only=True):
    """What a check came to; `newer_offsets` is null where no topics were read."""

    copy: CopyView
    problems: list[CopyProblem]
    newer_offsets: int | None


class ImportView(Struct, frozen=True, kw_only=True):
    """What an import came to; `carried` is null where nothing was to be carried over."""

    cluster_id: str
    records: int
    sent: int
    carried: Translated | None


def copy_view(folder: Path, manifest: Manifest) -> CopyView:
    """A copy, as it is shown."""
    return CopyView(
        folder=str(folder),
        export_id=str(manifest.export_id),
        tool=manifest.tool,
        cluster_id=manifest.cluster_id,
        finished_at=manifest.finished_at,
        topics=[_topic(one) for one in manifest.topics],
    )


def _topic(topic: TopicCopy) -> TopicView:
    segments = [segment for partition in topic.partitions for segment in partition.segments]
    contents = [segment.contents for segment in segments]
    return TopicView(
        topic=topic.name,
        partitions=len(topic.partitions),
        records=sum(one.records for one in contents),
        files=len(segments),
        file_bytes=sum(segment.file_bytes for segment in segments),
        missing_offsets=sum(gap.offsets for one in contents for gap in one.gaps),
        begins_late=[
            one.partition
            for one in topic.partitions
            if one.segments and one.segments[0].contents.start_offset
        ],
        earliest=_moment(min, (one.earliest_timestamp for one in contents)),
        latest=_moment(max, (one.latest_timestamp for one in contents)),
    )


def _moment(choose: Callable[[Iterable[int]], int], timestamps: Iterable[int | None]) -> dt.datetime | None:
    """One of the timestamps; None where none is."""
    given = [one for one in timestamps if one is not None]
    return time_of(choose(given)) if given else None


def print_copy(view: CopyView) -> None:
    """Print what a copy holds, for a person."""
    numbers = ("Partitions", "Records", "Files", "Size", "Gaps", "Earliest", "Latest")
    table = Listing("Topic", *numbers, folded={"Topic"}, worded={"Earliest", "Latest"}, right=numbers)
    for one in view.topics:
        counts = (one.partitions, one.records, one.files, decimal(one.file_bytes), one.missing_offsets)
        table.add(clean(one.topic), *map(str, counts), _utc(one.earliest), _utc(one.latest))
    out.print(table)
    note_what_is_missing(view)


def note_what_is_missing(view: CopyView) -> None:
    """Say what a copy lacks of the log that it was taken from."""
    for one in view.topics:
        if one.begins_late:
            note(f"{one.topic}: the beginning of partitions {one.begins_late} was gone when it was exported")
    if view.finished_at is None:
        note(f"the newest export into {view.folder} did not come to its end: newest records may be missing")


def _utc(moment: dt.datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def print_exported(view: ExportView) -> None:
    """Print what an export came to, for a person."""
    print_copy(view.copy)
    out.print(f"{view.new_records} records in {view.new_files} files are new")


def print_checked(view: CheckView) -> None:
    """Print what a check came to, for a person."""
    print_copy(view.copy)
    for problem in view.problems[:SHOWN_PROBLEMS]:
        note(f"{problem.place}: {problem.found}")
    if view.problems:
        out.print(f"{len(view.problems)} things are not as they should be")
    elif view.newer_offsets is None:
        out.print("every file is as the manifest says")
    else:
        out.print(
            f"files and topics are as the manifest says; the topics go on for {view.newer_offsets} offsets"
        )


def print_imported(view: ImportView, *, translate: bool) -> None:
    """Print what an import came to, for a person."""
    out.print(f"cluster {view.cluster_id} holds all {view.records} records; {view.sent} were written now")
    if view.carried is None:
        out.print(
            "the database speaks of this log already" if translate else "the database was left as it is"
        )
    else:
        _print_translated(view.carried)


def _print_translated(carried: Translated) -> None:
    out.print(
        f"offsets translated: {carried.positions} positions, {carried.parked} parked records, "
        f"{carried.pages} pages that lie elsewhere now"
    )
    if carried.pages_lost or carried.parked_lost:
        note(
            f"not in the copy: {carried.pages_lost} pages, which left the index, and {carried.parked_lost} "
            "parked records, which are kept without a place"
        )
    for one in carried.cancelled:
        note(
            f"the rebuild of {one.projection} under way ({one.purpose}) knew more than the copy does: it is "
            "cancelled, and its tables are gone; begin it anew"
        )
    for one in carried.short:
        note(
            f"{one.group_name} has applied {one.topic}[{one.partition}] up to offset {one.next_offset}, and "
            f"the copy begins at {one.copied_from}: its tables lack what lies between, and so does the log"
        )
    for one in carried.ahead:
        note(
            f"{one.group_name} has applied {one.topic}[{one.partition}] up to offset {one.next_offset}, the "
            f"copy goes up to {one.copied_to}: its tables know more than the log does, until they are rebuilt"
        )


@contextmanager
def showing(doing: str) -> Generator[Show]:
    """Progress on stderr, for the length of a block."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with progress_bar(*columns) as progress:
        task = progress.add_task(doing, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
