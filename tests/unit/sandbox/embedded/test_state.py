"""What a home remembers."""

import threading
from pathlib import Path

from sandbox.embedded import state
from sandbox.embedded.state import Memory, StackState

KNOWN = StackState(kafka_port=20_001, controller_port=20_002, postgres_port=20_003, durable=False)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    state.save(tmp_path, KNOWN)
    assert state.load(tmp_path) == KNOWN


def test_a_new_home_remembers_nothing(tmp_path: Path) -> None:
    assert state.load(tmp_path) is None


def test_a_damaged_state_counts_as_none(tmp_path: Path) -> None:
    for damaged in (b"", b'{"kafka_port": 20', b'{"kafka_port": "x"}', b"\xff\xfe"):
        state.path_of(tmp_path).write_bytes(damaged)
        assert state.load(tmp_path) is None


def test_a_fresh_state_has_three_ports() -> None:
    fresh = state.fresh()
    assert len({fresh.kafka_port, fresh.controller_port, fresh.postgres_port}) == 3


def test_process_ids_are_saved_as_soon_as_they_are_known(tmp_path: Path) -> None:
    memory = Memory(tmp_path, KNOWN)
    memory.of("kafka")(11)
    memory.of("postgres")(12)
    known = state.load(tmp_path)
    assert known is not None
    assert (known.pid("kafka"), known.pid("postgres")) == (11, 12)
    assert known.kafka_port == KNOWN.kafka_port


def test_who_finds_the_lock_held_says_so_and_waits(tmp_path: Path) -> None:
    said: list[str] = []
    entered = threading.Event()
    waiting = threading.Event()

    def report(message: str) -> None:
        said.append(message)
        waiting.set()

    def enter() -> None:
        with state.locked(tmp_path / ".lock", report=report):
            entered.set()

    other = threading.Thread(target=enter)
    with state.locked(tmp_path / ".lock", report=report):
        other.start()
        assert waiting.wait(10)
        assert not entered.is_set()
    other.join(10)
    assert entered.is_set()
    assert said == ["waiting for another command that is at work in this folder…"]
