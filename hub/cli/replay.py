"""`touchline replay`: reads kept raw bytes again, after a fix."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_home

if TYPE_CHECKING:
    from hub.replay import Reread
    from hub.settings import Settings
    from hub.setup.live import LiveSetUp
    from storage.store import Store


def replay(
    line: Annotated[str | None, typer.Argument(help="Key of one line (forms: form:KEY); without it all.")] = None,
    since: Annotated[str | None, typer.Option(help="Only touches since this instant, e.g. 2026-11-01.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write what has changed; without it only show it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per changed touch.")] = False,
) -> None:
    """Read the kept raw bytes of touches again, after a fix, and mend what was read badly or not at all."""
    with open_home() as (settings, store):
        asyncio.run(_replay(settings, store, line, _instant(since), apply=apply, as_json=as_json))


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f"--since {text!r} is no date", "Write 2026-11-01 or 2026-11-01T08:00Z.", code=2) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def _replay(
    settings: Settings, store: Store, line: str | None, since: datetime | None, *, apply: bool, as_json: bool
) -> None:
    from rich.console import Console
    from rich.progress import track

    from hub.intake import Intake
    from hub.listeners import open_door
    from hub.replay import count, reread
    from hub.setup.live import LiveSetUp

    setup = LiveSetUp.open(store)
    if line is not None and not line.startswith("form:") and line not in setup.current.lines:
        raise Failure(f"there is no line {line!r}", "See `touchline check` for the lines; forms are form:KEY.", code=2)
    store.lane.start()
    intake = Intake(store, lambda: setup.current)
    door = open_door(settings, store, setup, intake.deliver, line or "")
    total = await store.read(lambda connection: count(connection, line, since))
    found = reread(store, setup.current, settings, door, line, since)
    mended = 0
    try:
        for one in track(found, "Reading again", total, console=Console(stderr=True), disable=as_json):
            if _is_news(one):
                mended += 1
                _show(one, as_json)
                if apply:
                    await _mend(store, setup, intake, one)
    finally:
        await asyncio.to_thread(store.lane.close)
    if not as_json:
        done = "mended" if apply else "would change; add --apply to write it"
        typer.echo(f"{total} read again, {mended} {done}.")


def _is_news(one: Reread) -> bool:
    return bool(one.changes) or one.set_aside is not None


async def _mend(store: Store, setup: LiveSetUp, intake: object, one: Reread) -> None:
    from hub.intake import Intake
    from hub.replay import mend, settle

    assert isinstance(intake, Intake)
    if one.touch is None:
        return
    if one.set_aside is None:
        await store.write(lambda unit: mend(unit, setup.current, one))
        return
    number = one.set_aside
    accepted = await intake.deliver(one.touch)
    if accepted.interaction is not None:
        await store.write(lambda unit: settle(unit, number))


def _show(one: Reread, as_json: bool) -> None:
    told = {
        "line": one.line,
        "event_key": one.event_key,
        "interaction": one.interaction,
        "set_aside": one.set_aside is not None,
        "changes": sorted(one.changes),
        "error": one.error,
    }
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        what = one.error or (", ".join(sorted(one.changes)) if one.changes else "can be read now")
        typer.echo(f"{one.line} {one.interaction or 'set aside'}: {what}")
