"""An office with a telephone exchange: its set-up, its picture, calls that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from channels.contract import Health, LineState, OperatorPresence, OperatorState, Presence, QueuePresence
from channels.touch import Direction, Identity, Kind, Touch
from hub.listeners import HOLD, note_health
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from hub.telephony.keeping import keep
from storage import models
from storage.events import Event
from storage.unit import Unit
from tests.hub.office import START, Office

Row = dict[str, Any]

PBX = """
[team.support]
title = "Поддержка"
calendar = "always"
lead = "vera"
[team.sales]
title = "Продажи"
calendar = "shop"
[team.north]
title = "Север"
calendar = "always"
[calendar.shop]
zone = "UTC"
[calendar.shop.week]
mon = ["08:00-18:00"]
[operator.anna]
name = "Анна Соколова"
email = "anna@office.example"
teams = ["support"]
extension = "101"
[operator.boris]
name = "Borys Kowalski"
email = "boris@office.example"
teams = ["support", "sales"]
extension = "102"
[line.pbx]
channel = "asterisk"
team = "support"
host = "127.0.0.1"
username = "hub"
secret = "x"
queues = { support = "support", sales-q = "sales", north-q = "north" }
"""


def with_exchange(office: Office, *keys: str) -> Office:
    """The same office with a line `pbx`; `keys` are further lines of its table."""
    text = PBX + "\n".join(keys) + "\n"
    office.store.write_now(lambda unit: take(unit, read_setup([("pbx.toml", text)]), "test"))
    office.setup = office.store.read_now(load_setup)
    listen(office)
    return office


def listen(office: Office, line: str = "pbx", until: datetime | None = None) -> None:
    """A process listens on the line now."""

    def work(unit: Unit) -> None:
        note_health(unit, line, Health(LineState.RUNNING))
        table = models.line_health
        held = {"holder": "test", "held_until": until or unit.now + HOLD * 1000}
        unit.connection.execute(update(table).where(table.c.line == line).values(**held))

    office.store.write_now(work)


def phone(extension: str, state: str = "free", **more: Any) -> OperatorPresence:
    """One telephone of the picture."""
    given: Row = {
        "operator": {"101": "anna", "102": "boris"}.get(extension),
        "since": START,
        "queues": ("support",),
    }
    return OperatorPresence(extension, state=OperatorState(state), **{**given, **more})


def show(office: Office, *phones: OperatorPresence, queues: Sequence[QueuePresence] = ()) -> list[Event]:
    """The exchange tells its picture; answers what the live bus tells."""

    def work(unit: Unit) -> list[Event]:
        keep(unit, Presence("pbx", unit.now, phones, tuple(queues)))
        return list(unit.events)

    return office.store.write_now(work)


def ring(office: Office, number: str, phase: str, who: str | None = "+79161234567", **call: Any) -> Row:
    """One phase of a call, as the channel tells it."""
    touch = Touch(
        line="pbx",
        event_key=f"{number}-{phase}-{next(office.keys)}",
        kind=Kind.CALL,
        direction=Direction(call.pop("direction", "inbound")),
        at=office.clock(),
        party=(Identity("phone", who),) if who else (),
        external_id=number,
        phase=phase,
        operator=call.pop("operator", None),
        call=call,
    )
    return office.hear(touch)


def make_client(office: Office, number: str, **columns: Any) -> int:
    """A client with a telephone number."""
    row = ring(office, f"known-{number}", "ringing", number)
    found = int(row["client_id"])
    table = models.client
    office.store.write_now(
        lambda unit: (
            unit.connection.execute(update(table).where(table.c.id == found).values(lifecycle="client", **columns))
            and None
        )
    )
    return found


def insert_talk(office: Office, client: int, operator: str, at: datetime) -> None:
    """He talked with the client then."""
    template = office.rows(models.interaction, client_id=client)[0]
    number = max(row["id"] for row in office.rows(models.interaction)) + 1
    values = {**template, "id": number, "operator": operator, "at": at, "ended_at": at, "external_id": f"old-{number}"}
    values["call"] = {"outcome": "answered"}
    office.store.write_now(lambda unit: unit.connection.execute(insert(models.interaction).values(**values)) and None)


def journal(office: Office) -> list[tuple[str, str]]:
    """What was done, and by whom."""
    table = models.journal
    query = select(table.c.action, table.c.who).order_by(table.c.id)
    return office.store.read_now(lambda connection: [(row.action, row.who) for row in connection.execute(query)])
