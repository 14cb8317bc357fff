"""The wire: encryption, logins and rights, on a broker that asks for all of them."""

import asyncio
import base64
import contextlib
import json
import re
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from msgspec.structs import replace

from broker.access import BrokerAccess
from broker.clients import administering, make_consumer, make_producer, make_reader, reading
from broker.rights import Right, missing
from broker.subscribing import make_broker
from broker.topics import create_topics
from lapstream.roles import check_ready, run_roles
from ops.acls.needed import OPERATOR, needed, of_observer, of_pages, of_role
from ops.events.publishing import publish
from ops.imports import follow
from ops.lag.report import observed
from producer.queues import Queue, subscribe
from producer.site import SOURCE
from runtime.database import ServerAway, connected
from runtime.faults import RightMissing, explained
from runtime.obtaining import discovering
from runtime.settings import KAFKA, Settings
from runtime.wiring import detail_group, groups, projection_group
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.server import RunningSite
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context, Received, pack
from schemas.scopes import Scope
from schemas.topics import LogTopic, Topics
from store.parking import ParkedRecord
from store.pool import Connection
from tests import homes
from tests.api import asking, data_of
from tests.conftest import DAY, TRACK, at, own_settings, working
from tests.lag import Looking, watching
from tests.members import until
from tests.producers import producing
from tests.secure_servers import (
    ADMIN,
    PASSWORD,
    Certificates,
    SecureKafka,
    grant,
    revoke,
    secure_kafka,
)
from tests.tls_proxy import encrypting
from tests.token_server import CLIENT, token_server

REQUEST = follow.request(SOURCE, TRACK, DAY)
MONTH = {"track_slug": TRACK, "year": DAY.year, "month": DAY.month}
ROLES = ("api", "fetcher", "projector", "relay")


@pytest.fixture(scope="module")
def secure() -> Generator[SecureKafka]:
    with homes.folder() as home, secure_kafka(home, [*ROLES, OPERATOR, "stranger"]) as broker:
        yield broker


def token(seconds: float = 3600) -> str:
    """A token that is not signed, as the broker takes it here."""
    claims = {"sub": ADMIN, "iat": time.time(), "exp": time.time() + seconds}
    parts = (
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "none"}, claims)
    )
    return b".".join([*parts, b""]).decode()


def ways(broker: SecureKafka, folder: Path) -> Mapping[str, BrokerAccess]:
    """Every way to reach it."""
    made = broker.certificates
    (folder / "token").write_text(token())
    trusting: dict[str, Any] = {"ssl_ca_location": str(made.authority)}
    login: dict[str, Any] = {"sasl_username": ADMIN, "sasl_password": PASSWORD}
    secure: dict[str, Any] = {
        "bootstrap": broker.address_of("SECURE"),
        "security_protocol": "SASL_SSL",
        **trusting,
    }
    tls: dict[str, Any] = {"security_protocol": "SSL", **trusting}
    return {
        "PLAINTEXT": broker.anybody,
        "TLS": BrokerAccess(bootstrap=broker.address_of("TLS"), **tls),
        "certificate": BrokerAccess(
            bootstrap=broker.address_of("MUTUAL"), ssl_certificate_location=str(made.client), **tls
        ),
        "password without TLS": BrokerAccess(
            bootstrap=broker.address_of("LOGIN"),
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-256",
            **login,
        ),
        "PLAIN": BrokerAccess(sasl_mechanism="PLAIN", **secure, **login),
        "SCRAM-SHA-256": BrokerAccess(sasl_mechanism="SCRAM-SHA-256", **secure, **login),
        "SCRAM-SHA-512": BrokerAccess(sasl_mechanism="SCRAM-SHA-512", **secure, **login),
        "OAUTHBEARER": BrokerAccess(
            sasl_mechanism="OAUTHBEARER",
            sasl_oauthbearer_token_endpoint_url=f"file://{folder / 'token'}",
            **secure,
        ),
    }


async def carried(access: BrokerAccess, topic: str, group: str) -> None:
    """Send a record, and have each kind of client come by it."""
    came = asyncio.Event()

    async def work(received: Received) -> None:
        came.set()

    async def park(group: str, bad: ParkedRecord) -> None:
        raise AssertionError(bad)

    fetching, producer = make_broker(access, finish_seconds=1), make_producer(access)
    record = pack(REQUEST, Context(source="test"))
    async with contextlib.AsyncExitStack() as stack:
        admin = await stack.enter_async_context(administering(access))
        reader = await stack.enter_async_context(reading(make_reader(access)))
        stack.push_async_callback(producer.stop)
        stack.push_async_callback(fetching.stop)
        await asyncio.gather(producer.start(), fetching.start())
        assert topic in await admin.list_topics()
        sent: Any = await producer.send(
            topic, key=record.key, value=record.value, headers=list(record.headers), partition=0
        )
        _, subscriber = subscribe(fetching, Queue(topic, group, work), park)
        await subscriber.start()
        reader.assign([TopicPartition(topic, 0)])
        reader.seek(TopicPartition(topic, 0), (await sent).offset)
        assert (await reader.getone()).value == record.value
        await asyncio.wait_for(came.wait(), 30)


async def test_every_client_works_by_every_way(secure: SecureKafka, tmp_path: Path) -> None:
    topics = Topics(prefix="ways-")
    await create_topics(secure.anybody, topics, replication_factor=1)
    every = ways(secure, tmp_path)
    await asyncio.gather(
        *(carried(access, topics.requests, f"group {name}") for name, access in every.items())
    )


async def said(access: BrokerAccess) -> str:
    """What a command says that can't use the broker."""
    with pytest.raises(KafkaError) as caught:
        async with administering(access):
            pass
    return str(explained(caught.value))


OTHER_NAME = "Hostname mismatch, certificate is not valid for 'localhost'"
NO_FILE = "No such file or directory"
PROTOCOL = "LAPSTREAM_KAFKA_SECURITY_PROTOCOL"
TOKENS = "LAPSTREAM_KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL"
PASSWORDS = "LAPSTREAM_KAFKA_SASL_USERNAME and LAPSTREAM_KAFKA_SASL_PASSWORD"
BAD_LOGIN = "Authentication failed during authentication due to invalid credentials with SASL mechanism"


def wrong(broker: SecureKafka, folder: Path) -> Mapping[tuple[str, str], BrokerAccess]:
    """Ways that lead nowhere, by what is said of them, and of which settings."""
    every = ways(broker, folder)
    tls, plaintext, certificates = every["TLS"], broker.anybody, broker.certificates
    (folder / "expired").write_text(token(-60))

    def tokens(name: str) -> BrokerAccess:
        return replace(every["OAUTHBEARER"], sasl_oauthbearer_token_endpoint_url=f"file://{folder / name}")

    def password(name: str) -> BrokerAccess:
        return replace(every[name], sasl_password="eleven-toads")

    return {
        ("does not speak TLS", PROTOCOL): replace(tls, bootstrap=broker.address),
        ("speaks TLS", PROTOCOL): replace(plaintext, bootstrap=broker.address_of("TLS")),
        ("closes the connection: it wants a login, or is not ready yet", PROTOCOL): replace(
            plaintext, bootstrap=broker.address_of("LOGIN")
        ),
        ("takes no login", PROTOCOL): replace(every["password without TLS"], bootstrap=broker.address),
        (
            "shows a certificate that can't be verified: unable to get local issuer certificate",
            "LAPSTREAM_KAFKA_SSL_CA_LOCATION",
        ): replace(tls, ssl_ca_location=str(certificates.stranger)),
        (
            f"shows a certificate of another name: {OTHER_NAME}",
            "LAPSTREAM_KAFKA_BOOTSTRAP",
        ): replace(tls, bootstrap=f"localhost:{broker.listening['TLS']}"),
        (
            "does not take the certificate that it is shown, or none",
            "LAPSTREAM_KAFKA_SSL_CERTIFICATE_LOCATION",
        ): replace(tls, bootstrap=broker.address_of("MUTUAL")),
        ("refuses the login: Authentication failed: Invalid username or password", PASSWORDS): password(
            "PLAIN"
        ),
        (f"refuses the login: {BAD_LOGIN} SCRAM-SHA-512", PASSWORDS): password("SCRAM-SHA-512"),
        ('refuses the login: {"status":"invalid_token"}', TOKENS): tokens("expired"),
        (
            f"asks for a token, and the token file {folder / 'none'} can't be read: {NO_FILE}",
            TOKENS,
        ): tokens("none"),
    }


async def test_what_is_wrong_is_one_line_that_names_the_setting(secure: SecureKafka, tmp_path: Path) -> None:
    each_way = wrong(secure, tmp_path)
    expected = {
        f"the broker at {access.bootstrap} {found}; {'are' if ' and ' in names else 'is'} {names} right?"
        for (found, names), access in each_way.items()
    }
    assert set(await asyncio.gather(*map(said, each_way.values()))) == expected


async def test_clients_go_on_when_the_broker_asks_for_a_fresh_token(secure: SecureKafka) -> None:
    topic = Topics(prefix="ways-").days
    await create_topics(secure.anybody, Topics(prefix="ways-"), replication_factor=1)
    async with token_server(token, expires_in=0) as server:
        access = BrokerAccess(
            bootstrap=secure.address_of("LOGIN"),
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="OAUTHBEARER",
            sasl_oauthbearer_token_endpoint_url=server.url,
            sasl_oauthbearer_client_id=CLIENT[0],
            sasl_oauthbearer_client_secret=CLIENT[1],
            sasl_oauthbearer_scope="kafka",
        )
        producer = make_producer(access)
        await producer.start()
        async with reading(make_reader(access)) as reader:
            place = TopicPartition(topic, 0)
            reader.assign([place])
            reader.seek(place, 0)
            asked, count = 0, 0
            while not asked or len(server.asked) < asked + 2:
                sent = await producer.send(topic, key=b"k", value=b"%d" % count, headers=[], partition=0)
                await sent
                assert (await reader.getone()).value == b"%d" % count
                asked, count = asked or len(server.asked), count + 1
        await producer.stop()
        assert server.asked[0] == {"grant_type": ["client_credentials"], "scope": ["kafka"]}
        stranger = replace(access, sasl_oauthbearer_client_secret="eleven-toads")
        refused = f"{server.url} gives no token: status 401, invalid_client: no such client; is {TOKENS}"
        assert refused in await said(stranger)


def as_user(settings: Settings, broker: SecureKafka, user: str) -> Settings:
    """The settings of somebody who logs in with a password, over TLS."""
    access = BrokerAccess(
        bootstrap=broker.address_of("SECURE"),
        security_protocol="SASL_SSL",
        ssl_ca_location=str(broker.certificates.authority),
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username=user,
        sasl_password=PASSWORD,
    )
    return at(settings, **{KAFKA + name: getattr(access, name) for name in access.__struct_fields__})


@pytest.fixture
async def granted(secure: SecureKafka, dsn: str, running_site: RunningSite) -> Settings:
    """Settings for topics that are there, with every role's rights granted, and no others."""
    settings = at(own_settings(secure.address, dsn, running_site), api_port=0)
    for one in needed(settings.topics, "User:{role}"):
        await grant(secure, one.principal, one.rights)
    operator = as_user(settings, secure, OPERATOR)
    await create_topics(operator.broker, operator.topics, replication_factor=1)
    return settings


async def test_each_role_works_with_its_rights_and_makes_use_of_all_of_them(
    secure: SecureKafka, granted: Settings, site: SampleSite
) -> None:
    day = generate_day(TRACK, DAY, seed=1, sessions=2, laps_per_session=2)
    site.put(day)
    users = {role: as_user(granted, secure, role) for role in (*ROLES, OPERATOR)}
    async with contextlib.AsyncExitStack() as stack:
        for role in ("fetcher", "projector", "relay"):
            await stack.enter_async_context(working(users[role], role))
        assert (await follow.ingest(users[OPERATOR], REQUEST, follow.unseen)).sessions_with_laps == 2
        async with producing(granted) as producer:  # a record that is refused, and that is published
            await producer.send_and_wait(granted.topics.days, key=b"x", value=b"x")
        await check_ready(users["api"], ["api"])
        unlimited = at(users["api"], api_requests_per_minute=100_000)
        discover = await stack.enter_async_context(discovering(users["api"]))
        api = await stack.enter_async_context(asking(unlimited, Scope.ingest, discover=discover))
        data_of(
            await api.get("/provenance/laps", params={"key": f"{TRACK}/{DAY}/{day.sessions[0].session_id}/1"})
        )

        async def all_was_used() -> bool:
            """Once the index has the pages, those that did not change are read from the archive."""
            await follow.ingest(users[OPERATOR], REQUEST, follow.unseen)
            data_of(await api.post("/practice-days/discover", json=MONTH))
            return not unused(secure, granted)

        await until(all_was_used)
        await until(partial(is_observed, granted))
    assert {one for one in secure.used() if one.verdict == "Denied" and one.user in users} == set()


async def is_observed(settings: Settings) -> bool:
    """Whether the relay has looked at the fleet, and found out everything of every group."""
    async with connected(settings) as connection:
        found = await observed(connection)
    return len(found.groups) == len(groups(settings.topics)) and not any(one.troubles for one in found.groups)


def unused(broker: SecureKafka, settings: Settings) -> set[tuple[str, str, str]]:
    """The rights of roles that the broker was not asked for."""
    asked = {(one.user, one.operation, one.name) for one in broker.used() if one.verdict == "Allowed"}
    return {
        (role, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).upper(), name)
        for role in ROLES
        for right in of_role(settings.topics, role)
        for name in right.names
        for operation in right.operations
    } - asked


async def is_lacking(admin: Any, rights: list[Right], expected: str | None) -> bool:
    """Whether the user lacks a right by now, or none: the broker learns of a change a moment later."""
    found = await missing(admin, rights)
    return expected in found if expected else not found


async def test_a_right_that_is_missing_is_named(secure: SecureKafka, granted: Settings) -> None:
    await revoke(secure, "User:relay", of_observer(granted.topics))  # who may read a topic may see it
    await revoke(secure, "User:api", of_pages(granted.topics))
    for role in ROLES:
        rights = of_role(granted.topics, role)
        async with administering(as_user(granted, secure, role).broker) as admin:
            for right in each(rights):
                [operation], [name] = right.operations, right.names
                await revoke(secure, f"User:{role}", [right])
                await until(partial(is_lacking, admin, rights, f"{operation} on {right.resource} {name}"))
                assert {one.rpartition(" ")[2] for one in await missing(admin, rights)} == {name}
                await grant(secure, f"User:{role}", [right])
                await until(partial(is_lacking, admin, rights, None))


async def troubles(lag: Looking) -> set[str]:
    """What a look could not find out."""
    return {words for group in await lag.look() for words in group.troubles}


async def test_the_observer_says_which_right_is_missing(secure: SecureKafka, granted: Settings) -> None:
    relay = as_user(granted, secure, "relay")
    topics, every = granted.topics, groups(granted.topics)
    read = (topics.days, topics.pages, topics.requests, topics.details)
    expected = {f"the right Describe on group {one.name} is missing" for one in every} | {
        f"how old the oldest record of {name} is: the right Read on that topic is missing" for name in read
    }

    async def are_named() -> bool:
        found = {words.partition(";")[0] for words in await troubles(lag)}
        return found == expected

    async with watching(relay) as lag:
        await until(lambda: is_empty(lag))
        await revoke(secure, "User:relay", of_observer(granted.topics))
        await until(are_named)
        async with administering(relay.broker) as admin:
            assert await missing(admin, of_role(granted.topics, "relay")) == []  # and so it relays
        found = {one.group: one for one in await lag.look()}
    projection, queue = found[projection_group(topics)], found[detail_group(topics)]
    assert (projection.behind, projection.members, queue.behind) == (0, None, None)


async def is_empty(lag: Looking) -> bool:
    return not await troubles(lag)


async def test_a_role_without_a_right_does_not_start(secure: SecureKafka, granted: Settings) -> None:
    details = granted.topics.details
    writing = Right(resource="topic", names=(details,), operations=("Write",))
    await revoke(secure, "User:fetcher", [writing])
    fetcher = as_user(granted, secure, "fetcher")
    async with administering(fetcher.broker) as admin:
        await until(
            partial(is_lacking, admin, of_role(granted.topics, "fetcher"), f"Write on topic {details}")
        )
    with pytest.raises(RightMissing) as caught:
        await run_roles(fetcher, ["fetcher"], asyncio.Event())
    assert str(caught.value) == (
        f"the broker does not allow its user what fetcher needs: Write on topic {details}; "
        "`lapstream topics acls` prints the commands that grant it"
    )


def each(rights: Iterable[Right]) -> Iterator[Right]:
    """Rights to one operation on one resource."""
    for right in rights:
        for name in right.names:
            for operation in right.operations:
                yield replace(right, names=(name,), operations=(operation,))


async def test_a_producer_writes_to_its_own_topic_and_to_no_other(
    secure: SecureKafka, granted: Settings
) -> None:
    own = at(granted, log_topics=(LogTopic("practice-days"), LogTopic("orbits-days", ("orbits",))))
    producer = as_user(own, secure, "stranger")
    days, topic = own.topics.event_log
    await create_topics(secure.anybody, own.topics, replication_factor=1)
    [rights] = [one.rights for one in needed(own.topics) if one.role == topic]
    seeing = Right(resource="topic", names=(days,), operations=("Describe",))
    await grant(secure, "User:stranger", [*rights, seeing])
    async with administering(producer.broker) as admin:
        await until(partial(is_lacking, admin, [seeing, *rights[:-1]], None))
    record = pack(REQUEST, Context(source="test"))
    await publish(producer.broker, [(topic, record)])
    answers: Any = make_consumer(producer.broker, f"{topic}-answers", gather_ms=1)
    answers.subscribe([own.topics.refusals])
    await answers.start()
    await answers.getmany(timeout_ms=1, max_records=1)
    await answers.stop()
    with pytest.raises(TopicAuthorizationFailedError) as caught:
        await publish(producer.broker, [(days, record)])
    told = f"the client is not authorized to access the requested topic ({days})"
    assert str(explained(caught.value)) == f"the broker does not allow it: {told}"


async def test_the_database_is_verified_and_what_is_wrong_is_one_line(dsn: str, tmp_path: Path) -> None:
    made = Certificates(tmp_path / "certificates")
    made.make()
    place = urlsplit(dsn)
    async with encrypting(place.hostname or "", place.port or 0, made.broker) as port:

        def address(mode: str, host: str = "127.0.0.1", root: Path = made.authority) -> str:
            netloc = f"{place.username}:{place.password}@{host}:{port}"
            return place._replace(netloc=netloc, query=f"sslmode={mode}&sslrootcert={root}").geturl()

        async with opened(address("verify-full")), opened(address("verify-ca", "localhost")):
            pass
        wrong = {
            "Hostname mismatch, certificate is not valid for 'localhost'.": address(
                "verify-full", "localhost"
            ),
            "unable to get local issuer certificate": address("verify-full", root=made.stranger),
        }
        for said, one in wrong.items():
            with pytest.raises(ServerAway) as caught:
                async with opened(one):
                    pass
            shown = one.replace(f":{place.password}@", ":***@")
            assert str(caught.value) == (
                f"the database at {shown} can't be used: TLS failed: {said}; is LAPSTREAM_POSTGRES_DSN right?"
            )


def opened(dsn: str) -> AbstractAsyncContextManager[Connection]:
    """A connection to this address."""
    return connected(Settings(kafka_bootstrap="unused:1", postgres_dsn=dsn))
