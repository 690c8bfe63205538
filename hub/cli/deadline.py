"""`touchline deadline`: what if."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hub.cli.failure import Failure

if TYPE_CHECKING:
    from rich.console import Console

    from routing.explain import Explanation


def deadline(
    calendar: Annotated[str, typer.Option(help="Key of the calendar, as in [calendar.KEY].")],
    target: Annotated[
        str, typer.Option(help='For example "4 working hours", "10 working days", "2 hours", "1 month".')
    ],
    start: Annotated[str, typer.Option("--from", help="The instant it counts from: 2026-09-18T13:15Z or with +03:00.")],
    setup: Annotated[
        list[Path] | None, typer.Option("--setup", help="Set-up file with the calendar; else the stored set-up.")
    ] = None,
    pause: Annotated[
        list[str] | None, typer.Option("--pause", help="START/END during which the clock stands still; may repeat.")
    ] = None,
    roll: Annotated[
        Literal["none", "back", "forward"], typer.Option(help="Where a day target goes that lands in closed time.")
    ] = "none",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute a deadline and show day by day how it comes about. Nothing is stored.

    Example: touchline deadline --setup office.toml --calendar office-moscow --target "4 working hours"
    --from 2026-09-18T13:15Z
    """
    from routing.deadline import Roll
    from routing.what_if import answer, read_instant, read_pause

    tables = _read(setup)
    try:
        pauses = [read_pause(each) for each in pause or ()]
        found = answer(tables, calendar, target, read_instant(start), pauses, Roll(roll))
    except ValueError as error:
        raise Failure(str(error), code=2) from None
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        from rich.console import Console

        show_explanation(Console(highlight=False), found)


def _read(files: list[Path] | None) -> Mapping[str, Any]:
    """The calendars asked about, as tables."""
    if files:
        from hub.setup.reading import read_files

        definitions = read_files(files).definitions
        return {"calendar": {each.key: each.body for each in definitions if each.kind == "calendar"}}
    from hub.cli.home import open_home
    from hub.setup.definition import newest, read_versions

    with open_home() as (_, store):
        stored = newest(store.read_now(read_versions)).values()
    return {"calendar": {each.key: each.body for each in stored if each.kind == "calendar" and not each.retired}}


def show_explanation(console: Console, found: Explanation) -> None:
    """The due, and the table of days by which it comes about."""
    from rich.table import Table

    told = found.as_json()
    if found.due is None:
        console.print(f"no deadline: a pause without an end stops the clock with {found.left} left")
    else:
        console.print(f"[bold]{told['due_local']}[/] {told['due_zone'] or ''} ({told['due']})")
    console.print(
        f"{told['target']} from {told['start_local']}, calendar {found.calendar.key}, zone {told['zone']}, "
        f"tzdata {told['tzdata']}"
    )
    table = Table("day", "open", "counted", "left", "")
    for row in found.days:
        note = " ".join(filter(None, (row.note.why.value, row.note.detail))) if row.note else ""
        spans = ", ".join(row.hours) or "closed"
        counted, left = (_amount(each, found.counts_in) for each in (row.counted, row.left))
        table.add_row(f"{row.weekday} {row.date}", spans, counted, left, note)
    console.print(table)
    for pause in found.pauses:
        console.print(f"pause from {pause.start.isoformat()} moved the deadline by {pause.moved}")
    for warning in found.warnings:
        console.print(f"warning: {' '.join(str(value) for value in warning.as_json().values())}", style="yellow")


def _amount(number: float, unit: str) -> str:
    if unit != "seconds":
        return f"{number:g} {unit}"
    minutes, seconds = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}" + (f":{seconds:02}" if seconds else "")
