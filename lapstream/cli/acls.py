"""The broker's access control lists on the terminal: a script of the commands that grant what is needed."""

import sys

from lapstream.cli.output import print_json
from ops.acls.needed import needed
from runtime.settings import read_broker_settings


def show(principal: str, *, as_json: bool) -> None:
    """Print what each role and each producer needs."""
    grants = needed(read_broker_settings().topics, principal)
    if as_json:
        print_json(grants)
        return
    for grant in grants:
        sys.stdout.write(f"# {grant.role}\n" + "".join(f"{command}\n" for command in grant.commands))
