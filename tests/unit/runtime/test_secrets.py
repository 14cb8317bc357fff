"""Secrets of settings: wherever one stands, nothing that the program says has it."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapstream.cli.config import describe
from runtime import secrets
from runtime.settings import SettingsError, read_settings
from tests.commands import ended

USUAL = {
    "LAPSTREAM_KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "LAPSTREAM_POSTGRES_DSN": "postgresql://lapstream@127.0.0.1/lapstream",
}
PLACES = {
    "DSN": ("LAPSTREAM_POSTGRES_DSN", "postgresql://someone:{}@db.test:5432/laps"),
    "DSN beside others": (
        "LAPSTREAM_POSTGRES_DSN",
        "postgresql://someone:{}@one.test,two.test:5433/laps?sslmode=off",
    ),
    "DSN's query": (
        "LAPSTREAM_POSTGRES_DSN",
        "postgresql://db.test/laps?user=someone&password={}&sslmode=off",
    ),
    "DSN's key": ("LAPSTREAM_POSTGRES_DSN", "postgres://db.test/laps?sslpassword={}"),
    "brokers": ("LAPSTREAM_KAFKA_BOOTSTRAP", "someone:{}@one.test:9092"),
    "several brokers": ("LAPSTREAM_KAFKA_BOOTSTRAP", "someone:{}@one.test:9092,someone:{}@two.test:9092"),
    "collector": ("LAPSTREAM_OTLP_ENDPOINT", "https://someone:{}@traces.test"),
    "collector's token": ("LAPSTREAM_OTLP_ENDPOINT", "https://{}@traces.test:4318"),
    "collector's query": ("LAPSTREAM_OTLP_ENDPOINT", "https://traces.test/v1?token={}&x={}"),
    "collector's path": ("LAPSTREAM_OTLP_ENDPOINT", "https://traces.test/v1/{}/traces"),
    "site": ("LAPSTREAM_SITE", "https://someone:{}@{{track_slug}}.site.test"),
    "site's query": ("LAPSTREAM_SITE", "https://{{track_slug}}.site.test/?key={}"),
}
"""Where in which setting a secret may stand."""

SECRETS = st.text(
    st.characters(
        min_codepoint=33, max_codepoint=0x17F, exclude_characters="{}&,", exclude_categories=["Cc", "Cf"]
    ),
    min_size=16,
    max_size=40,
)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_remembered", ())


def said(environment: dict[str, str]) -> str:
    """What `config` says of an environment, or the error that it ends with."""
    try:
        return "\n".join(f"{view.variable}={view.value}" for view in describe(read_settings(environment)))
    except SettingsError as error:
        return secrets.without_secrets(str(error))


def forms(secret: str) -> set[str]:
    """The secret as programs write it, and what is left of it where an address is cut."""
    return {secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1]}


@given(secret=SECRETS, place=st.sampled_from(list(PLACES)), escaped=st.booleans())
def test_a_secret_is_shown_nowhere(secret: str, place: str, escaped: bool) -> None:  # noqa: FBT001
    variable, form = PLACES[place]
    written = quote(secret, safe="") if escaped or place == "collector's path" else secret
    text = form.replace("{}", written).replace("{{", "{").replace("}}", "}")
    shown = said(USUAL | {variable: text})
    message = secrets.without_secrets(f"can't connect with {secret} ({text}): {ValueError(text)!r}")
    for one in forms(secret):
        assert one not in shown
        assert one not in message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://lapstream@127.0.0.1:5432/laps", "postgresql://lapstream@127.0.0.1:5432/laps"),
        ("postgresql://lapstream:a/b#c?d@e@127.0.0.1/laps", "postgresql://lapstream:***@127.0.0.1/laps"),
        ("postgresql://h/laps?password=abcd&sslmode=off", "postgresql://h/laps?***&sslmode=off"),
        ("https://{track_slug}.liverc.com", "https://{track_slug}.liverc.com"),
        ("one.test:9092,two.test:9092", "one.test:9092,two.test:9092"),
        ("me:password1@one.test:9092", "***@one.test:9092"),
        ("https://traces.test:4318", "https://traces.test:4318"),
    ],
)
def test_what_is_no_secret_is_shown(text: str, shown: str) -> None:
    assert secrets.shown(text) == shown


def test_a_password_that_everybody_knows_makes_no_message_unreadable() -> None:
    secrets.remember("postgresql://lapstream:lapstream@localhost:5432/lapstream")
    secrets.remember("postgresql://laps:laps@localhost/laps")
    assert secrets.without_secrets("`lapstream lag` shows the laps") == "`lapstream lag` shows the laps"


@pytest.mark.parametrize("bad", ["u:p/w@h/db", "u:p#w@h/db", "u:p?w@h/db", "u:p[w@h/db", "h:port/db"])
def test_a_password_that_is_not_escaped_is_an_error_that_says_how(bad: str) -> None:
    with pytest.raises(SettingsError, match=r"LAPSTREAM_POSTGRES_DSN: it is not of the form.*%2F") as caught:
        read_settings(USUAL | {"LAPSTREAM_POSTGRES_DSN": f"postgresql://{bad}"})
    assert "p/w" not in str(caught.value)


@pytest.mark.parametrize(
    "good", ["u:p%2Fw@h/db", "u@h1:1,h2:2/db", "u:p@[::1]:5432/db", "/db?host=/run/postgres"]
)
def test_an_address_that_clients_take_is_no_error(good: str) -> None:
    assert read_settings(USUAL | {"LAPSTREAM_POSTGRES_DSN": f"postgresql://{good}"})


def test_a_login_belongs_into_no_address_of_the_site() -> None:
    with pytest.raises(SettingsError, match="LAPSTREAM_SITE: the site template holds a login"):
        read_settings(USUAL | {"LAPSTREAM_SITE": "https://me:secret@{track_slug}.site.test"})


COMMANDS = ("config", "config --json", "migrate up", "topics check", "run all")
LOGGING = """
import logging, structlog
from ops import logs
from runtime.settings import read_settings
dsn = read_settings().postgres_dsn
logs.configure_logs()
log = structlog.get_logger("x")
log.warning("away", error=repr(OSError(dsn)), dsn=dsn, several=[dsn])
log.warning(dsn)
logging.getLogger("library").error("no route to %s", dsn)
try: raise OSError(dsn)
except OSError: log.exception("failed")
"""
FAULT = """
import importlib
from runtime.settings import read_settings
tree = importlib.import_module("lapstream.cli.tree")
def app(**_): raise OSError(read_settings().postgres_dsn)
tree.app = app
importlib.import_module("lapstream.cli").main()
"""


SECRET = "kX3-correct.horse!battery"


def with_secrets(traceback: str) -> dict[str, str]:
    """Settings of servers that are away, each with the secret."""
    login = f"someone:{quote(SECRET, safe='')}"
    return {
        "LAPSTREAM_KAFKA_BOOTSTRAP": f"someone:{SECRET}@127.0.0.1:1",
        "LAPSTREAM_POSTGRES_DSN": f"postgresql://{login}@127.0.0.1:1/laps?password={SECRET}",
        "LAPSTREAM_OTLP_ENDPOINT": f"http://{SECRET}@127.0.0.1:1/{SECRET}?key={SECRET}",
        "LAPSTREAM_CONTACT": "me@example.org",
        "LAPSTREAM_TRACEBACK": traceback,
    }


def assert_without_secret(said: str) -> None:
    assert said
    for one in forms(SECRET):
        assert one not in said


@pytest.mark.parametrize("traceback", ["", "1"])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_says_a_secret(command: str, traceback: str, tmp_path: Path) -> None:
    _, out, err = ended(tmp_path, command, with_secrets(traceback), arguments=())
    assert_without_secret(out + err)


@pytest.mark.parametrize("traceback", ["", "1"])
@pytest.mark.parametrize("program", [LOGGING, FAULT], ids=["logging", "a fault"])
def test_no_process_says_a_secret(program: str, traceback: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=with_secrets(traceback),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert_without_secret(done.stdout + done.stderr)
