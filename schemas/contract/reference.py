"""The AsyncAPI document as a page for people."""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Annotated, get_origin

import msgspec

from schemas import fields
from schemas.contract.json_schemas import Json, portable
from schemas.topics import FOREVER

TITLE = """# Topics and messages

Every topic, message, header and field, made from the code by `lapstream schemas`. The same for programs: the
[AsyncAPI 3.0 document](asyncapi.json) and the [JSON Schemas](schemas), which the API serves, too
(`/api/v1/asyncapi.json`, `/api/v1/schemas/{name}`). How to read and publish: [Events](events.md),
[Publish events from another system](publishing.md).

Fields marked * must be there. All others may be absent or null: the page lacked it. Lapstream itself omits
them.
"""

_DAY_MS = 24 * 3600 * 1000


def page(document: Json) -> str:
    """The page of a document."""
    schemas = document["components"]["schemas"]
    structs = {name: schema for name, schema in schemas.items() if name != "Headers"}
    messages = document["components"]["messages"]
    payloads = {message["payload"].get("$ref", "").rpartition("/")[2] for message in messages.values()}
    parts = {name: schema for name, schema in structs.items() if name not in payloads}
    sections = (
        TITLE,
        "## Topics\n",
        *(_topic(document, id_, channel) for id_, channel in document["channels"].items()),
        "## Headers\n",
        f"{schemas['Headers']['description']}\n",
        _fields(schemas["Headers"]),
        "## Messages\n",
        *(_message(document, name, message) for name, message in messages.items()),
        "## Parts\n",
        *(f"### {name}\n\n{schema['description']}\n\n{_fields(schema)}" for name, schema in parts.items()),
        "## Kinds of fields\n",
        _kinds(),
        "## Security\n",
        "What a cluster may ask of its clients.\n",
        _table(("Server", "Protocol", "", "Asks for"), _servers(document)),
    )
    return "\n".join(sections)


def _topic(document: Json, id_: str, channel: Json) -> str:
    binding = channel["bindings"]["kafka"]
    settings = binding["topicConfiguration"]
    messages = document["components"]["messages"]
    keys = {messages[name]["bindings"]["kafka"]["key"]["description"] for name in channel["messages"]}
    actions = {
        operation["action"]: [message["$ref"].rpartition("/")[2] for message in operation["messages"]]
        for operation in document["operations"].values()
        if operation["channel"]["$ref"] == f"#/channels/{id_}"
    }
    rows = [
        ("Key", " ".join(sorted(keys))),
        ("Partitions", str(binding["partitions"])),
        ("Kept", _kept(settings["retention.ms"])),
        ("Cleanup", ", ".join(settings["cleanup.policy"])),
        ("Largest record", f"{settings['max.message.bytes']:,} bytes"),
        ("Lapstream writes", _links(actions.get("send", ()))),
        ("Lapstream reads", _links(actions.get("receive", ()))),
    ]
    table = _table(("", ""), rows)
    return f"### Topic `{channel['address']}`\n\n{channel['title']}. {channel['description']}\n\n{table}"


def _kept(milliseconds: int) -> str:
    return "for ever" if milliseconds == FOREVER else f"{milliseconds // _DAY_MS} days"


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[`{name}`](#{anchor(name)})" for name in names) or "nothing"


def anchor(heading: str) -> str:
    """The anchor that a heading gets."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c in "_-")


def _message(document: Json, name: str, message: Json) -> str:
    topics = [
        f"[`{channel['address']}`](#{anchor('Topic ' + channel['address'])})"
        for channel in document["channels"].values()
        if name in channel["messages"]
    ]
    parts = [f"### `{name}`\n", f"{message['summary']} On {', '.join(topics)}.\n"]
    if more := message.get("description"):
        parts.append(f"{more}\n")
    if reference := message["payload"].get("$ref"):
        parts.append(_fields(document["components"]["schemas"][reference.rpartition("/")[2]]))
    else:
        parts.append(_fields(message["headers"]))
    for one in message.get("examples", ()):
        shown = msgspec.json.format(msgspec.json.encode(one["payload"]), indent=2).decode()
        parts.append(f"```json\n{shown}\n```\n")
    return "\n".join(parts)


def _fields(schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (f"`{name}`{' *' if name in required else ''}", _kind(field), _cell(field.get("description", "")))
        for name, field in schema["properties"].items()
    ]
    return _table(("Field", "Kind", "Meaning"), rows)


def _kind(field: Json) -> str:
    """What may stand in a field, in a few words."""
    if reference := field.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if alternatives := field.get("anyOf"):
        return " or ".join(_kind(one) for one in alternatives if one.get("type") != "null") + _or_null(field)
    if "const" in field:
        return f"`{field['const']}`"
    if values := field.get("enum"):
        return ", ".join(f"`{value}`" for value in values)
    if "maxItems" in field and "prefixItems" not in field:
        return f"list of {_kind(field['items'])}, at most {field['maxItems']:,}"
    return _titled(field)


def _or_null(field: Json) -> str:
    """Said where an item of a list may be null; a field that may be is one that may be absent."""
    return "" if "description" in field else " or null"


def _titled(field: Json) -> str:
    if title := field.get("title"):
        return f"[{title.lower()}](#kinds-of-fields)"
    longest = f", at most {field['maxLength']:,} characters" if "maxLength" in field else ""
    return f"{field.get('type', 'any')}{longest}"


def _kinds() -> str:
    """The constrained types that fields have."""
    kinds = (kind for kind in vars(fields).values() if get_origin(kind) is Annotated)
    schemas = sorted((portable(msgspec.json.schema(kind)) for kind in kinds), key=itemgetter("title"))
    rows = [
        (schema["title"].lower(), schema["type"], _cell(schema["description"]), _examples(schema))
        for schema in schemas
    ]
    return _table(("Kind", "JSON", "Written as", "Example"), rows)


def _examples(schema: Json) -> str:
    return ", ".join(f"`{msgspec.json.encode(one).decode()}`" for one in schema.get("examples", ()))


def _servers(document: Json) -> Iterator[tuple[str, str, str, str]]:
    schemes = document["components"]["securitySchemes"]
    for name, server in document["servers"].items():
        asked = [schemes[one["$ref"].rpartition("/")[2]]["description"] for one in server.get("security", ())]
        yield name, server["protocol"], server["description"], "<br>".join(asked) or "nothing"


def _cell(text: str) -> str:
    return text.replace("\n\n", " ").replace("|", "\\|")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
