"""`touchline rebuild`: does the log add up to what is stored?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from hub.cli.home import open_home


def rebuild(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Fold the log into an empty database and compare: interactions from touches, promises from their histories.

    Nothing is changed. Exit 1 when anything stored is not what the log adds up to.
    """
    from hub.rebuilding import rebuild_all

    with open_home() as (_, store), progress() as told:
        found = rebuild_all(store, told)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        for each in found.differences:
            typer.echo(f"{each.subject} {each.id}: {each.column} is {each.stored!r}, the log says {each.folded!r}")
        verdict = f"{len(found.differences)} differences" if found.differences else "no difference"
        typer.echo(f"folded {found.interactions} interactions and {found.obligations} promises: {verdict}")
    if found.differences:
        raise typer.Exit(1)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the terminal; nothing where nobody looks."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield told
