"""A broker with a listener for each way to reach it, and with access control lists.

Nothing is allowed but what a list says. On the listeners without a login, which are for the tests themselves,
everybody may do everything.
"""

import contextlib
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import trustme
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1
from aiokafka.protocol.api import RequestStruct
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from broker.access import BrokerAccess
from broker.clients import administering
from broker.rights import BITS, Right
from sandbox.embedded import ports, servers, state
from sandbox.embedded.kafka import Kafka
from tests import homes

PASSWORD = "fifteen-turtles"
"""The password of every user."""

ADMIN = "admin"
"""Who may log in, and do everything."""

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
_LOGINS = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Certificates:
    """Certificate and key of the broker, of a client, and the authority that signed them, in a folder."""

    folder: Path
    client_name: ClassVar[str] = "a-client"

    def make(self) -> None:
        """Make them; and another authority, which signed neither."""
        self.folder.mkdir()
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.authority)
        trustme.CA().cert_pem.write_to_path(self.stranger)
        self._issue(authority, self.broker, ports.HOST)
        self._issue(authority, self.client, "client.example", common_name=self.client_name)

    def _issue(self, authority: trustme.CA, path: Path, name: str, common_name: str | None = None) -> None:
        """A certificate with its key in one file, in the form that both Java and OpenSSL read."""
        made = authority.issue_cert(name, common_name=common_name)
        key = load_pem_private_key(made.private_key_pem.bytes(), None)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(text + b"".join(one.bytes() for one in made.cert_chain_pems))

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def stranger(self) -> Path:
        return self.folder / "stranger.pem"

    @property
    def broker(self) -> Path:
        return self.folder / "broker.pem"

    @property
    def client(self) -> Path:
        return self.folder / "client.pem"


class Used(NamedTuple):
    """A right that the broker was asked for, by somebody who has it or not."""

    user: str
    verdict: str
    operation: str
    resource: str
    name: str


_AUDITED = re.compile(
    r"Principal = User:(?P<user>\S+) is (?P<verdict>Allowed|Denied) operation = (?P<operation>\S+) from host"
    r" = \S+ on resource = (?P<resource>\w+):LITERAL:(?P<name>\S+) for request"
)


@dataclass(frozen=True)
class SecureKafka(Kafka):
    """The broker; `users` may log in, with the one password."""

    users: Sequence[str] = ()

    @cached_property
    def certificates(self) -> Certificates:
        return Certificates(self.home / "certificates")

    @cached_property
    def listening(self) -> Mapping[str, int]:
        """The ports of the listeners that are not the embedded broker's own."""
        taken = {*self.ports}
        found: dict[str, int] = {}
        for name in ("TLS", "MUTUAL", "LOGIN", "SECURE"):
            found[name] = ports.choose(taken)
            taken.add(found[name])
        return found

    @property
    def settings(self) -> dict[str, str]:
        own = super().settings
        more = "".join(f",{name}://{self.address_of(name)}" for name in self.listening)
        return {
            **own,
            "listeners": own["listeners"] + more,
            "advertised.listeners": own["advertised.listeners"] + more,
            "listener.security.protocol.map": own["listener.security.protocol.map"]
            + ",TLS:SSL,MUTUAL:SSL,LOGIN:SASL_PLAINTEXT,SECURE:SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificates.broker),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.authority),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.principal.mapping.rules": "RULE:^.*CN=([^,]+).*$/$1/",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{ADMIN};User:{Certificates.client_name}",
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            **self._logins("login"),
            **self._logins("secure"),
        }

    def _logins(self, listener: str) -> dict[str, str]:
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in (ADMIN, *self.users))
        modules = {
            "plain": f"{_LOGINS}.plain.PlainLoginModule required {users}",
            "scram-sha-256": f"{_LOGINS}.scram.ScramLoginModule required",
            "scram-sha-512": f"{_LOGINS}.scram.ScramLoginModule required",
            "oauthbearer": f"{_LOGINS}.oauthbearer.OAuthBearerLoginModule required "
            'unsecuredLoginStringClaim_sub="unused"',
        }
        prefix = f"listener.name.{listener}"
        found = {f"{prefix}.{name}.sasl.jaas.config": f"{module};" for name, module in modules.items()}
        return found | {f"{prefix}.oauthbearer.connections.max.reauth.ms": "2000"}

    @property
    def format_options(self) -> tuple[str, ...]:
        scrams = [one for one in MECHANISMS if one.startswith("SCRAM")]
        names = (ADMIN, *self.users)
        made = (f"{one}=[name={name},password={PASSWORD}]" for one in scrams for name in names)
        return tuple(word for one in made for word in ("--add-scram", one))

    @property
    def java_options(self) -> tuple[str, ...]:
        return (*super().java_options, "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=debug")

    def address_of(self, listener: str) -> str:
        return f"{ports.HOST}:{self.listening[listener]}"

    @property
    def anybody(self) -> BrokerAccess:
        """How the tests themselves reach it."""
        return BrokerAccess(bootstrap=self.address)

    def used(self) -> set[Used]:
        """Which rights were made use of until now, as its log says."""
        found = (_AUDITED.search(line) for line in servers.log_of(self).read_text().splitlines())
        return {Used(**one.groupdict()) for one in found if one}


@contextlib.contextmanager
def secure_kafka(home: Path, users: Sequence[str]) -> Generator[SecureKafka]:
    """The broker for the length of a block."""
    broker = SecureKafka(home, state.fresh(), users)
    broker.certificates.make()
    broker.provide(homes.silent)
    with homes.started(broker):
        yield broker


_RESOURCES = {"topic": 2, "group": 3}
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3


class _Asking(NamedTuple):
    """A request of one form, whatever the broker's version."""

    struct: RequestStruct

    def prepare(self, versions: object) -> RequestStruct:
        return self.struct


def _entries(principal: str, rights: Iterable[Right]) -> list[tuple[object, ...]]:
    return [
        (
            _RESOURCES[right.resource],
            name,
            _PREFIXED if right.prefixed else _LITERAL,
            principal,
            "*",
            BITS[operation],
            _ALLOW,
        )
        for right in rights
        for name in right.names
        for operation in right.operations
    ]


async def grant(broker: SecureKafka, principal: str, rights: Iterable[Right]) -> None:
    """Give a user rights; the broker's commands do the same, and take a second each."""
    async with administering(broker.anybody) as admin:
        answer = await admin._send_request(_Asking(CreateAclsRequest_v1(_entries(principal, rights))))
    assert {code for code, _ in answer.creation_responses} == {0}


async def revoke(broker: SecureKafka, principal: str, rights: Iterable[Right]) -> None:
    """Take rights from a user."""
    async with administering(broker.anybody) as admin:
        answer = await admin._send_request(_Asking(DeleteAclsRequest_v1(_entries(principal, rights))))
    assert [(one[0], len(one[2])) for one in answer.filter_responses] == [(0, 1)] * len(
        answer.filter_responses
    )
