"""Two workers sweep one PostgreSQL while touches come in and clients are edited; one of them is killed.

What is due fires once, by whichever worker; what the dead one had begun is as if it had never begun.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from channels.touch import Direction, Identity, Kind, Touch
from hub import clock
from hub.actions import clients, conversations
from hub.arrival import Arrival
from hub.batch import Batch
from hub.errors import Refused
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import SetUp, load_setup
from routing import rebuild
from storage import models
from storage.store import Store
from storage.unit import Unit
from tests.flows.house import OFFICE
from tests.flows.processes import HubProcess
from tests.hub.office import ANNA, PROGRAM, Clock, Office
from tests.peers.postgres import Postgres

pytestmark = pytest.mark.timeout(400)
MANY, AT_ONCE = 300, 15
RULES = """
[regulation.reaction]
title = "At once"
kind = "respond"
within = { VIP = "2 s", other = "5 s" }
calendar = "always"
pause_while = ["waiting_client"]
steps = [
  { when = "50%", to = "owner" },
  { when = "due", do = ["alert", "task:Look"], to = "lead" },
  { when = "+2 s", to = "vera" },
]
storm = { more_than = 100000 }
"""


def take_in(unit: Unit, setup: SetUp, numbers: range) -> None:
    """One transaction of intake."""
    arrivals = [
        Arrival(
            Touch(
                line="support-mail",
                event_key=f"m{number}",
                kind=Kind.MESSAGE,
                direction=Direction.INBOUND,
                at=unit.now,
                party=(Identity("email", f"c{number}@example.org"),),
                text="вопрос",
            )
        )
        for number in numbers
    ]
    batch = Batch(unit, setup, arrivals)
    batch.skip_what_was_seen()
    batch.find_what_it_belongs_to()
    batch.find_whose_it_is()
    batch.place_in_conversations()
    batch.judge()
    batch.write()


def wait_for(what: str, seen: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_nothing_fires_twice_and_nothing_is_forgotten(tmp_path: Path, own_postgres: Postgres) -> None:
    url = own_postgres.fresh_database()
    store = Store.open(url, tmp_path / "files", clock.now)
    line = '[line.support-mail]\nchannel = "email"\nteam = "support"\naddress = "s@office.example"\n'
    line += 'smtp = { host = "127.0.0.1", tls = false }\n'
    line += 'imap = { host = "127.0.0.1", user = "s", password = "x", tls = false }\n'
    text = "\n".join((OFFICE.partition("[regulation.reaction]")[0], RULES, line))
    store.write_now(lambda unit: take(unit, read_setup([("two.toml", text)]), "test"))
    house = Office(store, Clock(), store.read_now(load_setup))
    for number in (1, 2):
        (tmp_path / f"w{number}").mkdir()
    workers = [HubProcess("work", tmp_path / f"w{number}", database_url=url).start() for number in (1, 2)]
    try:
        _busy(store, house, workers)
        wait_for("every step of every promise", lambda: _settled(house))
        _check(house)
    finally:
        for worker in workers:
            worker.kill()
        store.engines.dispose()


def _busy(store: Store, house: Office, workers: list[HubProcess]) -> None:
    """Touches come in, people edit; in the thick of it one worker is killed, and later comes back."""
    chance = random.Random(4711)
    for first in range(0, MANY, AT_ONCE):
        store.write_now(lambda unit, n=first: take_in(unit, house.setup, range(n, n + AT_ONCE)))  # type: ignore[misc]
        for _ in range(3):
            number = chance.randint(1, first + AT_ONCE)
            try:
                house.act(clients.amend, number, PROGRAM, {"category": chance.choice(["VIP", None])})
                if chance.random() < 0.3:
                    house.act(conversations.close, number, ANNA, "no_answer_needed")
            except Refused:
                continue
        if first == MANY // 2:
            wait_for("the first breach", lambda: bool(house.rows(models.clock_event, event="breached")))
            workers[0].kill()
    time.sleep(1.0)
    workers[0].start()


def _settled(house: Office) -> bool:
    rows = house.rows(models.obligation)
    return len(rows) == MANY and all(one["next_at"] is None for one in rows)


def _check(house: Office) -> None:
    assert house.store.read_now(lambda connection: list(rebuild.compare(connection))) == []
    events = house.rows(models.clock_event)
    breaches = Counter(one["obligation_id"] for one in events if one["event"] == "breached")
    withdrawn = Counter(one["obligation_id"] for one in events if one["event"] == "breach_withdrawn")
    steps = Counter((one["obligation_id"], one["data"]["step"]) for one in events if one["event"] == "warned")
    assert all(count <= 1 + withdrawn[number] for number, count in breaches.items())
    assert all(count == 1 for count in steps.values())
    told = Counter((one["obligation_id"], one["step"], one["data"]["due"]) for one in house.rows(models.alert))
    assert all(count == 1 for (_, step, _), count in told.items() if step != "recomputed"), told.most_common(3)
    left = [one for one in house.rows(models.obligation) if one["state"] != "cancelled"]
    assert {one["state"] for one in left} == {"breached"}
    assert len(left) > MANY // 2
    assert len(events) > 4 * len(left)
    assert not [
        one for one in house.rows(models.task, state="open") if one["obligation_id"] not in {o["id"] for o in left}
    ]
