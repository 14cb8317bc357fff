"""Every setting as it is read, without secrets, on the terminal; and the documents' page of them."""

from typing import Any, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from lapstream.cli.output import clean, out, print_json
from lapstream.cli.tables import Listing
from runtime.log_topics import FORM
from runtime.settings import Settings, as_text, choices, meta_of, read_settings, shown, variable

TITLE = """# Settings

Every setting, from the environment, read once when a command starts; `lapstream config` shows what is set,
without secrets. A wrong value is an error that names the variable and the reason. Put `_FILE` behind a name
to read the value from a file, as for secrets: `LAPSTREAM_POSTGRES_DSN_FILE=/run/secrets/dsn`; it wins over
the plain one. This page is made from the code by `lapstream schemas`.

| Variable | Type | Default | Effect |
| --- | --- | --- | --- |
"""


_PLAIN_TYPES = {
    "bool": "true or false",
    "dict": "slug=Zone,slug=Zone",
    "float": "number",
    "int": "whole number",
    "str": "text",
    "tuple": FORM,
}


class SettingView(Struct, frozen=True, kw_only=True):
    """A setting: its variable, what it takes, its default and its value as texts, and what it does."""

    variable: str
    type: str
    default: str | None
    value: str | None
    effect: str


def show(*, as_json: bool) -> None:
    """Show every setting with its value and what it does; secrets are left out."""
    views = describe(read_settings())
    if as_json:
        print_json(views)
        return
    table = Listing("Variable", "Value", "Default", "Effect", folded={"Value", "Default", "Effect"})
    for view in views:
        table.add(view.variable, clean(view.value or ""), view.default or "", view.effect)
    out.print(table)


def describe(settings: Settings | None = None) -> list[SettingView]:
    """Every setting, with its value where settings are given."""
    hints = get_type_hints(Settings, include_extras=True)
    return [_view(field, hints[field.name], settings) for field in msgspec.structs.fields(Settings)]


def _view(field: msgspec.structs.FieldInfo, hint: object, settings: Settings | None) -> SettingView:
    meta = meta_of(field.name)
    return SettingView(
        variable=variable(field.name),
        type=" or ".join(choices(field.name)) or _type(hint, meta),
        default=_default(field),
        value=None if settings is None else shown(field.name, as_text(getattr(settings, field.name))),
        effect=meta.description or "",
    )


def _type(hint: object, meta: Meta) -> str:
    kind: Any = get_args(hint)[0]
    name = cast("str", getattr(get_origin(kind) or kind, "__name__", str(kind)))
    plain = _PLAIN_TYPES.get(name, name)
    return plain if meta.ge is None else f"{plain}, {meta.ge} to {meta.le}"


def _default(field: msgspec.structs.FieldInfo) -> str | None:
    if field.default is not msgspec.NODEFAULT:
        return as_text(field.default)
    return None if field.required else ""


def settings_page() -> str:
    """The page of the documents that describes every setting."""
    rows = [
        f"| `{view.variable}` | {view.type} | {_cell(view.default)} | {view.effect} |" for view in describe()
    ]
    return TITLE + "\n".join(rows) + "\n"


def _cell(default: str | None) -> str:
    if default is None:
        return "must be set"
    return f"`{default}`" if default else "empty"
