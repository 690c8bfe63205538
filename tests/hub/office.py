"""A small office without a network: a store, a set-up, and touches that come in as if by a channel."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Table, insert, select

from channels.touch import Direction, Identity, Kind, Touch
from hub.actor import Actor
from hub.arrival import Arrival
from hub.batch import Batch
from hub.receipts import settle_failed, settle_sent
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import SetUp, load_setup
from storage import models
from storage.store import Store
from storage.unit import Unit
from tests.calendars import ALWAYS

T = TypeVar("T")
P = ParamSpec("P")
Row = dict[str, Any]

START = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)
ANNA = Actor("operator", "anna", "operator", ("support",))
BORIS = Actor("operator", "boris", "operator", ("support",))
VERA = Actor("operator", "vera", "supervisor", ("support",))
PROGRAM = Actor("token", "shop", "admin")

IVAN = Identity("email", "ivan@example.org", "Иван Петров")
IVANS_PHONE = Identity("phone", "+78123258351")
OLGA = Identity("email", "olga@example.org", "Ольга")

SETUP = (
    ALWAYS
    + """
[company]
name = "Office"
default_region = "RU"
calendar = "always"

[team.support]
title = "Поддержка"
calendar = "always"
lead = "vera"

[team.sales]
title = "Продажи"
calendar = "always"

[operator.anna]
name = "Анна Соколова"
email = "anna@office.example"
teams = ["support"]

[operator.boris]
name = "Borys Kowalski"
email = "boris@office.example"
teams = ["support", "sales"]

[operator.vera]
name = "Віра Шевченко"
email = "vera@office.example"
role = "supervisor"
teams = ["support"]

[line.support-mail]
channel = "email"
team = "support"
address = "support@office.example"
imap = { host = "127.0.0.1", user = "support", password = "x", tls = false }
smtp = { host = "127.0.0.1", tls = false }

[line.archive-mail]
channel = "email"
policy = "receive_only"
address = "archive@office.example"
imap = { host = "127.0.0.1", user = "archive", password = "x", tls = false }
smtp = { host = "127.0.0.1", tls = false }

[form.contact]
title = "Напишите нам"
team = "support"
fields = [
  { name = "name", kind = "text" },
  { name = "phone", kind = "phone" },
  { name = "message", kind = "textarea" },
]

[regulation.reaction]
title = "Сервис отвечает за четыре часа"
kind = "respond"
for = { team = ["support"] }
within = "4 working hours"
calendar = "always"
pause_while = ["waiting_client"]
warn = ["50%"]

[regulation.materials]
title = "Материалы за два часа"
kind = "follow_up"
after = { event = "call.ended", field = { materials_requested = true } }
action = { send = ["email", "messenger"], with = "attachment" }
within = "2 hours"

[regulation.quality]
title = "Лист качества"
kind = "follow_up"
after = { event = "contract.closed" }
action = { send = ["email"] }
within = "10 days"
"""
)


@dataclass(slots=True)
class Clock:
    """Stands still until it is moved."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at


@dataclass(slots=True)
class Office:
    """What tests do in it."""

    store: Store
    clock: Clock
    setup: SetUp
    keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def open(cls, url: str, files: Path, text: str = SETUP) -> Office:
        clock = Clock()
        store = Store.open(url, files, clock)
        store.write_now(lambda unit: take(unit, read_setup([("office.toml", text)]), "test"))
        return cls(store, clock, store.read_now(load_setup))

    def close(self) -> None:
        self.store.engines.dispose()

    def act(self, deed: Callable[Concatenate[Unit, SetUp, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something in a transaction of its own."""
        return self.store.write_now(lambda unit: deed(unit, self.setup, *args, **kwargs))

    def hear(self, touch: Touch) -> Row:
        """Take a touch in; answers its interaction."""

        def work(unit: Unit) -> int:
            batch = Batch(unit, self.setup, [Arrival(touch)])
            batch.skip_what_was_seen()
            batch.find_what_it_belongs_to()
            batch.find_whose_it_is()
            batch.place_in_conversations()
            batch.judge()
            batch.write()
            number = batch.answers()[0].interaction
            assert number is not None
            return number

        return self.row(models.interaction, self.store.write_now(work))

    def mail(self, text: str = "Здравствуйте!", who: Identity = IVAN, **more: Any) -> Row:
        """A mail comes in."""
        number = next(self.keys)
        given: Row = {
            "line": "support-mail",
            "event_key": f"m{number}",
            "kind": Kind.MESSAGE,
            "direction": Direction.INBOUND,
            "at": self.clock(),
            "party": (who,),
            "external_id": f"<m{number}@example.org>",
            "subject": "Вопрос",
            "text": text,
        }
        return self.hear(Touch(**{**given, **more}))

    def upload(self, name: str = "offer.pdf") -> int:
        """A file that an operator attached."""
        path = self.store.files.keep(name.encode())

        def work(unit: Unit) -> int:
            values = {"name": name, "media_type": "application/pdf", "size": len(name), "path": path}
            done = unit.connection.execute(
                insert(models.attachment).values(**values, uploaded_by="anna", uploaded_at=unit.now)
            )
            return int(done.inserted_primary_key[0])  # type: ignore[index]

        return self.store.write_now(work)

    def send(self, delivery: int) -> None:
        """The channel takes it."""
        self.act(settle_sent, delivery, f"<out{delivery}@office.example>", {})

    def fail(self, delivery: int) -> None:
        """It comes back."""
        self.act(settle_failed, delivery, "no such mailbox")

    def row(self, table: Table, number: int) -> Row:
        """One row."""
        query = select(table).where(table.c.id == number)
        return dict(self.store.read_now(lambda connection: connection.execute(query).mappings().one()))

    def rows(self, table: Table, **wanted: Any) -> list[Row]:
        """Rows by equal columns, oldest first."""
        query = select(table).order_by(*table.primary_key.columns)
        for name, value in wanted.items():
            query = query.where(table.c[name] == value)
        return [dict(row) for row in self.store.read_now(lambda connection: connection.execute(query).mappings().all())]
