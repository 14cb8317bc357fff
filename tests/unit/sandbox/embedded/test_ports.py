"""Which ports are chosen."""

import socket
from collections.abc import Iterator

import pytest

from sandbox.embedded import ports


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((ports.HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_not_free(listener: int) -> None:
    assert not ports.is_free(listener)
    assert ports.is_answering(listener)


def test_a_chosen_port_is_free_and_silent() -> None:
    port = ports.choose()
    assert ports.is_free(port)
    assert not ports.is_answering(port)


def test_a_chosen_port_is_below_those_of_outgoing_connections() -> None:
    assert ports.choose() in range(20_000, 32_000)


def test_a_port_that_is_already_promised_is_not_chosen() -> None:
    promised = set(ports.RANGE) - {20_123, 20_124, 20_125}
    assert ports.choose(promised) in {20_123, 20_124, 20_125}


def test_no_free_port_at_all_is_an_error() -> None:
    with pytest.raises(OSError, match="no port from 20000 to 32000 is free"):
        ports.choose(ports.RANGE)
