"""A whole hub on real servers, in this process: what goes in by the wire is looked for in the tables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession
from sqlalchemy import Table, select

from hub import clock
from hub.app import open_hub
from hub.composition import Hub
from hub.settings import Settings
from hub.setup.importing import take
from hub.setup.reading import read_setup
from storage import models
from storage.search import hits
from storage.store import Store
from tests.calendars import ALWAYS
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox

T = TypeVar("T")
Row = dict[str, Any]

EVERYTHING = frozenset({"web", "listen", "work"})
PATIENCE_S = 60.0

OFFICE = (
    ALWAYS
    + """
[company]
name = "Office"
default_region = "RU"
calendar = "always"
languages = ["ru", "en"]

[team.support]
title = "Поддержка"
calendar = "always"
lead = "vera"

[operator.anna]
name = "Анна Соколова"
email = "anna@office.example"
role = "operator"
teams = ["support"]

[operator.vera]
name = "Віра Шевченко"
email = "vera@office.example"
role = "admin"
teams = ["support"]

[form.contact]
title = "Напишите нам"
team = "support"
fields = [
  { name = "name", kind = "text" },
  { name = "phone", kind = "phone" },
  { name = "email", kind = "email" },
  { name = "message", kind = "textarea", required = true },
]
limits = { per_address = 0, per_form = 0 }

[regulation.reaction]
title = "Сервис отвечает за четыре часа"
kind = "respond"
for = { team = ["support"] }
within = "4 working hours"
calendar = "always"
steps = [{ when = "due", do = "task:Ответить клиенту", to = "owner" }]
"""
)


def mail_line(key: str, box: Mailbox, imap_port: int, smtp_port: int, **more: str) -> str:
    """The set-up of one mailbox line on the mail peers; `more` are further lines of TOML by key."""
    extra = "".join(f"{name} = {value}\n" for name, value in more.items())
    return (
        f"[line.{key}]\n"
        'channel = "email"\nteam = "support"\n'
        f'address = "{box.address}"\n'
        f'imap = {{ host = "127.0.0.1", port = {imap_port}, user = "{box.user}", password = "{box.password}", '
        "tls = false, timeout_s = 5 }\n"
        f'smtp = {{ host = "127.0.0.1", port = {smtp_port}, tls = false, timeout_s = 5 }}\n{extra}\n'
    )


def support_line(dovecot: Dovecot, box: Mailbox, smtp_port: int, **more: str) -> str:
    """The usual line."""
    return mail_line("support-mail", box, dovecot.imap_port, smtp_port, **more)


def bring(settings: Settings, text: str) -> None:
    """Import a set-up as `touchline import` does."""
    store = Store.open(settings.database, settings.files, clock.now)
    try:
        store.write_now(lambda unit: take(unit, read_setup([("test.toml", text)]), "test"))
    finally:
        store.engines.dispose()


@dataclass(slots=True)
class House:
    """A running hub, an HTTP client at its door, and eyes for its tables."""

    hub: Hub
    address: str
    http: ClientSession

    @property
    def store(self) -> Store:
        return self.hub.store

    async def post(self, form: str, fields: dict[str, str], **headers: str) -> Row:
        """Post a form as a site engine does; it must be accepted."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(f"{self.address}/forms/{form}", data=fields, headers=sent) as answer:
            assert answer.status == 201, await answer.text()
            found: Row = await answer.json()
            return found

    async def rows(self, table: Table, **where: Any) -> list[Row]:
        """Rows of a table by equality, oldest first."""
        return await self.store.read(lambda connection: _rows(connection, table, where))

    async def row(self, table: Table, **where: Any) -> Row:
        """The only row."""
        found = await self.rows(table, **where)
        assert len(found) == 1, f"{len(found)} rows of {table.name} with {where}: {found}"
        return found[0]

    async def wait_for_row(self, table: Table, *, seconds: float = PATIENCE_S, **where: Any) -> Row:
        """Wait until there is such a row, `PATIENCE_S` at least; the newest of them."""
        deadline = time.monotonic() + max(seconds, PATIENCE_S)
        while not (found := await self.rows(table, **where)):
            if time.monotonic() > deadline:
                every = await self.rows(table)
                raise AssertionError(f"no {table.name} with {where} after {seconds} s; there are {every}")
            await asyncio.sleep(0.02)
        return found[-1]

    async def wait_until(self, what: str, seen: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
        """Wait for an awaitable condition, `PATIENCE_S` at least."""
        deadline = time.monotonic() + max(seconds, PATIENCE_S)
        while not await seen():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}")
            await asyncio.sleep(0.02)

    async def search(self, words: str, subject: str = "interaction") -> list[int]:
        """Ids that full text finds, newest first."""
        query = hits(self.store.dialect, subject, words, 50)
        if query is None:
            return []
        return await self.store.read(lambda connection: list(connection.execute(query).scalars()))

    async def inbound(self, **where: Any) -> Row:
        """Wait for an inbound interaction."""
        return await self.wait_for_row(models.interaction, direction="inbound", **where)

    async def line_runs(self, key: str = "support-mail") -> None:
        """Wait until the line is signed in."""
        await self.wait_for_row(models.line_health, line=key, state="running")


def _rows(connection: Any, table: Table, where: Row) -> list[Row]:
    query = select(table).where(*(table.c[name] == value for name, value in where.items()))
    if "id" in table.c:
        query = query.order_by(table.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def settings_at(home: Path, database_url: str, **more: Any) -> Settings:
    """Settings of a hub on a free port."""
    return Settings(home=home, database_url=database_url, listen="127.0.0.1:0", **more)


@asynccontextmanager
async def open_house(
    home: Path, database_url: str, *set_up: str, roles: Sequence[str] | frozenset[str] = EVERYTHING, **more: Any
) -> AsyncIterator[House]:
    """A hub with a set-up, everything in this process; `more` are process settings."""
    settings = settings_at(home, database_url, **more)
    await asyncio.to_thread(bring, settings, "\n".join((OFFICE, *set_up)))
    async with open_hub(settings, frozenset(roles)) as (hub, address), ClientSession() as http:
        yield House(hub, address, http)
