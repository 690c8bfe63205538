"""`touchline token`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_home


def token(
    name: Annotated[str, typer.Argument(help="What the token is for; it stands in the journal as token:NAME.")],
    role: Annotated[
        Literal["operator", "supervisor", "admin"], typer.Option(help="What the program may do with it.")
    ] = "admin",
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke all tokens of this name instead.")] = False,
) -> None:
    """Make an API token and print it, alone, on standard output. It is shown this once.

    Example: curl -H "Authorization: Bearer $(touchline token website)" http://127.0.0.1:8080/api/v1/interactions
    """
    from hub.access.tokens import make_token, revoke_tokens

    if not name.strip() or len(name) > 100:
        raise Failure("a token needs a name of 1 to 100 characters", code=2)
    with open_home() as (_, store):
        if not revoke:
            typer.echo(store.write_now(lambda unit: make_token(unit, name, role)))
            return
        if store.write_now(lambda unit: revoke_tokens(unit, name)) == 0:
            raise Failure(f"there is no token {name!r} to revoke")
        typer.echo(f"revoked: {name}", err=True)
