"""A client who comes by several doors: the set-up of them, templates, and what she has said so far."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from channels.touch import Direction, Identity, Kind, Touch
from hub import ratings
from hub.actions import clients, conversations
from tests.hub.desk.office import VERA, Office

BY_TELEGRAM = Identity("telegram", "55", "Дарья Кузнецова")
BY_PHONE = Identity("phone", "+79219310055", "Дарья Кузнецова")
BANK = Identity("phone", "MyBank", odd=True)

DOORS = """
[line.bot]
channel = "telegram"
title = { ru = "Бот", uk = "Бот", pl = "Bot", en = "Bot" }
team = "support"
token = "4711:test"
rate = { ru = "Как мы справились, {{ client|дорогой клиент }}?", uk = "Як ми впоралися?", pl = "Jak nam poszło?", en = "How did we do?" }

[line.sms]
channel = "sms"
title = "SMS 7000"
team = "support"
gateway = "smpp"
host = "127.0.0.1"
port = 1
system_id = "hub"
password = "secret"
sender = "7000"
rate = { ru = "Оцените нас.", en = "Rate us." }

[line.old-bot]
channel = "telegram"
title = { ru = "Старый бот", uk = "Старий бот", pl = "Stary bot", en = "Old bot" }
policy = "receive_only"
token = "4712:test"

[template.delay]
title = { ru = "Заказ задерживается", uk = "Замовлення затримується", pl = "Zamówienie się opóźnia", en = "The order is late" }
text = { ru = "Здравствуйте, {{ client }}! Заказ {{ field.order }} задерживается, мы ответим {{ due|скоро }}.\\n{{ operator }}", uk = "Вітаємо, {{ client }}! Замовлення {{ field.order }} затримується.", pl = "Dzień dobry, {{ client }}! Zamówienie {{ field.order }} się opóźnia.", en = "Hello {{ client }}, order {{ field.order }} is late; we shall answer {{ due|soon }}.\\n{{ operator }}" }
subject = "{{ company }}: {{ field.order|заказ }}"

[template.delay.channels]
sms = { ru = "Заказ {{ field.order|ваш }} едет. {{ company }}", en = "Order {{ field.order|yours }} is on its way. {{ company }}" }

[template.thanks]
title = { ru = "Спасибо", uk = "Дякуємо", pl = "Dziękujemy", en = "Thanks" }
text = { ru = "Спасибо, {{ client|уважаемый клиент }}! {{ operator }}, {{ company }}", uk = "Дякуємо, {{ client|шановний клієнте }}!", pl = "Dziękujemy, {{ client|drogi kliencie }}!", en = "Thank you, {{ client|dear client }}! {{ operator }}, {{ company }}" }
team = "support"

[template.reminder]
title = { ru = "Напоминание", uk = "Нагадування", pl = "Przypomnienie", en = "Reminder" }
text = { ru = "Напоминаем о встрече.", uk = "Нагадуємо про зустріч.", pl = "Przypominamy o spotkaniu.", en = "This is to remind you of our meeting." }
approved = { name = "meeting_reminder", language = { ru = "ru", uk = "uk", pl = "pl", en = "en_US" }, parameters = ["{{ client|клиент }}"] }
"""  # noqa: E501 (a set-up file has no line breaks inside inline tables)


async def hear(office: Office, line: str, text: str, who: Identity, minutes: float, **more: Any) -> int:
    """Something comes in, so many minutes ago; the interaction."""
    at = office.store.now() - timedelta(minutes=minutes)
    given = {"kind": Kind.MESSAGE, "direction": Direction.INBOUND, "party": (who,), "language": "ru"}
    return await office.hear(Touch(line, f"{line}:{text}:{minutes}", at=at, text=text, **{**given, **more}))


async def seed_doors(office: Office) -> dict[str, int]:
    """Conversations by name: `several` came by Telegram and SMS, with a STOP; `rated`; `nobody` cannot be answered."""
    names = ("telegram:55", "phone:+79219310055", "email:darya@mail.example")
    await office.do(lambda unit, setup: clients.create(unit, setup, VERA, {"name": "Дарья Кузнецова"}, names))
    await hear(
        office, "form:contact", "Цена?", BY_PHONE, 3000, kind=Kind.FORM,
        fields={"message": "Цена?"},
        origin={"consent": [{
            "field": "news", "text": "Хочу получать новости по почте", "version": "2026-11", "purpose": "marketing",
            "channels": ["email"], "at": "2026-11-01T09:00:00Z",
        }]},
    )  # fmt: skip
    rated = await office.conversation_of(await hear(office, "bot", "Где счёт?", BY_TELEGRAM, 2000))
    await office.do(lambda unit, setup: conversations.close(unit, setup, rated, VERA, "no_answer_needed"))
    await office.do(lambda unit, setup: conversations.reopen(unit, setup, rated, VERA))
    several = await office.conversation_of(await hear(office, "bot", "Где мой заказ?", BY_TELEGRAM, 20))
    assert await office.conversation_of(await hear(office, "sms", "Алло, вы там?", BY_PHONE, 12)) == several
    await hear(office, "sms", "STOP", BY_PHONE, 10, fields={"opted_out": True})
    await hear(office, "bot", "Пишите сюда", BY_TELEGRAM, 5)
    nobody = await office.conversation_of(await hear(office, "sms", "Your code is 1234", BANK, 4))
    return {"several": several, "rated": rated, "nobody": nobody}


async def rate(office: Office, conversation: int, score: int) -> None:
    """She is asked how we did, and presses a star."""
    number = await office.do(lambda unit, setup: ratings.ask(unit, setup, conversation))
    assert number is not None
    fields = {"rating": score}
    from channels.touch import Thread

    await hear(office, "bot", f"{score} ★", BY_TELEGRAM, 0, kind=Kind.NOTE, fields=fields, thread=Thread(conversation))
