"""How the brokers are reached: their addresses, encryption, and the login.

The fields are named as librdkafka names its settings, so that what a provider tells can be copied. They
become the options of every Kafka client here, and nowhere else: `broker.clients` and `broker.subscribing`
make the clients with them.
"""

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from schemas.errors import LapstreamError

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

SECRETS = ("sasl_password", "sasl_oauthbearer_client_secret", "ssl_key_password")
"""The fields that nobody is shown."""

FILE = "file://"
"""What the address of a token begins with that lies in a file."""

PASSWORD = ("sasl_username", "sasl_password")
_CLIENT = ("sasl_oauthbearer_client_id", "sasl_oauthbearer_client_secret")
ENDPOINT = "sasl_oauthbearer_token_endpoint_url"


class BadAccess(LapstreamError):
    """A field of `BrokerAccess` that is missing or wrong: which one, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class BrokerAccess(Struct, frozen=True, kw_only=True):
    """How the brokers are reached; `check` says whether the fields agree."""

    bootstrap: str
    security_protocol: Protocol = "PLAINTEXT"
    ssl_ca_location: str = ""
    ssl_certificate_location: str = ""
    ssl_key_location: str = ""
    ssl_key_password: str = ""
    sasl_mechanism: Mechanism = ""
    sasl_username: str = ""
    sasl_password: str = ""
    sasl_oauthbearer_token_endpoint_url: str = ""
    sasl_oauthbearer_client_id: str = ""
    sasl_oauthbearer_client_secret: str = ""
    sasl_oauthbearer_scope: str = ""

    def __repr__(self) -> str:
        hidden = {name: "***" for name in SECRETS if getattr(self, name)}
        shown = [f"{name}={hidden.get(name) or getattr(self, name)!r}" for name in self._set()]
        return f"BrokerAccess({', '.join(shown)})"

    @property
    def encrypts(self) -> bool:
        """Whether connections are encrypted."""
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def logs_in(self) -> bool:
        """Whether the broker is told who we are by SASL."""
        return self.security_protocol in {"SASL_PLAINTEXT", "SASL_SSL"}

    @property
    def takes_tokens(self) -> bool:
        """Whether the login is by a token."""
        return self.sasl_mechanism == "OAUTHBEARER"

    def check(self) -> None:
        """Raise `BadAccess` where fields are missing or contradict each other, or a file is not right."""
        self._refuse_unused("ssl_", "no TLS", used=self.encrypts)
        self._refuse_unused("sasl_", "no SASL", used=self.logs_in)
        if self.logs_in:
            self._check_login()
        if self.encrypts:
            self._check_certificate()
            _ = self.ssl_context()

    def ssl_context(self) -> ssl.SSLContext:
        """What encrypts: the broker's certificate and its name are verified. Raises `BadAccess`."""
        context = _trusting(self.ssl_ca_location) if self.ssl_ca_location else ssl.create_default_context()
        if self.ssl_certificate_location:
            self._show_certificate(context)
        return context

    def options(self) -> dict[str, Any]:
        """The options of a client of aiokafka's; raises `BadAccess`."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security_protocol,
        }
        if self.encrypts:
            options["ssl_context"] = self.ssl_context()
        if self.logs_in:
            options |= self._login()
        return options

    def _login(self) -> dict[str, Any]:
        if self.takes_tokens:
            from broker.tokens import make_provider  # noqa: PLC0415 - whoever reads settings needs no client

            provider = make_provider(
                self.sasl_oauthbearer_token_endpoint_url,
                self.sasl_oauthbearer_client_id,
                self.sasl_oauthbearer_client_secret,
                self.sasl_oauthbearer_scope,
            )
            return {"sasl_mechanism": self.sasl_mechanism, "sasl_oauth_token_provider": provider}
        return {
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": self.sasl_password,
        }

    def _set(self) -> list[str]:
        """The fields that are set."""
        return [name for name in self.__struct_fields__ if getattr(self, name)]

    def _refuse_unused(self, prefix: str, lack: str, *, used: bool) -> None:
        """Raise `BadAccess` where fields are set that the protocol, maybe the wrong one, makes no use of."""
        unused = [name for name in self._set() if name.startswith(prefix)]
        if unused and not used:
            raise BadAccess(unused[0], f"it is set, and {self.security_protocol} has {lack}")

    def _check_login(self) -> None:
        self._need(["sasl_mechanism"], f"{self.security_protocol} needs it")
        if not self.takes_tokens:
            self._need(PASSWORD, f"{self.sasl_mechanism} needs it")
            return
        self._need([ENDPOINT], "OAUTHBEARER needs it")
        url = self.sasl_oauthbearer_token_endpoint_url
        if not url.startswith(("https://", "http://", f"{FILE}/")):
            raise BadAccess(ENDPOINT, "it is not of the form https://host/path or file:///path")
        if not url.startswith(FILE):
            self._need(_CLIENT, "a token endpoint needs it")

    def _need(self, fields: Iterable[str], why: str) -> None:
        for name in fields:
            if not getattr(self, name):
                raise BadAccess(name, f"it is not set, and {why}")

    def _check_certificate(self) -> None:
        if self.ssl_key_location or self.ssl_key_password:
            self._need(["ssl_certificate_location"], "a key is of no use without its certificate")

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        """Let a client show its certificate to the broker."""
        _check_file("ssl_certificate_location", self.ssl_certificate_location)
        if self.ssl_key_location:
            _check_file("ssl_key_location", self.ssl_key_location)
        key = self.ssl_key_location or None
        try:
            # Without a password OpenSSL would ask the terminal for the one of a key that has one.
            context.load_cert_chain(self.ssl_certificate_location, key, lambda: self.ssl_key_password)
        except ssl.SSLError as error:
            wrong = "the key is that of another certificate"
            if error.reason != "KEY_VALUES_MISMATCH":
                wrong = "there is no certificate and key in PEM form, or the key has another password"
            raise BadAccess(
                "ssl_certificate_location", f"{self.ssl_certificate_location}: {wrong}"
            ) from error


def _trusting(location: str) -> ssl.SSLContext:
    """What trusts the certificate authorities of a file, and no others."""
    _check_file("ssl_ca_location", location)
    try:
        return ssl.create_default_context(cafile=location)
    except ssl.SSLError as error:
        raise BadAccess("ssl_ca_location", f"{location} holds no certificates in PEM form") from error


def _check_file(field: str, location: str) -> None:
    try:
        with Path(location).open("rb"):
            pass
    except OSError as error:
        raise BadAccess(field, f"{location} can't be read: {error.strerror}") from error
