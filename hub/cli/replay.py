"""`touchline replay`: raw bytes, read again."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub import clock
from hub.cli.failure import Failure
from hub.cli.home import open_store, read_settings

if TYPE_CHECKING:
    from channels.contract import Door
    from hub.intake import Intake
    from hub.replay import Reread
    from hub.settings import Settings
    from hub.setup.live import LiveSetUp
    from storage.store import Store

_SPANS = {"d": "days", "h": "hours", "m": "minutes"}


def replay(
    line: Annotated[str | None, typer.Argument(help="Only touches of this line; a form is form:KEY.")] = None,
    since: Annotated[str | None, typer.Option(help="Only touches since: 30d, 12h, or 2026-11-01.")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Mend the log; without it, only say what would change.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read the kept raw bytes again, after a fix: what was set aside, and what would be read differently now.

    The log is never rewritten: what a new reading adds is recorded as a further touch of the same interaction.
    """
    settings = read_settings()
    earliest = read_since(since, clock.now()) if since else None
    store = open_store(settings)
    found = asyncio.run(_replay(settings, store, line, earliest, apply))
    if as_json:
        typer.echo(json.dumps({"touches": found, "applied": apply}, ensure_ascii=False, indent=2))
    else:
        _show(found, apply)


def read_since(text: str, now: datetime) -> datetime:
    """`30d`, `12h`, `45m`, or a date or instant, which is UTC unless it says otherwise."""
    if found := re.fullmatch(r"(\d{1,6})([dhm])", text.strip()):
        return now - timedelta(**{_SPANS[found.group(2)]: int(found.group(1))})
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Failure(f"{text!r} is no time", "Write 30d, 12h, or 2026-11-01.", code=2) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


async def _replay(
    settings: Settings, store: Store, line: str | None, since: datetime | None, apply: bool
) -> list[dict[str, Any]]:
    from hub import replay as rereading
    from hub.intake import Intake
    from hub.setup.live import LiveSetUp

    setup = await asyncio.to_thread(LiveSetUp.open, store)
    store.lane.start()
    intake = Intake(store, lambda: setup.current)
    told = []
    try:
        total = await store.read(lambda connection: rereading.count(connection, line, since))
        door = _door(settings, store, setup, intake)
        for each in _progress(rereading.reread(store, setup.current, settings, door, line, since), total):
            if each.set_aside is None and each.error is None and not each.changes:
                continue
            if apply:
                await _mend(store, setup, intake, each)
            told.append(_tell(each))
    finally:
        await store.close()
    return told


async def _mend(store: Store, setup: LiveSetUp, intake: Intake, found: Reread) -> None:
    from hub import replay as rereading

    if found.touch is None:
        return
    if (number := found.set_aside) is not None:
        accepted = await intake.deliver(found.touch)
        if accepted.interaction is None:
            return  # it could still not be taken in: it stays where it is
        await store.write(lambda unit: rereading.settle(unit, number))
        return
    await store.write(lambda unit: rereading.mend(unit, store.files, found))


def _door(settings: Settings, store: Store, setup: LiveSetUp, intake: Intake) -> Door:
    """What parsing may ask for: signatures and our own addresses. Nothing comes in by it, nothing is remembered."""
    from functools import partial

    from channels.contract import Door
    from hub.access.keys import sign
    from hub.listeners import Memory, own_addresses

    async def unheard(_: object) -> None:
        return None

    return Door(
        deliver=intake.deliver,
        report=unheard,
        health=lambda health: None,
        memory=Memory(store, "replay"),
        now=store.now,
        sign=partial(sign, settings.secret, "mail"),
        own_addresses=lambda: own_addresses(setup.current),
    )


def _progress(found: Iterable[Reread], total: int) -> Iterator[Reread]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return iter(
        track(found, "reading again", total=total, console=console, transient=True, disable=not console.is_terminal)
    )


def _tell(found: Reread) -> dict[str, Any]:
    return {
        "line": found.line,
        "event_key": found.event_key,
        "interaction": found.interaction,
        "set_aside": found.set_aside is not None,
        "changes": sorted(found.changes),
        "error": found.error,
    }


def _show(found: list[dict[str, Any]], apply: bool) -> None:
    for each in found:
        name = f"interaction {each['interaction']}" if each["interaction"] else "set aside"
        if each["error"]:
            typer.echo(f"{each['line']}: {name}: still cannot be read: {each['error']}")
        else:
            what = ", ".join(each["changes"]) or "can be read now"
            typer.echo(f"{each['line']}: {name}: {what}")
    good = sum(1 for each in found if not each["error"])
    if not found:
        typer.echo("everything reads as it was read before")
    elif apply:
        typer.echo(f"mended {good}, still unreadable {len(found) - good}")
    else:
        typer.echo(f"would mend {good}, still unreadable {len(found) - good}; --apply does it")
