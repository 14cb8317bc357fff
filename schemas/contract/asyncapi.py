"""The AsyncAPI 3.0 document of all topics: made from the structs, the topics and the envelope."""

from msgspec import Struct

from schemas.contract.envelopes import binary
from schemas.contract.examples import CONTEXT, data_of, example
from schemas.contract.json_schemas import Json, components, identifier, portable, unwrapped
from schemas.envelope import pack
from schemas.events import EVENT_TYPES
from schemas.fields import SESSION_ID, SLUG, SOURCE_NAME
from schemas.pages import PAGE_TYPE
from schemas.topics import ANY_SOURCE, DAYS, LogTopic, Topics, TopicSpec

VERSION = "1"
"""The contract's own: types have versions of their own, and are added, not changed."""

_BINDING = "0.5.0"
_DESCRIPTION = """Practice days of radio-controlled car clubs, as events in Kafka.

Lapstream reads and writes these topics; so may other systems. A record is a CloudEvent 1.0 in binary mode, or
in structured mode under the same rules. Readers ignore fields and types that they don't know, read committed
records only, and expect a record more than once: a repeated one has the same `ce_id`."""

_DAY_KEY = rf"^{SOURCE_NAME}/{SLUG}/[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}\Z"
_SESSION_KEY = _DAY_KEY.removesuffix(r"\Z") + rf"/{SESSION_ID}\Z"

DAY_KEY: Json = {
    "type": "string",
    "pattern": _DAY_KEY,
    "description": "The day, `{source}/{track_slug}/{date}`.",
    "examples": ["liverc/canberraoffroad/2025-10-25"],
}
SESSION_KEY: Json = {
    "type": "string",
    "pattern": _SESSION_KEY,
    "description": "The session, `{source}/{track_slug}/{date}/{session_id}`.",
    "examples": ["liverc/canberraoffroad/2025-10-25/21290331"],
}
PARTITION_KEY: Json = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9._-]{1,249}/[0-9]+\Z",
    "description": "Where the refused record lies, `{topic}/{partition}`.",
    "examples": ["practice-days/6"],
}
PAGE_KEY: Json = {"type": "string", "description": "The page's address."}


class Channel(Struct, frozen=True, kw_only=True):
    """A topic as people speak of it: what is in it, under which key, and who writes and reads it.

    `sent` and `received` are the types that Lapstream writes and reads there.
    """

    id: str
    title: str
    about: str
    key: Json
    sent: tuple[str, ...] = ()
    received: tuple[str, ...] = ()


OBSERVATIONS = (
    "practice_day.listed.v1",
    "practice_day.list_failed.v1",
    "session_detail.fetched.v2",
    "session_detail.failed.v1",
)
"""The types of the event log."""

OLD_OBSERVATIONS = ("session_detail.fetched.v1",)
"""The types of the event log that are only read any more."""

CHANNELS = (
    Channel(
        id="days",
        title="The event log: what was seen, and what failed to be fetched",
        about=(
            "The tables are a function of it. Several types, so that a day's events keep their order. Other "
            "systems publish onto topics of their own, which have the same form (LAPSTREAM_LOG_TOPICS). A "
            "session may come before its day's list."
        ),
        key=DAY_KEY,
        sent=OBSERVATIONS,
        received=(*OBSERVATIONS, *OLD_OBSERVATIONS),
    ),
    Channel(
        id="requests",
        title="Requests to import days",
        about="Written by `lapstream ingest`, by the API and by other systems; read by the fetchers.",
        key=DAY_KEY,
        sent=("practice_day.requested.v1",),
        received=("practice_day.requested.v1",),
    ),
    Channel(
        id="details",
        title="The work queue of the fetchers",
        about="A request for each session of a list, spread over the partitions in turn, not by key.",
        key=SESSION_KEY,
        sent=("session_detail.requested.v1",),
        received=("session_detail.requested.v1",),
    ),
    Channel(
        id="pages",
        title="Each page as it was fetched",
        about="Lapstream's own archive: parsers read it again. Not for other systems to write.",
        key=PAGE_KEY,
        sent=(PAGE_TYPE,),
        received=(PAGE_TYPE,),
    ),
    Channel(
        id="outcomes",
        title="What Lapstream announces: runs that ended, days whose tables changed",
        about=(
            "Published through the outbox, in the transaction that makes it true. A day's events come in "
            "order; one may come twice, with the same id. A rebuild announces nothing again."
        ),
        key=DAY_KEY,
        sent=("practice_day.ingested.v1", "practice_day.changed.v1"),
    ),
    Channel(
        id="refusals",
        title="Which records were refused, and why",
        about=(
            "For those who published them. Published through the outbox, in the transaction that parks the "
            "record: of the event log by the projection `practice-days`, of requests by the fetchers. The "
            "refusals of a partition come in order; one may come twice, with the same id. A rebuild "
            "announces none again."
        ),
        key=PARTITION_KEY,
        sent=("record.refused.v1",),
    ),
)

SECURITY: dict[str, Json] = {
    "plain": {"type": "plain", "description": "SASL/PLAIN."},
    "scramSha256": {"type": "scramSha256", "description": "SASL/SCRAM-SHA-256."},
    "scramSha512": {"type": "scramSha512", "description": "SASL/SCRAM-SHA-512."},
    "oauthBearer": {
        "type": "oauth2",
        "description": "SASL/OAUTHBEARER, with a token of the cluster's own identity provider.",
        "flows": {
            "clientCredentials": {"tokenUrl": "https://identity.example/oauth2/token", "availableScopes": {}}
        },
    },
    "clientCertificate": {"type": "X509", "description": "TLS with a client's certificate (mTLS)."},
}
"""What a cluster may ask of its clients."""


def document(topics: Topics) -> Json:
    """The document for topics of these names and sizes."""
    specs = {spec.name: spec for spec in topics.specs()}
    channels = [(one, name_of(one, topics)) for one in CHANNELS]
    channels += [(_channel_of(one), f"{topics.prefix}{one.name}") for one in topics.log if one.name != DAYS]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:lapstream",
        "info": {
            "title": "Lapstream",
            "version": VERSION,
            "description": unwrapped(_DESCRIPTION),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {one.id: _channel(one, specs[name]) for one, name in channels},
        "operations": dict(operation for one, _ in channels for operation in _operations(one)),
        "components": {
            "messages": {name: _message(name) for name in (*EVENT_TYPES, PAGE_TYPE)},
            "schemas": {
                "Headers": portable(binary()),
                **components(EVENT_TYPES.values(), "#/components/schemas/{name}"),
            },
            "securitySchemes": SECURITY,
        },
    }


def _channel_of(topic: LogTopic) -> Channel:
    """A topic of the event log that is another producer's."""
    sources = "every source" if ANY_SOURCE in topic.sources else ", ".join(topic.sources)
    return Channel(
        id=f"days.{topic.name}",
        title="A part of the event log that another producer writes",
        about=f"It may speak for {sources}; what it says of others is refused.",
        key=DAY_KEY,
        received=(*OBSERVATIONS, *OLD_OBSERVATIONS),
    )


def name_of(channel: Channel, topics: Topics) -> str:
    """The name of a channel's topic."""
    return getattr(topics, channel.id)


def key_of(type_name: str) -> Json:
    """The schema of the key of a type's records."""
    return portable(next(one.key for one in CHANNELS if type_name in (*one.sent, *one.received)))


def _servers() -> Json:
    host = {
        "host": "{bootstrap}",
        "variables": {
            "bootstrap": {
                "default": "localhost:9092",
                "description": "The brokers, as host:port,host:port.",
            }
        },
    }
    return {
        "plaintext": {
            **host,
            "protocol": "kafka",
            "description": "Without encryption and password, as on one machine.",
        },
        "tls": {
            **host,
            "protocol": "kafka-secure",
            "description": "Encrypted; clients show a certificate where the cluster asks for one.",
            "security": _one_of("clientCertificate"),
        },
        "sasl": {
            **host,
            "protocol": "kafka-secure",
            "description": "Encrypted; clients show a password or a token.",
            "security": _one_of("plain", "scramSha256", "scramSha512", "oauthBearer"),
        },
    }


def _one_of(*schemes: str) -> list[Json]:
    return [{"$ref": f"#/components/securitySchemes/{name}"} for name in schemes]


def _channel(channel: Channel, spec: TopicSpec) -> Json:
    names = dict.fromkeys((*channel.sent, *channel.received))
    return {
        "address": spec.name,
        "title": channel.title,
        "description": channel.about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [spec.config["cleanup.policy"]],
                    "retention.ms": spec.retention_ms,
                    "retention.bytes": int(spec.config["retention.bytes"]),
                    "max.message.bytes": int(spec.config["max.message.bytes"]),
                    "compression.type": spec.config["compression.type"],
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations(channel: Channel) -> list[tuple[str, Json]]:
    """What Lapstream does with a topic."""
    found: list[tuple[str, Json]] = []
    for action, names in (("send", channel.sent), ("receive", channel.received)):
        if names:
            messages = [{"$ref": f"#/channels/{channel.id}/messages/{name}"} for name in names]
            operation: Json = {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel.id}"},
                "summary": f"Lapstream {'writes' if action == 'send' else 'reads'} it.",
                "messages": messages,
            }
            found.append((f"{action}.{channel.id}", operation))
    return found


def _message(type_name: str) -> Json:
    return {
        "name": type_name,
        "bindings": {"kafka": {"key": key_of(type_name), "bindingVersion": _BINDING}},
        **(_page() if type_name == PAGE_TYPE else _event(type_name)),
    }


def _event(type_name: str) -> Json:
    kind = EVENT_TYPES[type_name]
    summary, _, more = unwrapped(kind.__doc__ or "").partition("\n\n")
    event = example(type_name)
    record = pack(event, CONTEXT)
    return {
        "title": kind.__name__,
        "summary": summary,
        **({"description": more} if more else {}),
        "contentType": "application/json",
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "headers": _headers(type_name, identifier(type_name)),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [
            {
                "headers": {name: data.decode() for name, data in record.headers},
                "payload": data_of(event),
            }
        ],
    }


def _page() -> Json:
    more = {
        "ce_subject": {"type": "string", "description": "The page's address."},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it was answered."},
        "ce_httpstatus": {"type": "string", "pattern": "^[1-5][0-9]{2}$", "description": "The status."},
        "ce_httpheaders": {
            "type": "string",
            "description": "JSON: content-type, etag, last-modified, date and server, as the site sent them.",
        },
    }
    headers = _headers(PAGE_TYPE)
    headers["properties"] |= more
    headers["required"] = [*headers["required"], *more]
    return {
        "title": "PageFetched",
        "summary": "A page as it was fetched: the value is its bytes, decompressed.",
        "contentType": "text/html",
        "headers": headers,
        "payload": {"type": "string", "format": "binary", "description": "The page's bytes."},
    }


def _headers(type_name: str, dataschema: str | None = None) -> Json:
    """The headers of a type's records: those of binary mode, and what is the same in all of these."""
    known: Json = {"ce_type": {"const": type_name}}
    if dataschema:
        known["ce_dataschema"] = {"const": dataschema}
    return {
        "type": "object",
        "allOf": [{"$ref": "#/components/schemas/Headers"}],
        "properties": known,
        "required": ["ce_type"],
    }
