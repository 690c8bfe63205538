"""A small office with a busy day behind it: a running hub, its web desk, and what came in, by the real road."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from channels.touch import Attachment, Direction, Identity, Kind, Thread, Touch
from hub import clock
from hub.access import accounts
from hub.access.passwords import hash_password
from hub.access.tickets import make_ticket
from hub.actions import clients, conversations, tasks
from hub.actions.tasks import NewTask
from hub.actor import Actor
from hub.app import open_hub
from hub.clockwork import Clockwork
from hub.composition import Hub
from hub.settings import Settings
from hub.setup.importing import take
from hub.setup.reading import read_setup
from storage import models
from storage.store import Store

PASSWORD = "correct horse battery"

OFFICE = (Path(__file__).parent / "office.toml").read_text(encoding="utf-8")

ANNA = Actor("operator", "anna", "operator", ("support",))
VERA = Actor("operator", "vera", "admin", ("support",))


@dataclass(slots=True)
class Office:
    """A hub that serves its desk; nothing listens outward and nothing is sent."""

    hub: Hub
    address: str

    @property
    def store(self) -> Store:
        return self.hub.store

    async def link(self, operator: str, purpose: Any = "sign_in") -> str:
        """The address of a one-time link."""
        secret = await self.store.write(lambda unit: make_ticket(unit, purpose, operator))
        path = {"sign_in": "sign-in/once", "invitation": "invitation", "password_reset": "password"}[purpose]
        return f"{self.address}/{path}/{secret}"

    async def give_password(self, operator: str, password: str = PASSWORD) -> None:
        """As if he had accepted his invitation."""
        kept = await hash_password(password)
        await self.store.write(lambda unit: accounts.set_password(unit, operator, kept))

    async def hear(self, touch: Touch) -> int:
        """A touch comes in by the real road; its interaction."""
        return (await self.hub.intake.deliver(touch)).interaction

    async def conversation_of(self, interaction: int) -> int:
        """Where it was put."""
        query = select(models.interaction.c.conversation_id).where(models.interaction.c.id == interaction)
        return int(await self.store.read(lambda connection: connection.execute(query).scalar_one()))

    async def row(self, table: Any, number: int) -> dict[str, Any]:
        """A row by its number."""
        query = select(table).where(table.c.id == number)
        return await self.store.read(lambda connection: dict(connection.execute(query).one()._mapping))

    async def do(self, work: Any) -> Any:
        """An act: `work(unit, setup)`."""
        setup = self.hub.setup.current
        return await self.store.write(lambda unit: work(unit, setup))


@asynccontextmanager
async def open_office(home: Path, database_url: str, more: str = "") -> AsyncIterator[Office]:
    """Bring the set-up and serve."""
    settings = Settings(home=home, database_url=database_url, listen="127.0.0.1:0")
    await asyncio.to_thread(_bring, settings, OFFICE + more)
    async with open_hub(settings, frozenset({"web"})) as (hub, address):
        yield Office(hub, address)


def _bring(settings: Settings, text: str) -> None:
    store = Store.open(settings.database, settings.files, clock.now)
    try:
        store.write_now(lambda unit: take(unit, read_setup([("office.toml", text)]), "test"))
    finally:
        store.engines.dispose()


def mail(
    key: str,
    who: str,
    name: str,
    subject: str,
    text: str,
    at: datetime,
    *,
    line: str = "support-mail",
    **more: Any,
) -> Touch:
    """A letter, as the email adapter hands it in."""
    return Touch(
        line=line,
        event_key=f"test:{key}",
        kind=Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=at,
        party=(Identity("email", who, name),),
        external_id=f"<{key}@mail.example>",
        subject=subject,
        text=text,
        **more,
    )


def lead(key: str, name: str, phone: str, text: str, at: datetime, **more: Any) -> Touch:
    """A web form, as the forms door hands it in."""
    return Touch(
        line="form:contact",
        event_key=f"test:{key}",
        kind=Kind.FORM,
        direction=Direction.INBOUND,
        at=at,
        party=(Identity("phone", phone, name),),
        text=text,
        fields={"name": name, "phone": phone, "message": text},
        origin={"page": "https://shop.example/kontakty", "utm_source": "yandex", "utm_campaign": "osen"},
        **more,
    )


_QUOTED = (
    "\n\nВт, 17 нояб. 2026 г. в 11:20, Touchline <support@example.org>:\n"
    "> Здравствуйте! Мы получили ваш запрос и скоро ответим.\n> С уважением, поддержка"
)
_HTML = (
    "<p>Dzień dobry,</p><p>przesyłam <b>zamówienie nr 88/2026</b>. Proszę o potwierdzenie terminu:</p>"
    '<table border="1" cellpadding="6"><tr><th>Towar</th><th>Ilość</th></tr><tr><td>Toner X200</td><td>12</td></tr>'
    "<tr><td>Papier A4</td><td>40</td></tr></table><p>Pozdrawiam<br>Łukasz Żak</p>"
    '<img data-remote-src="https://tracker.example/pixel.png" alt="">'
)


async def seed(office: Office) -> dict[str, int]:
    """A day's touches in four languages; the numbers of the conversations by a short name."""
    now = office.store.now()
    await _seed_clients(office)
    await _seed_history(office, now)

    def ago(**span: float) -> datetime:
        return now - timedelta(**span)

    touches = {
        "vip": mail(
            "vip",
            "petrova@zavod.example",
            "Мария Петрова",
            "Не работает касса на Невском",
            "Добрый день!\n\nС утра не проходят чеки, касса пишет «ошибка ФН 21». Покупатели стоят, помогите, "
            "пожалуйста, срочно.\n\nМария Петрова\nООО «Завод»",
            ago(minutes=48),
            full_text="Добрый день!\n\nС утра не проходят чеки." + _QUOTED * 6,
            attachments=(
                Attachment("чек.pdf", "application/pdf", b"%PDF-1.4 test"),
                Attachment("экран ошибки.png", "image/png", b"\x89PNG...."),
            ),
        ),
        "late": mail(
            "late",
            "ivanenko@lviv.example",
            "Оксана Іваненко",
            "Коли приїде майстер?",
            "Вітаю! Обіцяли майстра на вчора, досі ніхто не приїхав. Коли чекати?",
            ago(hours=5, minutes=20),
        ),
        "order": mail(
            "order",
            "zak@drukarnia.example",
            "Łukasz Żak",
            "Zamówienie nr 88/2026 — prośba o potwierdzenie terminu",
            "Dzień dobry,\nprzesyłam zamówienie nr 88/2026. Proszę o potwierdzenie terminu.",
            ago(hours=1, minutes=10),
            line="sales-mail",
            html=_HTML,
        ),
        "english": mail(
            "english",
            "j.smith@harbour.example",
            "John Smith",
            "Invoice 2026-114",
            "Hello,\n\nthe invoice has the old address on it. Could you send a corrected copy?\n\nJohn",
            ago(minutes=12),
        ),
        "again": mail(
            "again",
            "sidorov@mail.example",
            "Пётр Сидоров",
            "Вопрос по договору",
            "Подскажите, когда будет готов договор? Нужен до пятницы.",
            ago(hours=2, minutes=55),
        ),
    }
    found = {name: await office.conversation_of(await office.hear(touch)) for name, touch in touches.items()}
    found["lead"] = await office.conversation_of(
        await office.hear(
            lead(
                "lead",
                "Ольга Кравец",
                "+79161234567",
                "Хочу узнать цену на обслуживание трёх магазинов.",
                ago(minutes=95),
            )
        )
    )
    found["lead2"] = await office.conversation_of(
        await office.hear(
            lead(
                "lead2",
                "Sp. z o.o. Merkury",
                "+48225550199",
                "Interesuje nas serwis w Warszawie, proszę o kontakt.",
                ago(minutes=20),
            )
        )
    )
    await _seed_work(office, found)
    await _seed_rest(office, now)
    return found


async def _seed_clients(office: Office) -> None:
    def work(unit: Any, setup: Any) -> None:
        company = clients.create(
            unit,
            setup,
            VERA,
            {
                "kind": "company",
                "name": "ООО «Завод»",
                "category": "VIP",
                "lifecycle": "current",
                "responsible": "anna",
            },
            ("phone:+78123258351",),
        )
        clients.create(
            unit,
            setup,
            VERA,
            {
                "name": "Мария Петрова",
                "category": "VIP",
                "lifecycle": "current",
                "source": "Выставка «Ритейл 2025»",
                "responsible": "anna",
                "company_id": company,
                "notes": "Звонить после 11. Любит короткие ответы.",
                "fields": {"Договор": "117/2025", "День рождения": "29 февраля"},
            },
            ("email:petrova@zavod.example", "phone:+79219310042"),
        )
        clients.create(
            unit,
            setup,
            VERA,
            {"name": "Łukasz Żak", "category": "A", "lifecycle": "current", "responsible": "boris"},
            ("email:zak@drukarnia.example",),
        )
        clients.create(
            unit,
            setup,
            VERA,
            {"name": "Оксана Іваненко", "category": "B", "lifecycle": "current"},
            ("email:ivanenko@lviv.example", "phone:+380322970011"),
        )

    await office.do(work)


async def _seed_history(office: Office, now: datetime) -> None:
    await office.hear(
        Touch(
            line="desk",
            event_key="test:visit",
            kind=Kind.MEETING,
            direction=Direction.OUTBOUND,
            at=now - timedelta(days=6),
            party=(Identity("email", "petrova@zavod.example"),),
            operator="anna",
            subject="Встреча на складе",
            text="Обошли три точки, договорились о замене двух касс до конца месяца.",
        )
    )
    await office.hear(
        Touch(
            line="office-pbx",
            event_key="test:call",
            kind=Kind.CALL,
            direction=Direction.INBOUND,
            at=now - timedelta(days=1, hours=2),
            party=(Identity("phone", "+79219310042", "Мария Петрова"),),
            operator="anna",
            call={"outcome": "answered", "talk_s": 252, "wait_s": 9, "from": "+79219310042"},
        )
    )


async def _seed_work(office: Office, found: dict[str, int]) -> None:
    now = office.store.now()

    def work(unit: Any, setup: Any) -> None:
        conversations.take(unit, setup, found["vip"], ANNA)
        conversations.hand_over(unit, setup, found["order"], VERA, operator="boris", why="его клиент")
        conversations.hand_over(unit, setup, found["late"], VERA, operator="anna")
        conversations.note(
            unit, setup, found["vip"], ANNA, "Инженер выехал, будет в 14:30. Перезвонить, когда заработает."
        )
        client = unit.connection.execute(
            select(models.conversation.c.client_id).where(models.conversation.c.id == found["vip"])
        ).scalar_one()
        tasks.make(
            unit,
            setup,
            ANNA,
            NewTask(
                "Перезвонить Петровой: заработала ли касса",
                client=client,
                conversation=found["vip"],
                due=now + timedelta(minutes=40),
            ),
        )
        tasks.make(unit, setup, ANNA, NewTask("Отправить акт за октябрь", due=now - timedelta(hours=3)))
        tasks.make(
            unit,
            setup,
            VERA,
            NewTask("Подготовить предложение для трёх магазинов", owner="anna", due=now + timedelta(days=2)),
        )

    await office.do(work)


async def _seed_rest(office: Office, now: datetime) -> None:
    await office.hear(
        mail(
            "spam",
            "win@prize.example",
            "Lucky Prize",
            "ВЫ ВЫИГРАЛИ 1 000 000",
            "Перейдите по ссылке, чтобы получить приз!",
            now - timedelta(hours=1),
            suspicion="honeypot",
        )
    )
    health = [
        {
            "line": "support-mail",
            "state": "running",
            "reason": "",
            "remedy": "",
            "since": now - timedelta(days=3),
            "seen_at": now,
        },
        {
            "line": "sales-mail",
            "state": "needs_person",
            "reason": "535 5.7.8 Authentication credentials invalid",
            "remedy": "correct imap.password in the set-up file and import it again",
            "since": now - timedelta(minutes=25),
            "seen_at": now,
        },
    ]
    aside = {
        "line": "support-mail",
        "event_key": "imap:1:4711",
        "at": now - timedelta(hours=9),
        "error": "UnicodeDecodeError: invalid start byte",
        "touch": {},
    }

    def work(unit: Any, setup: Any) -> None:
        unit.connection.execute(insert(models.line_health), health)
        unit.connection.execute(insert(models.set_aside).values(**aside))

    await office.do(work)
    await Clockwork(office.store, office.hub.setup).look()


def answer_to(conversation: int) -> Thread:
    """For a touch that belongs to a conversation."""
    return Thread(conversation=conversation)
