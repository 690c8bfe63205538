"""`touchline run`, `serve`, `listen`, `work`: the same program, whole or in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_store, read_settings

if TYPE_CHECKING:
    from hub.settings import Settings
    from hub.setup.snapshot import SetUp

EVERYTHING = frozenset({"web", "listen", "work"})


def run(
    sample: Annotated[
        bool, typer.Option("--sample", help="Bring a small sample set-up, if the home is empty, and a sign-in link.")
    ] = False,
) -> None:
    """Run everything in one process: web, channel listeners, jobs. Ctrl-C ends it cleanly."""
    settings = read_settings()
    brought = sample and _bring_sample(settings)
    _start(settings, EVERYTHING, with_link=sample, brought=brought)


def serve() -> None:
    """Run the web part only: desk, API, forms, webhooks. Needs PostgreSQL."""
    _start_part("web")


def listen() -> None:
    """Run the channel listeners only. Needs PostgreSQL."""
    _start_part("listen")


def work() -> None:
    """Run the jobs only: sending, the clock, tidying up. Needs PostgreSQL."""
    _start_part("work")


def _start_part(role: str) -> None:
    settings = read_settings()
    if settings.database.startswith("sqlite"):
        raise Failure(
            "SQLite lets one process write at a time, so the hub cannot be split on it",
            "Use `touchline run`, or set TOUCHLINE_DATABASE_URL=postgresql://…",
            code=2,
        )
    _start(settings, frozenset({role}))


def _start(settings: Settings, roles: frozenset[str], *, with_link: bool = False, brought: bool = False) -> None:
    from hub.app import run as run_hub
    from hub.home_lock import HomeInUse

    def ready(address: str) -> None:
        if address:
            _welcome(settings, address, with_link=with_link, brought=brought)

    try:
        run_hub(settings, roles, ready)
    except HomeInUse as error:
        raise Failure(
            str(error), "Stop that one first, or give this one a home of its own: TOUCHLINE_HOME=DIRECTORY."
        ) from None
    except OSError as error:
        if "address" not in str(error).lower():
            raise
        raise Failure(
            f"{settings.listen} cannot be listened on: {error.strerror or error}",
            "Stop what uses it, or set TOUCHLINE_LISTEN to another host:port.",
        ) from None


def _bring_sample(settings: Settings) -> bool:
    """Import the sample set-up into an empty home; False if the home was not empty."""
    from hub.sample import read_sample
    from hub.setup.definition import revision
    from hub.setup.importing import take

    store = open_store(settings)
    try:
        if store.read_now(revision):
            return False
        store.write_now(lambda unit: take(unit, read_sample(), "sample"))
    finally:
        store.engines.dispose()
    return True


def _welcome(settings: Settings, address: str, *, with_link: bool, brought: bool) -> None:
    from hub.access.accounts import disabled_operators
    from hub.cli.sign_in import make_link, public_address
    from hub.setup.snapshot import load_setup

    store = open_store(settings)
    try:
        setup = store.read_now(load_setup)
        told = public_address(settings, setup) if settings.public_url or setup.company.public_url else address
        typer.echo(f"Touchline is at {told}")
        if brought:
            typer.echo("The home was empty: a sample set-up is in it (see `touchline export`).")
        if (first := _first_admin(setup, store.read_now(disabled_operators))) is None:
            typer.echo("Nobody can sign in yet: import a set-up with operators (`touchline import FILE.toml`).")
        elif with_link:
            typer.echo(f"Sign in as {first}, once, within the hour: {make_link(settings, store, first, told)}")
        else:
            typer.echo(f"Sign in: `touchline sign-in {first}` prints a one-time address.")
    finally:
        store.engines.dispose()


def _first_admin(setup: SetUp, disabled: frozenset[str]) -> str | None:
    for role in ("admin", "supervisor", "operator"):
        for key, operator in sorted(setup.operators.items()):
            if operator.role == role and key not in disabled:
                return key
    return None
