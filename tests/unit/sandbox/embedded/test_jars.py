"""How Apache Kafka's jars are had."""

import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.embedded import jars, ports
from sandbox.embedded.errors import JarsUnavailable


class Silent(http.server.BaseHTTPRequestHandler):
    """A repository that holds nothing."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        """Nothing on stderr."""


@pytest.fixture
def empty_repository() -> Iterator[str]:
    with http.server.ThreadingHTTPServer((ports.HOST, 0), Silent) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://{ports.HOST}:{server.server_port}"
        server.shutdown()
        serving.join()


def test_without_network_and_cache_the_error_says_what_to_do(tmp_path: Path) -> None:
    cache = tmp_path / "jars"
    nowhere = {"nowhere": f"http://{ports.HOST}:{ports.choose()}"}
    with pytest.raises(JarsUnavailable) as caught:
        jars.jars(cache, report=lambda _: None, repositories=nowhere)
    assert f"Apache Kafka's jars are not in {cache}" in str(caught.value)
    assert "Connect to the network once" in str(caught.value)


def test_a_failed_fetch_leaves_nothing_that_looks_complete(tmp_path: Path, empty_repository: str) -> None:
    cache = tmp_path / "jars"
    cache.mkdir()
    with pytest.raises(JarsUnavailable, match="not found in remote repositories"):
        jars.jars(cache, report=lambda _: None, repositories={"empty": empty_repository})
    assert list(cache.iterdir()) == []


def test_cached_jars_need_no_network_and_no_word(tmp_path: Path) -> None:
    said: list[str] = []
    for name in ("b.jar", "a.jar"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("entry", "x")
    found = jars.jars(tmp_path, report=said.append, repositories={"nowhere": "http://127.0.0.1:1"})
    assert [jar.name for jar in found] == ["a.jar", "b.jar"]
    assert said == []
