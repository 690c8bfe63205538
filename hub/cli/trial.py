"""`touchline check LINE --test-call`: watches one call on a telephone line and says what was seen and what was not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import typer

from hub.cli.failure import Failure

if TYPE_CHECKING:
    from channels.contract import Watched
    from hub.settings import Settings
    from hub.setup.live import LiveSetUp
    from storage.store import Store


def watch(settings: Settings, store: Store, setup: LiveSetUp, line: str, seconds: float, as_json: bool) -> None:
    """Exits with 1 when something of it was not seen as it should be."""
    from channels.errors import ChannelError

    if not as_json:
        typer.echo(
            f"{line}: watching for {seconds:.0f} seconds. Call one of your numbers now, let it be answered, hang up."
        )
    try:
        watched = asyncio.run(_watch(settings, store, setup, line, seconds))
    except ChannelError as error:
        raise Failure(f"{line}: {error.reason}", error.remedy or "", code=1) from None
    typer.echo(_as_json(line, watched) if as_json else _as_text(watched))
    if not watched.well:
        raise typer.Exit(1)


async def _watch(settings: Settings, store: Store, setup: LiveSetUp, line: str, seconds: float) -> Watched:
    from channels.contract import Accepted, Watcher
    from channels.errors import BadSettings
    from channels.touch import Touch
    from hub.listeners import Listeners

    async def refuse(touch: Touch) -> Accepted:
        raise BadSettings("a check delivers nothing")

    store.lane.start()
    listeners = Listeners(settings, store, setup, refuse)
    try:
        channel = listeners.channel_of(line)
        if not isinstance(channel, Watcher):
            raise BadSettings(f"the line {line!r} is no telephone line", remedy="Name a line of a telephone exchange.")
        return await channel.watch_call(seconds)
    finally:
        await listeners.close()
        await store.close()


def _as_json(line: str, watched: Watched) -> str:
    shown = {
        "line": line,
        "well": watched.well,
        "seen": list(watched.seen),
        "missing": [{"reason": reason, "remedy": remedy} for reason, remedy in watched.missing],
        "call": dict(watched.call) or None,
        "events": dict(watched.events),
    }
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str)


def _as_text(watched: Watched) -> str:
    lines = ["Seen:", *(f"  {one}" for one in watched.seen or ("nothing",))]
    if watched.missing:
        lines += ["Not as it should be:", *(f"  {reason}. {remedy}" for reason, remedy in watched.missing)]
    else:
        lines.append("All is as it should be.")
    return "\n".join(lines)
