"""Structs as plain values for people and for JSON columns: with every field, a null where one is absent."""

from typing import Any

import msgspec


def plain(value: Any) -> Any:  # noqa: ANN401 - any part of an event
    """The value as dicts, lists, strings and numbers; a struct's absent fields stand as None."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - items of any kind
    return msgspec.to_builtins(value)
