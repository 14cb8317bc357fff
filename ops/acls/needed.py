"""What each user needs at the broker: topics go in, rights and the commands that grant them come out.

`tests/integration/test_wire.py` has each role work with just these, and fail without any of them.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from broker.rights import Operation, Right
from runtime.wiring import detail_group, groups, list_group
from schemas.topics import Topics

OPERATOR = "operator"
"""Who types commands."""

PRINCIPAL = "User:lapstream-{role}"
"""How the broker calls the user of a role, unless it is said."""


class Grant(Struct, frozen=True, kw_only=True):
    """What a role, or the producer of a topic, needs."""

    role: str
    principal: str
    rights: list[Right]
    commands: list[str]


def needed(topics: Topics, principal: str = PRINCIPAL) -> list[Grant]:
    """The rights of every role, of who types commands, and of the producers of the topics that are not ours.

    `{role}` in the principal stands for the name of each.
    """
    beside = {"relay": of_observer(topics), "api": of_pages(topics)}
    return [_grant(role, principal, [*rights, *beside.get(role, ())]) for role, rights in _rights(topics)]


def _grant(role: str, principal: str, rights: list[Right]) -> Grant:
    name = principal.replace("{role}", role)
    return Grant(role=role, principal=name, rights=rights, commands=[one.command(name) for one in rights])


def of_role(topics: Topics, role: str) -> list[Right]:
    """What a role needs; without one of these it does not start."""
    return list(dict(_rights(topics))[role])


def of_observer(topics: Topics) -> list[Right]:
    """What the observer needs beside a relay: it says what it can't find out without one of these."""
    every = groups(topics)
    read = tuple(dict.fromkeys(topic for one in every for topic in one.topics))
    return [_on(read, "Read"), _of_groups(tuple(one.name for one in every), "Describe")]


def of_pages(topics: Topics) -> list[Right]:
    """What the operators' pages need: they put parked requests back, and publish mended events."""
    return [_on((topics.requests, topics.details, *topics.event_log), "Write")]


def _rights(topics: Topics) -> Iterator[tuple[str, Iterable[Right]]]:
    """What each needs; the right to read, or to write, is also the one to be told that something is there."""
    projections = [one for one in groups(topics) if one.projection]
    yield (
        "fetcher",
        (
            *_of_role(
                topics,
                reads=(topics.requests, topics.details, topics.pages),
                writes=(topics.details, topics.days, topics.pages),
            ),
            _of_groups((list_group(topics), detail_group(topics)), "Read"),
        ),
    )
    read = dict.fromkeys(topic for one in projections for topic in one.topics)
    yield (
        "projector",
        (*_of_role(topics, reads=tuple(read)), _of_groups(tuple(one.name for one in projections), "Read")),
    )
    yield "relay", _of_role(topics, writes=(topics.requests, topics.outcomes, topics.refusals))
    yield "api", _of_role(topics, reads=(*topics.event_log, topics.pages), writes=(topics.pages,))
    yield OPERATOR, _of_operator(topics)
    for topic in (one for one in topics.event_log if one != topics.days):
        yield topic, _of_producer(topic, (topics.outcomes, topics.refusals))


def _of_role(topics: Topics, *, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> Iterator[Right]:
    """What a role reads and writes; it holds all topics against their declaration when it starts."""
    every = tuple(spec.name for spec in topics.specs())
    yield _on(every, "DescribeConfigs")
    if rest := tuple(name for name in every if name not in {*reads, *writes}):
        yield _on(rest, "Describe")
    if reads:
        yield _on(reads, "Read")
    if writes:
        yield _on(writes, "Write")


def _of_operator(topics: Topics) -> Iterator[Right]:
    every = tuple(spec.name for spec in topics.specs())
    yield _on(every, "Create", "DescribeConfigs", "Read", "Write")
    yield _of_groups(tuple(one.name for one in groups(topics)), "Describe")


def _of_producer(topic: str, answers: tuple[str, ...]) -> Iterator[Right]:
    """What a producer needs that has a topic of its own, and hears what became of its records."""
    yield _on((topic,), "Write")
    yield _on(answers, "Read")
    yield Right(resource="group", names=(topic,), operations=("Read",), prefixed=True)


def _on(topics: tuple[str, ...], *operations: Operation) -> Right:
    return Right(resource="topic", names=topics, operations=operations)


def _of_groups(names: tuple[str, ...], *operations: Operation) -> Right:
    return Right(resource="group", names=names, operations=operations)
