"""No command shows a traceback, whatever it meets: what it says, and the code it ends with."""

import datetime as dt
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lapstream.cli.streams import READER_GONE
from tests.commands import ARGUMENTS, NOTHING_ANSWERS, OTHERS, Stdout, all_of, ended, internals

WITHOUT_SERVERS = {
    *("config", "events conformance", "events examples", "events validate"),
    *("parse day", "parse month", "parse session", "schemas", "topics acls"),
}
"""Commands that need neither a broker nor a database."""

WITHOUT_SETTINGS = WITHOUT_SERVERS - {"config", "topics acls"}

WRONG = [
    ("LAPSTREAM_POSTGRES_DSN", "host/name"),
    ("LAPSTREAM_POSTGRES_DSN", "postgresql://user:pa/ss@host/name"),
    ("LAPSTREAM_POSTGRES_DSN", "postgresql://user@host:port/name"),
    ("LAPSTREAM_POSTGRES_DSN", "postgresql://user@host:0/name"),
    ("LAPSTREAM_POSTGRES_DSN", "postgresql://user@host:99999/name"),
    ("LAPSTREAM_POSTGRES_DSN", ""),
    ("LAPSTREAM_KAFKA_BOOTSTRAP", "host:port"),
    ("LAPSTREAM_KAFKA_BOOTSTRAP", "host:99999"),
    ("LAPSTREAM_KAFKA_BOOTSTRAP", "kafka://host:9092"),
    ("LAPSTREAM_KAFKA_BOOTSTRAP", "host:9092,"),
    ("LAPSTREAM_KAFKA_BOOTSTRAP", ""),
    ("LAPSTREAM_KAFKA_SECURITY_PROTOCOL", "TLS"),
    ("LAPSTREAM_KAFKA_SASL_MECHANISM", "GSSAPI"),
    ("LAPSTREAM_KAFKA_SASL_PASSWORD", "hush-hush"),  # and no protocol that has a use for it
    ("LAPSTREAM_KAFKA_SSL_CA_LOCATION", "/there/is/no/such/file"),
    ("LAPSTREAM_DETAIL_PARTITIONS", "many"),
    ("LAPSTREAM_TOPIC_PREFIX", "a/b"),
    ("LAPSTREAM_SITE", "liverc.com"),
    ("LAPSTREAM_OTLP_ENDPOINT", "collector"),
    ("LAPSTREAM_POSTGRES_DSN_FILE", "/there/is/no/such/file"),
]
"""Settings that can't be."""

AT_CONNECTING = [
    "postgresql://user@127.0.0.1:1/name?sslmode=nonsense",
    "postgresql://user@127.0.0.1:1/name?target_session_attrs=nonsense",
    "postgresql://user@" + "a" * 300 + "/name",
]
"""Addresses of a database of which only the client says that they can't be."""


def test_every_command_is_known_with_arguments() -> None:
    known = {"run" if words.startswith("run ") else words for words in ARGUMENTS}
    assert set(all_of()) == known | OTHERS


@pytest.mark.parametrize("words", sorted(set(ARGUMENTS) - WITHOUT_SERVERS - {"status"}))
def test_a_server_that_is_away_is_named_with_the_variable(words: str, tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, words, NOTHING_ANSWERS)
    assert (code, out, internals(err)) == (1, "", [])
    if words not in {"log check", "log import"}:  # there is no copy to be read
        assert "127.0.0.1:1" in err
        assert "LAPSTREAM_" in err
    assert "hush-hush" not in err


def test_a_server_that_is_away_is_a_line_of_the_status(tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, "status", {**NOTHING_ANSWERS, "LAPSTREAM_API_PORT": "1"})
    assert (code, internals(out + err)) == (3, [])
    assert "not well: database, broker" in err
    assert all(words in out for words in ("127.0.0.1:1", "LAPSTREAM_POSTGRES_DSN", "unknown"))
    assert "hush-hush" not in out + err


@pytest.mark.parametrize("words", sorted(set(ARGUMENTS) - WITHOUT_SETTINGS))
def test_no_command_works_with_a_setting_that_can_not_be(words: str, tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, words, {**NOTHING_ANSWERS, "LAPSTREAM_POSTGRES_DSN": "nonsense"})
    assert (code, out, internals(err)) == (2, "", [])
    assert err.startswith("error: LAPSTREAM_POSTGRES_DSN: it is not of the form postgresql://")


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_setting_that_can_not_be_is_named(name: str, value: str, tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, "digest", {**NOTHING_ANSWERS, name: value})
    assert (code, out, internals(err)) == (2, "", [])
    assert err.startswith(f"error: {name}")


@pytest.mark.parametrize(("words", "form"), [("ingest", "%Y-%m-%d"), ("discover", "%Y-%m")])
def test_a_day_that_is_yet_to_come_is_refused(words: str, form: str, tmp_path: Path) -> None:
    in_a_month = dt.datetime.now(dt.UTC) + dt.timedelta(days=32)
    typed = ("sample-track", in_a_month.strftime(form))
    code, _, err = ended(tmp_path, words, NOTHING_ANSWERS, arguments=typed)
    assert (code, "is yet to come" in err) == (2, True)


@pytest.mark.parametrize("dsn", AT_CONNECTING)
def test_an_address_that_only_the_client_refuses_is_named(dsn: str, tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, "digest", {**NOTHING_ANSWERS, "LAPSTREAM_POSTGRES_DSN": dsn})
    assert (code, out, internals(err)) == (2, "", [])
    assert err.startswith("error: LAPSTREAM_POSTGRES_DSN: ")


@pytest.mark.parametrize("typed", ["config", "config --json", "--help", "ingest --help", "--version"])
@pytest.mark.parametrize(
    ("stdout", "code", "said"),
    [
        (Stdout.closed, 1, "error: standard output can't be written: it is closed\n"),
        (Stdout.full, 1, "error: standard output can't be written: No space left on device\n"),
        (Stdout.gone, READER_GONE, ""),
    ],
)
def test_output_that_can_not_be_written(
    typed: str, stdout: Stdout, code: int, said: str, tmp_path: Path
) -> None:
    result = ended(tmp_path, typed, NOTHING_ANSWERS, arguments=(), stdout=stdout)
    assert (result.code, result.err) == (code, said)


INTERRUPTED_AT = """
import importlib.abc, os, signal, sys
from lapstream.cli import main

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv[1]
sys.meta_path.insert(0, Interrupting())
sys.argv = ["lapstream", *sys.argv[2:]]
main()
"""


@pytest.mark.parametrize(
    "module", ["lapstream.cli.program", "typer", "lapstream.cli.tree", "rich.table", "asyncpg", "aiokafka"]
)
def test_ctrl_c_while_modules_are_imported_ends_without_a_word(module: str) -> None:
    program = [sys.executable, "-c", INTERRUPTED_AT, module, "lag"]
    result = subprocess.run(
        program, env=NOTHING_ANSWERS, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


@pytest.mark.parametrize("typed", ["run projector", "sample-site --port {port}"])
def test_a_port_that_is_taken_is_named_with_what_sets_it(typed: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {**NOTHING_ANSWERS, "LAPSTREAM_METRICS_PORT": str(port)}
        code, out, err = ended(tmp_path, typed.format(port=port), environment, arguments=())
    assert (out, internals(err)) == ("", [])
    assert code == (2 if "METRICS_PORT" in err else 1)
    assert "Address already in use" in err
    assert "LAPSTREAM_METRICS_PORT" in err or "--port" in err
