"""`touchline import`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.home import open_home, who

if TYPE_CHECKING:
    from hub.setup.importing import Report
    from hub.setup.reading import Reading


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE.toml…", help="Set-up files; - reads standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON on standard output.")] = False,
) -> None:
    """Take set-up files: lines, forms, calendars, regulations, teams, operators.

    What a file does not name stays as it is, and importing the same again changes nothing. Everything in a file is
    checked before anything is written; a fault names file, line and key. A running hub obeys within five seconds.
    """
    from hub import clock
    from hub.setup.importing import preview, take

    reading = _read(files)
    with open_home() as (_, store):
        if dry_run:
            report = store.read_now(lambda connection: preview(connection, reading, clock.now()))
        else:
            report = store.write_now(lambda unit: take(unit, reading, who()))
    for notice in report.notices:
        typer.echo(f"touchline: {notice}", err=True)
    if as_json:
        typer.echo(json.dumps({**report.as_json(), "dry_run": dry_run}, ensure_ascii=False, indent=2))
    else:
        _show(report, dry_run)


def _read(files: list[str]) -> Reading:
    from hub.setup.reading import read_files, read_setup

    if files == ["-"]:
        return read_setup([("standard input", sys.stdin.read())])
    return read_files(map(Path, files))


def _show(report: Report, dry_run: bool) -> None:
    from hub.setup.definition import Change

    for definition, change in report.changes:
        if change is not Change.SAME:
            typer.echo(f"{change.value:8} {definition.name}")
    new, changed, same = (report.count(change) for change in Change)
    if not new and not changed:
        typer.echo(f"nothing changed ({same} the same)")
        return
    would = "would be " if dry_run else ""
    typer.echo(f"{would}new {new}, {would}changed {changed}, the same {same}")
