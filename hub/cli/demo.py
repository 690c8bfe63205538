"""`touchline demo`: a sample company and its working day, in a home of its own, without any exchange or mailbox."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.failure import Failure
from hub.cli.home import read_settings

if TYPE_CHECKING:
    from hub.settings import Settings
    from storage.store import Store

_FIRST = "vera"


class Language(StrEnum):
    """The language in which the desk is shown first."""

    EN = "en"
    RU = "ru"
    UK = "uk"
    PL = "pl"


def demo(
    speed: Annotated[
        float, typer.Option("--speed", min=0.2, max=50, help="How many times faster than told the day goes by.")
    ] = 1.0,
    home: Annotated[
        Path | None,
        typer.Option("--home", help="An empty folder to keep it in; without one it is forgotten at the end."),
    ] = None,
    language: Annotated[Language, typer.Option("--language", help="Language of the desk.")] = Language.EN,
) -> None:
    """Play a working day of a sample company: see calls ring and promises run, without an exchange. Ctrl-C ends it.

    It never touches a home that holds anything: without --home it takes TOUCHLINE_HOME if that is empty, else a
    temporary folder.
    """
    from hub.logs import set_up_logs
    from hub.sample.demonstration import run

    settings = read_settings()
    set_up_logs(settings.log_format, "error")  # a company that cannot mail its alerts would warn of each
    with own_home(settings, home) as own:

        def ready(store: Store, address: str) -> None:
            _welcome(own, store, address)

        try:
            run(own, language=language.value, speed=speed, told=typer.echo, ready=ready)
        except OSError as error:
            raise Failure(f"the demonstration cannot start: {error.strerror or error}") from None
    typer.echo("The demonstration is over.")


@contextmanager
def own_home(settings: Settings, wanted: Path | None) -> Iterator[Settings]:
    """Settings of a home that holds nothing yet: SQLite in it, whatever database is set up for real work."""
    from hub.sample.demonstration import is_empty
    from hub.settings import PREFIX, environment

    given = wanted or (settings.home if f"{PREFIX}HOME" in environment() else None)
    if wanted is not None and not is_empty(wanted):
        raise Failure(f"{wanted} is not empty", "Name an empty folder, or none at all.", code=2)
    temporary = given is None or not is_empty(given)
    place = Path(tempfile.mkdtemp(prefix="touchline-demo-")) if given is None or temporary else given
    try:
        kept = {"database_url": "", "redis_url": None, "public_url": None, "probes": None}
        yield settings.model_copy(update={"home": place.absolute(), **kept})
    finally:
        if temporary:
            shutil.rmtree(place, ignore_errors=True)


def _welcome(settings: Settings, store: Store, address: str) -> None:
    from hub.cli.sign_in import make_link

    typer.echo(f"A sample company's working day is played at {address}; its home is {settings.home}")
    typer.echo(f"Sign in as {_FIRST}, once, within the hour: {make_link(settings, store, _FIRST, address)}")
    typer.echo(f"Then look at {address}/desk/board, {address}/desk/report and what waits at {address}/desk")
    typer.echo(f"A web form to fill in yourself: {address}/forms/contact. Ctrl-C ends it.")
