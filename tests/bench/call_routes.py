"""How quickly the dialplan is told where a call goes, beside a bare handler in the same run: answers a second and p99.

Ten thousand known callers, each with a talk with one of fifty operators; half of the telephones are free. The asker is
another process: one connection that asks as fast as it is answered (a PBX with 50 calls a second asks less), then four.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import insert, update

from channels.contract import Health, LineState, OperatorPresence, OperatorState, Presence
from hub import clock
from hub.composition import HUB, Hub
from hub.intake import Intake
from hub.listeners import Listeners, note_health
from hub.live import Live
from hub.settings import Settings
from hub.setup.importing import take
from hub.setup.live import LiveSetUp
from hub.setup.reading import read_setup
from hub.telephony.door import RouteDoor
from hub.telephony.keeping import keep
from storage import models
from storage.store import Store
from storage.unit import Unit
from tests.bench.load import ask
from tests.peers.postgres import Postgres

CLIENTS, OPERATORS, ASKED, CALLERS, ROUNDS = 10_000, 50, 1_000, (1, 4), 3
SET_UP = (
    "[team.support]\n"
    + "".join(
        f'[operator.op{number}]\nname = "Op {number}"\nteams = ["support"]\nextension = "{100 + number}"\n'
        for number in range(OPERATORS)
    )
    + '[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nusername = "hub"\nsecret = "x"\n'
    'queues = ["support"]\n'
)


def _fill(unit: Unit) -> None:
    take(unit, read_setup([("bench.toml", SET_UP)]), "bench")
    note_health(unit, "pbx", Health(LineState.RUNNING))
    table = models.line_health
    unit.connection.execute(update(table).values(held_until=unit.now + timedelta(hours=1), holder="bench"))
    clients: list[dict[str, Any]] = []
    identities: list[dict[str, Any]] = []
    talks: list[dict[str, Any]] = []
    for number in range(1, CLIENTS + 1):
        operator = f"op{number % OPERATORS}"
        clients.append({"id": number, "name": f"Client {number}", "created_at": unit.now, "responsible": operator})
        value = f"+7916{number - 1:07d}"
        identities.append({"id": number, "client_id": number, "scheme": "phone", "value": value, "added_at": unit.now})
        talk = {"id": number, "kind": "call", "channel": "asterisk", "line": "pbx", "direction": "inbound"}
        at = unit.now - timedelta(minutes=number)
        talk |= {"at": at, "ended_at": at, "client_id": number, "operator": operator, "call": {"outcome": "answered"}}
        talks.append(talk)
    for rows, into in ((clients, models.client), (identities, models.identity), (talks, models.interaction)):
        unit.connection.execute(insert(into), rows)
    states = (OperatorState.FREE, OperatorState.TALKING)
    phones = tuple(
        OperatorPresence(str(100 + number), f"op{number}", states[number % 2], unit.now, ("support",))
        for number in range(OPERATORS)
    )
    keep(unit, Presence("pbx", unit.now, phones))


def _app(store: Store, home: Path) -> web.Application:
    settings, setup, live = Settings(home=home), LiveSetUp.open(store), Live()
    intake = Intake(store, lambda: setup.current)
    app = web.Application()
    app[HUB] = Hub(settings, store, setup, live, intake, Listeners(settings, store, setup, intake.deliver))
    app.add_routes(RouteDoor().routes())
    return app


def _bare() -> web.Application:
    async def get(request: web.Request) -> web.Response:
        return web.Response(text="support")

    app = web.Application()
    app.router.add_get("/route/{line}", get)
    return app


@contextmanager
def _served(make: Callable[[], web.Application]) -> Iterator[int]:
    """The port of an application that runs in a thread of its own."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []

    async def start() -> web.AppRunner:
        runner = web.AppRunner(make(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        return runner

    def work() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    yield ports[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def _measure(make: Callable[[], web.Application]) -> str:
    """The best of some rounds: the machine is never quite quiet."""
    told = []
    with _served(make) as port:
        for callers in CALLERS:
            outcomes = [ask(port, ASKED, callers, 0, "route") for _ in range(ROUNDS)]
            assert all(set(one.statuses) == {"200"} for one in outcomes)
            rate, p99 = max(one.per_second for one in outcomes), min(one.p99_ms for one in outcomes)
            told.append(f"{callers} asking: {rate:.0f}/s, p99 {p99:.1f} ms")
    return "; ".join(told)


def run() -> list[tuple[str, str]]:
    """Rows of name and figure."""
    rows = [("bare aiohttp handler", _measure(_bare))]
    with Postgres(durable=True) as postgres, tempfile.TemporaryDirectory() as folder:
        for name, url in (("SQLite", f"sqlite:///{folder}/bench.db"), ("PostgreSQL", postgres.fresh_database())):
            store = Store.open(url, Path(folder) / "files", clock.now)
            store.write_now(_fill)
            found = _measure(lambda store=store: _app(store, Path(folder)))  # type: ignore[misc]
            rows.append((f"where a call goes, {name}", found))
            store.engines.dispose()
    return rows


if __name__ == "__main__":
    for what, figure in run():
        print(f"{what}: {figure}")
