"""The API keys on the terminal: made, listed and revoked."""

from functools import partial

from lapstream.cli.database import on_database
from lapstream.cli.output import clean, note, out, print_json, utc
from lapstream.cli.tables import Listing
from schemas.scopes import Scope
from server.http import api_keys
from server.http.api_keys import ApiKey


def create(name: str, scopes: list[Scope], *, as_json: bool) -> None:
    """Make a key and show its token: this once."""
    key, token = on_database(partial(api_keys.create, name=name, scopes=scopes))
    if as_json:
        print_json({**_told(key), "token": token})
        return
    out.print(token, soft_wrap=True)
    note(f"the key {key.name} allows {', '.join(key.scopes)}; its token can't be shown again")


def list_all(*, as_json: bool) -> None:
    """List all keys, those that were revoked too."""
    keys = on_database(api_keys.list_all)
    if as_json:
        print_json([_told(key) for key in keys])
        return
    table = Listing(
        "Name", "Scopes", "Created", "Revoked", folded={"Name"}, worded={"Scopes", "Created", "Revoked"}
    )
    for key in keys:
        table.add(clean(key.name), ", ".join(key.scopes), utc(key.created_at), utc(key.revoked_at))
    out.print(table)


def revoke(name: str, *, as_json: bool) -> None:
    """End a key, at once and for good."""
    key = on_database(partial(api_keys.revoke, name=name))
    if as_json:
        print_json(_told(key))
    else:
        out.print(clean(f"the key {key.name} is revoked"))


def _told(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
