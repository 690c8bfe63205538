"""`touchline new-channel`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.failure import Failure


def new_channel(
    name: Annotated[str, typer.Argument(help="What the set-up will call it: channel = NAME.")],
    into: Annotated[Path, typer.Option(help="The source tree to add it to.")] = Path(),
) -> None:
    """Write a channel that works and keeps the contract, with its tests, to be changed into a real one.

    Example: touchline new-channel signal && python -m pytest tests/channels/signal
    """
    from hub.scaffold import fault_in_name, folders_of, is_source_tree, write_channel

    if fault := fault_in_name(name):
        raise Failure(f"{name!r} cannot be a channel: {fault}", code=2)
    if not is_source_tree(into):
        raise Failure(f"{into.resolve()} is not Touchline's source tree", "Run it in a clone, or name one with --into")
    for folder in folders_of(into, name):
        if folder.exists() or folder.with_suffix(".py").exists():
            raise Failure(f"{folder} is there already")
    for path in write_channel(into, name):
        typer.echo(path)
    typer.echo(f"now: python -m pytest tests/channels/{name}, and then channels/README.md", err=True)
