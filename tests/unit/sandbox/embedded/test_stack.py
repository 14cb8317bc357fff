"""The verbs, where no server is needed to see what they do."""

from pathlib import Path

import pytest

from sandbox.embedded import stack, state
from sandbox.embedded.errors import HomeUnusable, NoSpace, NotOurs, NotRunning
from sandbox.embedded.postgres import open_way


def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    home = tmp_path / "not" / "yet" / "there"
    with pytest.raises(NoSpace) as caught:
        stack.check_space(home, free_bytes=lambda _: 123 * 1024 * 1024)
    assert f"only 123 MB are free for {home}; the embedded stack needs 500 MB" in str(caught.value)


def test_free_space_is_asked_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    asked: list[Path] = []

    def free_bytes(folder: Path) -> int:
        asked.append(folder)
        return 10**12

    stack.check_space(tmp_path / "not" / "yet" / "there", free_bytes=free_bytes)
    assert asked == [tmp_path]


def test_a_home_that_was_never_started_is_stopped_and_stays_absent(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = stack.status(home)
    assert (found.running, found.kafka, found.postgres) == (False, None, None)
    assert stack.down(home) is False
    assert not home.exists()


def test_a_known_home_whose_processes_are_gone_is_stopped(tmp_path: Path) -> None:
    state.save(tmp_path, state.fresh())
    found = stack.status(tmp_path)
    assert found.kafka is not None
    assert (found.running, found.kafka.state, found.kafka.pid) == (False, "stopped", None)


def test_one_server_of_an_unknown_home_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="run `lapstream dev up` first"):
        stack.start(tmp_path, "kafka")


def test_a_file_in_the_place_of_the_home_is_a_clear_error(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")
    with pytest.raises(HomeUnusable, match="LAPSTREAM_HOME"):
        stack.up(home, report=lambda _: None)


def test_a_folder_that_holds_no_stack_is_never_wiped(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    with pytest.raises(NotOurs):
        stack.wipe(tmp_path)
    assert (tmp_path / "kafka").is_dir()


def test_wiping_removes_what_the_stack_made_and_nothing_else(tmp_path: Path) -> None:
    state.save(tmp_path, state.fresh())
    for name in ("kafka", "postgres", "logs", "mine"):
        (tmp_path / name).mkdir()
    stack.wipe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_home_with_nothing_else_in_it_is_removed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    state.save(home, state.fresh())
    stack.wipe(home)
    assert not home.exists()


def test_a_way_is_opened_without_letting_others_list_it(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    said: list[str] = []
    open_way(private / "data", said.append)
    assert private.stat().st_mode & 0o007 == 0o001
    assert f"letting PostgreSQL's user pass through {private} (chmod o+x)" in said


def test_the_home_is_chosen_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPSTREAM_HOME", str(tmp_path))
    assert stack.default_home() == tmp_path
    monkeypatch.setenv("LAPSTREAM_HOME", "")
    assert stack.default_home() == Path(".lapstream")
