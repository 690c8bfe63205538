"""`touchline hand-over`: everything open of somebody who leaves."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_home, who


def hand_over(
    operator: Annotated[str, typer.Argument(help="Key of the operator whose work is handed over.")],
    to: Annotated[str | None, typer.Option(help="Key of the operator who gets it; else his teams do.")] = None,
    clients: Annotated[bool, typer.Option("--clients", help="Also the clients he is responsible for.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hand over everything open of one operator: conversations, promises, tasks. He may be retired already."""
    from hub.actions.leaving import hand_over_everything
    from hub.actor import Actor
    from hub.errors import Refused
    from hub.setup.snapshot import load_setup

    actor = Actor("system", who(), "admin")
    with open_home() as (_, store):
        setup = store.read_now(load_setup)
        try:
            moved = store.write_now(
                lambda unit: hand_over_everything(unit, setup, actor, operator, to, with_clients=clients)
            )
        except Refused as refused:
            raise Failure(refused.message, refused.remedy or "") from None
    if as_json:
        typer.echo(json.dumps(moved.as_json()))
    else:
        told = ", ".join(f"{count} {name}" for name, count in moved.as_json().items())
        typer.echo(f"handed over: {told}")
