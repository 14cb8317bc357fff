"""A copy's folder without a broker: what is written, what is read, and what a check finds."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from typer.testing import CliRunner

from lapstream.cli.commands.log import app
from ops.log_copies.checking import CopyProblem, check_folder
from ops.log_copies.errors import Damaged, FolderUnusable, NoCopy
from ops.log_copies.folder import MANIFEST, Folder
from ops.log_copies.form import Content, Draft, Entry, entries, entry_of
from ops.log_copies.manifest import Gap, Manifest, OffsetRun, PartitionCopy, new_manifest
from store.folders import FolderHeld

Headers = tuple[tuple[str, bytes | None], ...]


class Sent(NamedTuple):
    """A record as a client hands it out."""

    offset: int
    key: bytes | None = b"key"
    value: bytes | None = b"value"
    headers: Headers = ()
    timestamp: int = 1_761_350_400_000
    topic: str = "practice-days"
    partition: int = 3


ODD = (
    Sent(5, key=None),
    Sent(6, value=None, timestamp=-1),
    Sent(7, key=None, value=None),
    Sent(8, key=b"", value=b"", headers=(("a", None), ("a", b""), ("a", b"\xff\xfe"), ("ä", b"1"))),
    Sent(12, value=b"x" * 70_000, timestamp=1_761_350_399_999),
)


def drafted(*records: Sent, end: int | None = None) -> Draft:
    draft = Draft(records[0].offset)
    for record in records:
        draft.add(entry_of(record), record.timestamp)
    draft.pass_over(end or draft.next_offset)
    return draft


def copied(path: Path, *segments: tuple[Sent, ...]) -> Manifest:
    """A folder that holds these segments of one partition."""
    folder = Folder(path)
    manifest = new_manifest("lapstream test", "cluster", "")
    for records in segments:
        segment = folder.add("practice-days", 3, drafted(*records))
        manifest.copy_of("practice-days", 3).segments.append(segment)
    folder.save(manifest)
    return manifest


async def problems(path: Path) -> list[CopyProblem]:
    return (await check_folder(path, lambda _done, _total: None)).problems


def rewrite(path: Path, **changes: Any) -> None:
    """Change what the manifest says of its only segment's contents."""
    manifest = Folder(path).manifest()
    [segment] = manifest.segments
    contents = msgspec.structs.replace(segment.contents, **changes)
    manifest.topics[0].partitions[0].segments = [msgspec.structs.replace(segment, contents=contents)]
    Folder(path).save(manifest)


def test_odd_records_come_back_as_they_were() -> None:
    found = list(entries(bytes(drafted(*ODD).frames)))
    assert [(one.offset, *one.content) for one in found] == [
        (one.offset, one.timestamp, one.key, one.headers, one.value) for one in ODD
    ]


def test_a_segment_says_what_is_in_it() -> None:
    contents = drafted(*ODD, end=15).contents()
    assert (contents.start_offset, contents.next_offset, contents.records) == (5, 15, 5)
    assert contents.gaps == [Gap(9, 3), Gap(13, 2)]
    assert (contents.earliest_timestamp, contents.latest_timestamp) == (1_761_350_399_999, 1_761_350_400_000)


def test_without_any_time_there_is_no_earliest_one() -> None:
    assert drafted(Sent(0, timestamp=-1)).contents().earliest_timestamp is None


def test_the_content_digest_knows_nothing_of_offsets() -> None:
    first, moved = drafted(Sent(0), Sent(1)).contents(), drafted(Sent(7), Sent(9)).contents()
    assert first.content_sha256 == moved.content_sha256
    assert first.content_sha256 != drafted(Sent(0), Sent(1, value=b"other")).contents().content_sha256


def test_records_out_of_order_are_no_segment() -> None:
    with pytest.raises(ValueError, match="offset 3 stands where 6 is the next one"):
        drafted(Sent(5), Sent(3))


@pytest.mark.parametrize("cut", [1, 12, 14])
def test_a_segment_that_ends_in_the_middle_of_a_record_is_none(cut: int) -> None:
    with pytest.raises(ValueError, match="it ends within"):
        list(entries(bytes(drafted(Sent(0)).frames)[:cut]))


def test_runs_skip_gaps_within_and_between_segments(tmp_path: Path) -> None:
    manifest = copied(tmp_path, (Sent(2), Sent(3), Sent(6)), (Sent(7), Sent(9)))
    [(_, copy)] = manifest.partitions()
    assert list(copy.runs()) == [
        OffsetRun(2, 0, 2),
        OffsetRun(6, 2, 1),
        OffsetRun(7, 3, 1),
        OffsetRun(9, 4, 1),
    ]


def test_a_partition_without_segments_has_no_runs() -> None:
    assert list(PartitionCopy(partition=0, segments=[]).runs()) == []


async def test_a_folder_is_what_it_was_written_as(tmp_path: Path) -> None:
    manifest = copied(tmp_path, ODD, (Sent(13),))
    assert Folder(tmp_path).manifest() == manifest
    assert await problems(tmp_path) == []
    assert [segment.file for segment in manifest.segments] == [
        "practice-days/3/00000000000000000005.zst",
        "practice-days/3/00000000000000000013.zst",
    ]


async def test_one_flipped_bit_is_found(tmp_path: Path) -> None:
    [segment] = copied(tmp_path, ODD).segments
    file = tmp_path / segment.file
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    [problem] = await problems(tmp_path)
    assert problem.place == segment.file
    assert "is damaged" in problem.found
    with pytest.raises(Damaged):
        Folder(tmp_path).entries(segment)


async def test_a_file_that_is_cut_or_missing_is_found(tmp_path: Path) -> None:
    first, second = copied(tmp_path, ODD, (Sent(13),)).segments
    file = tmp_path / first.file
    file.write_bytes(file.read_bytes()[:-5])
    (tmp_path / second.file).unlink()
    found = {problem.place: problem.found for problem in await problems(tmp_path)}
    assert found.keys() == {first.file, second.file}
    assert "No such file" in found[second.file]


async def test_a_file_that_is_no_segment_is_found_though_its_checksum_is_right(tmp_path: Path) -> None:
    manifest = copied(tmp_path, ODD)
    [segment] = manifest.segments
    (tmp_path / segment.file).write_bytes(b"no zstd")
    digest = hashlib.sha256(b"no zstd").hexdigest()
    manifest.topics[0].partitions[0].segments = [msgspec.structs.replace(segment, sha256=digest)]
    Folder(tmp_path).save(manifest)
    [problem] = await problems(tmp_path)
    assert "can't be read" in problem.found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"records": 4}, "records is 5, the manifest says 4"),
        ({"gaps": []}, "gaps is "),
        ({"start_offset": 4}, "gaps is "),
        ({"start_offset": 6}, "offset 5 stands where 6 is the next one"),
        ({"next_offset": 99}, "gaps is "),
        ({"earliest_timestamp": None}, "earliest_timestamp is "),
        ({"content_sha256": "0" * 64}, "content_sha256 is "),
        ({"bytes": 7}, "bytes is "),
    ],
)
async def test_a_manifest_that_says_something_else_is_found(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    copied(tmp_path, ODD)
    rewrite(tmp_path, **changes)
    assert any(problem.found.startswith(expected) for problem in await problems(tmp_path))


async def test_segments_that_do_not_follow_each_other_are_found(tmp_path: Path) -> None:
    copied(tmp_path, (Sent(0),), (Sent(5),))
    [problem] = await problems(tmp_path)
    assert problem.found == "it begins at offset 5, the one before it ends at 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is no manifest"),
        ('{"format": "lapstream-log/1"}', "is no manifest"),
        ("lapstream-log/9", "is of the format 'lapstream-log/9'"),
    ],
)
def test_a_manifest_of_another_format_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    copied(tmp_path, ODD)
    manifest = tmp_path / MANIFEST
    manifest.write_text(text if "{" in text else manifest.read_text().replace("lapstream-log/1", text))
    with pytest.raises(NoCopy, match=expected):
        Folder(tmp_path).manifest()


@pytest.mark.parametrize(
    ("said", "edited"),
    [('"cluster_id": "cluster"', '"cluster_id": "other"'), ('"next_offset": 13', '"next_offset": 12')],
)
async def test_a_manifest_that_was_edited_is_found(tmp_path: Path, said: str, edited: str) -> None:
    copied(tmp_path, ODD)
    manifest = tmp_path / MANIFEST
    assert said in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(said, edited))
    with pytest.raises(Damaged, match="not as it was written"):
        await problems(tmp_path)


def test_a_manifest_does_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    manifest = copied(tmp_path, ODD)
    [segment] = manifest.segments
    outside = msgspec.structs.replace(segment, file="../../00000000000000000005.zst")
    manifest.topics[0].partitions[0].segments = [outside]
    Folder(tmp_path).save(manifest)
    with pytest.raises(NoCopy, match="file"):
        Folder(tmp_path).manifest()


async def test_a_file_that_a_finished_export_does_not_name_is_found(tmp_path: Path) -> None:
    manifest = copied(tmp_path, ODD, (Sent(13),))
    forgotten = manifest.topics[0].partitions[0].segments.pop()
    Folder(tmp_path).save(manifest)
    assert await problems(tmp_path) == []
    manifest.finished_at = manifest.began_at
    Folder(tmp_path).save(manifest)
    assert [one.place for one in await problems(tmp_path)] == [forgotten.file]


def test_two_exports_into_one_folder_get_in_no_ones_way(tmp_path: Path) -> None:
    with (
        Folder(tmp_path).held(),
        pytest.raises(FolderHeld, match="another export"),
        Folder(tmp_path).held(),
    ):
        pass


def test_a_first_export_keeps_out_of_folders_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(FolderUnusable, match="letters"):
        Folder(tmp_path).check_empty()


def test_a_folder_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="file"), Folder(tmp_path / "file" / "copy").held():
        pass


def test_check_needs_no_settings_and_exits_with_1_where_something_differs(tmp_path: Path) -> None:
    copied(tmp_path, ODD)
    whole = CliRunner().invoke(app, ["check", str(tmp_path), "--json"], env={"LAPSTREAM_KAFKA_BOOTSTRAP": ""})
    assert whole.exit_code == 0
    assert msgspec.json.decode(whole.stdout)["copy"]["topics"][0]["missing_offsets"] == 3
    rewrite(tmp_path, records=4)
    found = CliRunner().invoke(app, ["check", str(tmp_path)], env={"COLUMNS": "200"})
    assert found.exit_code == 1
    assert "records is 5, the manifest says 4" in found.stderr


def test_a_copy_is_read_with_ten_lines_of_python(tmp_path: Path) -> None:
    [segment] = copied(tmp_path, ODD).segments
    program = """
import io, struct, sys
import cramjam, msgspec
stream = io.BytesIO(cramjam.zstd.decompress(open(sys.argv[1], "rb").read()))
while head := stream.read(12):
    offset, length = struct.unpack(">QI", head)
    timestamp, key, headers, value = msgspec.msgpack.decode(stream.read(length))
    print(offset, timestamp, key, len(headers))
"""
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, tmp_path / segment.file],
        capture_output=True,
        check=True,
    )
    assert found.stdout.decode().splitlines()[3] == "8 1761350400000 b'' 4"


@pytest.mark.parametrize("command", ["export", "import", "check"])
def test_every_command_has_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: lapstream log {command}" in result.stdout


def test_a_content_is_what_the_format_says() -> None:
    entry = Entry(0, bytes([0x94, 0xFF, 0xC0, 0x91, 0x92, 0xA1, 0x61, 0xC0, 0xC4, 0x01, 0x78]))
    assert entry.content == Content(-1, None, (("a", None),), b"x")
    assert entry_of(Sent(0, key=None, headers=(("a", None),), value=b"x", timestamp=-1)) == entry
