"""`touchline sign-in`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_home

if TYPE_CHECKING:
    from hub.settings import Settings
    from hub.setup.snapshot import SetUp
    from storage.store import Store


def sign_in(operator: Annotated[str, typer.Argument(help="Key of the operator, as in [operator.KEY].")]) -> None:
    """Print a one-time address, alone, that signs an operator in; it is good for an hour."""
    with open_home() as (settings, store):
        typer.echo(make_link(settings, store, operator))


def make_link(settings: Settings, store: Store, operator: str, address: str | None = None) -> str:
    """A one-time sign-in address. Raises `Failure` for an operator who cannot sign in."""
    from hub.access.accounts import read_account
    from hub.access.tickets import make_ticket, sign_in_path
    from hub.setup.problem import suggest
    from hub.setup.snapshot import load_setup

    setup = store.read_now(load_setup)
    if operator not in setup.operators:
        remedy = suggest(operator, setup.operators) or "Import a set-up with operators, or begin with run --sample."
        raise Failure(f"there is no operator {operator!r}", remedy, code=2)
    if store.read_now(lambda connection: read_account(connection, operator)).disabled_at:
        raise Failure(f"operator {operator!r} is disabled", "An admin can enable him on the desk.")
    secret = store.write_now(lambda unit: make_ticket(unit, "sign_in", operator))
    return (address or public_address(settings, setup)) + sign_in_path(secret)


def public_address(settings: Settings, setup: SetUp) -> str:
    """How people reach the hub: the process knows best, then the company, then where it listens."""
    return settings.public_url or setup.company.public_url or settings.address
