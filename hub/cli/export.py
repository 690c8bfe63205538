"""`touchline export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.home import open_home


def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead.")] = None,
) -> None:
    """Print the whole set-up as TOML that `touchline import` takes.

    Secrets are never printed: { env = "TOUCHLINE_LINE_…" } stands for each. The hub that has them keeps them when the
    file is imported again; another hub needs those variables.
    """
    from hub.setup.definition import newest, read_versions
    from hub.setup.writing import write_toml

    with open_home() as (_, store):
        versions = newest(store.read_now(read_versions)).values()
    text = write_toml(each.definition for each in versions if not each.retired)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
