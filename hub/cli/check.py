"""`touchline check`: connects every line, really, and says how it went."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_store, read_settings

if TYPE_CHECKING:
    from channels.contract import Health
    from hub.settings import Settings
    from hub.setup.live import LiveSetUp
    from hub.setup.snapshot import SetUp
    from storage.store import Store

_PATIENCE_S = 60.0
_CORRECT = "Correct the set-up file and import it again."
_WAIT = "Look whether the server is up, and at host and port of the line; the hub tries again by itself."
_WORDS = {"running": "running", "will_retry": "will retry", "needs_person": "needs a person"}


def check(
    line: Annotated[str | None, typer.Argument(help="Key of one line; without it all are checked.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    test_call: Annotated[
        bool, typer.Option("--test-call", help="Watch one call on a telephone line, and say what was seen of it.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="How long to wait for the test call.", min=1, max=3600)] = 120,
) -> None:
    """Connect and sign in on every line, and say: running, will retry, or needs a person, why, and what to do.

    Exits with 1 unless all run. Lines whose policy is "off" are left out unless they are named.
    """
    if test_call and line is None:
        raise Failure("which line shall be watched?", "Write: touchline check LINE --test-call", code=2)
    from hub.setup.live import LiveSetUp
    from hub.setup.problem import suggest

    settings = read_settings()
    store = open_store(settings)
    setup = LiveSetUp.open(store)
    broken = _broken(setup.current)
    known = {*setup.current.lines, *broken}
    if line is not None and line not in known:
        store.engines.dispose()
        raise Failure(f"there is no line {line!r}", suggest(line, known), code=2)
    if test_call and line is not None and line in setup.current.lines:
        from hub.cli.trial import watch

        watch(settings, store, setup, line, seconds, as_json)
        return
    wanted = [
        key for key, each in setup.current.lines.items() if key == line or (line is None and each.policy != "off")
    ]
    healths = {key: each for key, each in broken.items() if line in (None, key)}
    healths |= asyncio.run(_connect(settings, store, setup, wanted))
    _show(healths, as_json)
    if any(health.state != "running" for health in healths.values()):
        raise typer.Exit(1)


def _broken(setup: SetUp) -> dict[str, Health]:
    """Lines whose stored set-up this version cannot read."""
    from channels.contract import Health, LineState

    found = {}
    for problem in setup.problems:
        kind, _, rest = problem.key.partition(".")
        if kind == "line":
            reason = f"{problem.key}: {problem.message}"
            found[rest.partition(".")[0]] = Health(LineState.NEEDS_PERSON, reason, problem.remedy or _CORRECT)
    return found


async def _connect(settings: Settings, store: Store, setup: LiveSetUp, keys: list[str]) -> dict[str, Health]:
    """All at once: one that hangs must not hide the others."""
    store.lane.start()
    try:
        return dict(zip(keys, await asyncio.gather(*(_try(settings, store, setup, key) for key in keys)), strict=True))
    finally:
        await store.close()


async def _try(settings: Settings, store: Store, setup: LiveSetUp, key: str) -> Health:
    from channels.contract import Health, LineState
    from hub import listeners

    try:
        health = await asyncio.wait_for(listeners.check(settings, store, setup, key), _PATIENCE_S)
    except TimeoutError:
        return Health(LineState.WILL_RETRY, f"no answer within {_PATIENCE_S:.0f} seconds", "See if the server is well.")
    if health.remedy or health.state is LineState.RUNNING:
        return health
    return replace(health, remedy=_WAIT if health.state is LineState.WILL_RETRY else _CORRECT)


def _show(healths: dict[str, Health], as_json: bool) -> None:
    if as_json:
        lines = [
            {"line": key, "state": each.state.value, "reason": each.reason, "remedy": each.remedy}
            for key, each in sorted(healths.items())
        ]
        typer.echo(json.dumps({"lines": lines}, ensure_ascii=False, indent=2))
        return
    if not healths:
        typer.echo("There are no lines yet. Import a set-up with [line.KEY].")
    for key, each in sorted(healths.items()):
        why = f": {each.reason}" if each.reason else ""
        remedy = f". {each.remedy}" if each.remedy else ""
        typer.echo(f"{key}: {_WORDS[each.state.value]}{why}{remedy}")
