"""`touchline rehearse`: what a draft would have done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub import clock
from hub.cli.failure import Failure
from hub.cli.home import open_home
from hub.cli.rebuild import progress
from hub.cli.replay import read_since

if TYPE_CHECKING:
    from routing.rehearse import Report

ASSUMES = "clients are taken as their cards said at the time; merges, consents and leave as they are now"


def rehearse(
    draft: Annotated[list[Path], typer.Argument(help="Set-up files with the regulations to try; they are not stored.")],
    since: Annotated[str, typer.Option(help="How far back: 30d, 12h, or 2026-11-01.")] = "30d",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run draft regulations over the real log: what would have been met, breached and alerted. Nothing is stored.

    Clients are taken as their cards said at the time; merges, consents and leave as they are now.
    """
    from hub import rehearsing
    from hub.setup.reading import read_files
    from routing.explain import utc_text

    reading = read_files(draft)
    now = clock.now()
    earliest = read_since(since, now)
    with open_home() as (_, store), progress() as told, store.engines.reader.connect() as connection:
        try:
            report = rehearsing.rehearse(
                connection, reading.definitions, earliest, now, lambda done, total: told("rehearsing", done, total)
            )
        except ValueError as error:
            raise Failure(str(error), code=2) from None
    if as_json:
        told_all = {"since": utc_text(earliest), "until": utc_text(now), **report.as_json()}
        typer.echo(json.dumps(told_all, ensure_ascii=False, indent=2))
    else:
        _show(report)


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    told = report.as_json()
    console = Console(highlight=False)
    table = Table("", "started", "met", "breached", "cancelled", "running", "alerts", "in time")
    _row(table, "in all", told["total"])
    for name in ("regulations", "operators", "hours"):
        table.add_section()
        for key, row in told[name].items():
            _row(table, f"{int(key):02}:00" if name == "hours" else key, row)
    console.print(table)
    console.print(ASSUMES, style="dim")


def _row(table: Any, name: str, row: Mapping[str, Any]) -> None:
    share = "-" if row["share"] is None else f"{row['share']:.0%}"
    counts = [str(row[key]) for key in ("started", "met", "breached", "cancelled", "running", "alerts")]
    table.add_row(name, *counts, share)
