"""Secrets in settings: an address may hold a password or a token, which nobody is shown.

A setting's text goes in; out comes what may be shown of it. What was hidden in it is remembered, so that no
other text shows it either: the message of a client that could not connect, a line of the log, a traceback.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, unquote

HIDDEN = "***"

SHORTEST = 4
"""Characters of the shortest secret that is looked for in other texts."""

TOKEN = 16
"""Characters of a part of a path that is taken for a token, where paths may hold one."""

NAMES = frozenset({"lapstream", "postgres"})
"""Words that are no secrets, whatever they stand for: every second message has one of them."""

_SHOWN_PARAMETERS = frozenset(
    (
        *("application_name", "connect_timeout", "database", "dbname", "host", "port", "user"),
        *("sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert"),  # paths, not what lies there
    )
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LOGIN = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?!user:password@)[^\s/@]*:[^\s@]*@")
_PARAMETER = re.compile(r"(?i)\b(?P<name>password|sslpassword|token|api_?key|secret)=[^\s&'\"]+")

_remembered: tuple[str, ...] = ()


class _Address(NamedTuple):
    """An address in parts, each as it was written."""

    scheme: str
    login: str
    place: str
    query: str
    fragment: str

    @property
    def user(self) -> str:
        """What of the login may be shown: of a database the user."""
        return _split(self.login, ":/?#@")[0] if self.is_database else ""

    @property
    def password(self) -> str:
        """What of the login is secret."""
        return self.login.removeprefix(self.user)[1 if self.user else 0 :]

    @property
    def is_database(self) -> bool:
        return self.scheme.startswith("postgres")


def _split(text: str, ends: str) -> tuple[str, str]:
    """The text before the first of these characters, and from it on."""
    at = min((text.find(end) for end in ends if end in text), default=len(text))
    return text[:at], text[at:]


def _parse(text: str) -> _Address:
    """The parts of an address whose login ends at the last `@`: a password may hold what it should escape."""
    found = _SCHEME.match(text)
    scheme = found[0] if found else ""
    login, _, rest = text.removeprefix(scheme).rpartition("@")
    return _Address(scheme, login, *_parse_place(rest))


def _parse_strictly(text: str) -> _Address:
    """The parts of an address as clients read it: its login ends before the first `/`, `?` or `#`."""
    found = _SCHEME.match(text)
    scheme = found[0] if found else ""
    authority, rest = _split(text.removeprefix(scheme), "/?#")
    login, _, host = authority.rpartition("@")
    return _Address(scheme, login, *_parse_place(host + rest))


def _parse_place(text: str) -> tuple[str, str, str]:
    """Host and path, query, fragment."""
    text, _, fragment = text.partition("#")
    place, _, query = text.partition("?")
    return place, query, fragment


def shown(text: str, *, path: bool = True) -> str:
    """What may be shown of an address; its path only where that is no secret."""
    one = _parse(text)
    login = f"{one.user}:{HIDDEN}".removeprefix(":") if one.password else one.user
    host, slash, rest = one.place.partition("/")
    parameters = [
        pair if pair.partition("=")[0] in _SHOWN_PARAMETERS else HIDDEN
        for pair in one.query.split("&")
        if pair
    ]
    return _without_remembered(
        one.scheme
        + (f"{login}@" if login else "")
        + (one.place if path or not rest else f"{host}{slash}{HIDDEN}")
        + ("?" + "&".join(parameters) if parameters else "")
        + (f"#{HIDDEN}" if one.fragment else "")
    )


def remember(text: str, *, path: bool = True) -> None:
    """Show the secrets of an address nowhere from now on; a comma may stand between several addresses."""
    _remember({secret for one in (text, *text.split(",")) for secret in _secrets_in(one, path=path)})


def _remember(found: Iterable[str]) -> None:
    global _remembered  # noqa: PLW0603 - what a process must not say is the process's own
    forms = {form for secret in found for form in _forms(secret) if len(form) >= SHORTEST}
    _remembered = tuple(sorted({*_remembered, *forms} - NAMES, key=len, reverse=True))


def remember_word(word: str) -> None:
    """Show a secret that is no address nowhere from now on."""
    _remember([word])


def without_secrets(text: str) -> str:
    """The text without remembered secrets, and without what else looks like a login or a secret parameter."""
    text = _without_remembered(text)
    if "://" in text:
        text = _LOGIN.sub(rf"\g<scheme>{HIDDEN}@", text)
    return _PARAMETER.sub(rf"\g<name>={HIDDEN}", text) if "=" in text else text


def _without_remembered(text: str) -> str:
    for secret in _remembered:
        text = text.replace(secret, HIDDEN)
    return text


def _secrets_in(text: str, *, path: bool) -> Iterator[str]:
    """The secrets of an address, but for what stands openly beside them."""
    for pair in text.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        yield "" if name in _SHOWN_PARAMETERS else value or name
    for one in (_parse(text), _parse_strictly(text)):
        host, _, rest = one.place.partition("/")
        beside = {one.user, host, rest} if one.is_database else {one.user}
        tokens = (part for part in rest.split("/") if len(part) >= TOKEN and not path)
        yield from {one.password, one.login.partition(":")[2], one.fragment, *tokens} - beside


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may stand in a message: as it is, escaped for addresses, by Python, or in JSON."""
    for one in {secret, unquote(secret)}:
        yield from (one, quote(one), quote(one, safe=""), repr(one)[1:-1], json.dumps(one)[1:-1])
