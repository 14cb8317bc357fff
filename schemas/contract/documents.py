"""The documents of the contract, as they stand on file and as the API serves them."""

import msgspec

from schemas.contract import asyncapi, reference
from schemas.contract.envelopes import envelope_schemas
from schemas.contract.json_schemas import Json, event_schemas
from schemas.topics import Topics


def schemas() -> dict[str, Json]:
    """Every JSON Schema by its name: of each type of event, and of the envelope in each mode."""
    return event_schemas() | envelope_schemas()


def files() -> dict[str, str]:
    """What stands in the folder of documents, by the path in it."""
    described = asyncapi.document(Topics())
    return {
        **{f"schemas/{name}.json": text(schema) for name, schema in schemas().items()},
        "asyncapi.json": text(described),
        "contract.md": reference.page(described),
    }


def text(document: Json) -> str:
    """A document of JSON as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
