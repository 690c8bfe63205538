"""`touchline explain`: why a promise is due when it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_home

if TYPE_CHECKING:
    from hub.explaining import ObligationExplained


def explain(
    obligation: Annotated[int, typer.Argument(help="Number of the obligation, as the desk and the API show it.")],
    language: Annotated[
        Literal["ru", "uk", "pl", "en"] | None, typer.Option(help="Language of the sentence; else the company's first.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show why an obligation is due when it is: regulation, calendar, day by day, pauses, and what happened."""
    from hub.errors import NotFound
    from hub.explaining import explain_obligation
    from hub.setup.snapshot import load_setup

    with open_home() as (_, store):
        try:
            setup = store.read_now(load_setup)
            chosen = language or setup.company.languages[0]
            found = store.read_now(lambda connection: explain_obligation(connection, setup, obligation, chosen))
        except NotFound as error:
            raise Failure(error.message) from None
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        _show(found)


def _show(found: ObligationExplained) -> None:
    from rich.console import Console

    from hub.cli.deadline import show_explanation

    console = Console(highlight=False)
    one, told = found.obligation, found.as_json()
    console.print(
        f"[bold]{found.title}[/] ({one.regulation}, version {one.version}): {one.state}, owner {one.owner or '-'}"
    )
    if found.sentence:
        console.print(found.sentence)
    if one.pinned:
        console.print(f"pinned by hand to {told['due']}")
    if found.computed is None:
        console.print(f"due {told['due_local'] or '-'} ({told['due'] or '-'}): {one.target or 'no time is set'}")
    else:
        show_explanation(console, found.computed)
    for entry in found.history:
        console.print(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.event}  {_said(entry.data)}".rstrip())


def _said(data: Mapping[str, Any]) -> str:
    """Why, by whom, and what it changed, as far as the history says so."""
    words = ("cause", "why", "by", "step", "old_due", "new_due", "noticed_at", "late_by", "from", "interaction")
    return "  ".join(f"{name} {data[name]}" for name in words if data.get(name) is not None)
