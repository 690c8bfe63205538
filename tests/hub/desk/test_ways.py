"""The reply box and the card of a client who comes by several doors: with a browser, and without scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select

from channels.touch import Identity
from hub.actions import conversations
from hub.receipts import put_off
from storage import models
from tests.hub.desk.doors import DOORS, hear, rate, seed_doors
from tests.hub.desk.office import VERA, Office, open_office
from tests.hub.desk.test_browser import at_desk
from tests.hub.desk.visits import visit

IN_HER_LANGUAGE = {
    "ru": "Клиент просил не писать ему по этому каналу.",
    "uk": "Клієнт просив не писати йому цим каналом.",
    "pl": "Klient prosił, żeby nie pisać do niego tym kanałem.",
    "en": "The client has asked not to be written to on this channel.",
}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path / "home", f"sqlite:///{tmp_path / 'touchline.db'}", DOORS) as opened:
        yield opened


@pytest.fixture
async def any_office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with open_office(tmp_path / "home", database_url, DOORS) as opened:
        yield opened


async def sent(office: Office) -> dict[str, Any]:
    """The newest delivery, with the text of its interaction."""
    table, said = models.delivery, models.interaction
    query = (
        select(table, said.c.text)
        .join_from(table, said, said.c.id == table.c.interaction_id)
        .order_by(table.c.id.desc())
    )
    return dict(await office.store.read(lambda connection: connection.execute(query.limit(1)).mappings().one()))


async def test_the_box_shows_the_way_puts_a_template_in_and_counts_an_sms(browser: Browser, office: Office) -> None:
    found = await seed_doors(office)
    await hear(office, "sms", "START", Identity("phone", "+79219310055"), 1, fields={"opted_out": False})
    async with at_desk(browser, office, "anna") as page:
        await page.goto(f"{office.address}/desk/conversations/{found['several']}")
        note = page.locator("[data-way-note]")
        await expect(note).to_contain_text("«SMS 7000» (SMS) на +79219310055")
        await page.keyboard.press("i")
        await page.keyboard.type("задерж")
        await expect(page.locator("[data-template]:visible")).to_have_count(1)
        await page.keyboard.press("Enter")
        text = page.get_by_role("textbox", name="Ответ")
        await expect(text).to_have_value("Заказ ваш едет. Touchline")
        await expect(page.locator("[data-cost]")).to_have_text(
            "1 часть · осталось 45 знаков · из-за «З» в части 70 знаков вместо 160"
        )
        await text.fill("Z" * 161)
        await expect(page.locator("[data-cost]")).to_have_text("2 части · осталось 145 знаков")
        await page.get_by_label("Линия").select_option("bot")
        await expect(note).to_contain_text("«Бот» (Telegram) на 55")
        await expect(page.locator("[data-cost]")).to_be_hidden()
        assert await page.locator("select[name=line] option[value=old-bot]").is_disabled()
        await text.fill("")
        await page.keyboard.press("Escape")
        await page.locator("[data-templates] summary").click()
        await page.locator("[data-template=delay]").click()
        await expect(page.locator("[data-missing]")).to_contain_text("{{ field.order }}")
        await page.keyboard.type("4711")  # the blank is selected: what is typed goes into it
        await expect(text).to_have_value(
            re.compile(r"Дарья Кузнецова! Заказ 4711 задерживается, мы ответим (сегодня|завтра)")
        )
        await page.get_by_role("button", name="Отправить", exact=True).click()
        await expect(page.get_by_text("Ответ отправляется.")).to_be_visible()
    delivery = await sent(office)
    assert (delivery["line"], delivery["recipients"][0]["identity"]) == ("bot", "telegram:55")


async def test_without_scripts_everything_works_too(any_office: Office) -> None:
    found = await seed_doors(any_office)
    talk = f"/desk/conversations/{found['several']}"
    async with visit(any_office, "vera") as visitor:
        page = (await visitor.get(f"{talk}?template=thanks&line=bot")).text
        assert "Дякуємо, Дарья Кузнецова!" in page or "Спасибо, Дарья Кузнецова!" in page
        unfinished = await visitor.post(f"{talk}/reply", {"text": "Заказ {{ field.order }} едет", "line": "bot"})
        assert unfinished.status == 422 and "{{ field.order }}" in unfinished.text
        for language, told in IN_HER_LANGUAGE.items():
            await visitor.post("/desk/settings", {"language": language, "signature": ""})
            refused = await visitor.post(f"{talk}/reply", {"text": "Едет", "line": "sms"})
            assert (refused.status, told in refused.text) == (409, True), language
        written = {"text": "Едет", "line": "bot", "to": "darya@mail.example", "subject": "Re: x"}
        assert (await visitor.post(f"{talk}/reply", written)).status == 303
        assert (await sent(any_office))["recipients"][0]["identity"] == "telegram:55"
        number, until = (await sent(any_office))["id"], any_office.store.now() + timedelta(days=2)
        why = "quiet hours where the recipient lives"
        await any_office.store.write(lambda unit: put_off(unit, number, why, until))
        assert re.search(r"put off until .*: quiet hours where the recipient lives", (await visitor.get(talk)).text)
        nobody = (await visitor.get(f"/desk/conversations/{found['nobody']}")).text
        assert "This sender cannot be answered." in nobody


async def test_wishes_are_noted_and_lifted_on_the_card(any_office: Office) -> None:
    await seed_doors(any_office)
    async with visit(any_office, "vera") as vera, visit(any_office, "anna") as anna:
        await vera.post("/desk/settings", {"language": "en", "signature": ""})
        page = (await vera.get("/desk/clients/1/wishes")).text
        assert "Хочу получать новости по почте" in page and "2026-11" in page and "STOP" in page
        lifted = {"state": "given", "purpose": "all", "channel": "sms", "reason": "Просила позвонив"}
        assert (await anna.post("/desk/clients/1/wishes", lifted)).status == 403
        assert (await vera.post("/desk/clients/1/wishes", {**lifted, "reason": ""})).status == 422
        assert (await vera.post("/desk/clients/1/wishes", lifted)).status == 303
        assert "Просила позвонив" in (await vera.get("/desk/clients/1/wishes")).text
        refused = {"state": "refused", "purpose": "marketing", "channel": "all", "text": "Не надо писем"}
        assert (await anna.post("/desk/clients/1/wishes", refused)).status == 303
        card = {"name": "Дарья", "preferred_channel": "telegram"}
        assert (await vera.post("/desk/clients/1/edit", card)).status == 303
        assert "Telegram" in (await vera.get("/desk/clients/1")).text


async def test_supervisors_write_templates_at_the_desk(any_office: Office) -> None:
    async with visit(any_office, "vera") as vera, visit(any_office, "anna") as anna:
        await vera.post("/desk/settings", {"language": "en", "signature": ""})
        made = {"key": "hello", "title.en": "Greeting", "text.en": "Hello {{ client }}", "text.ru": "Привет"}
        assert (await anna.post("/desk/templates/new", made)).status == 403
        assert (await vera.post("/desk/templates/new", made)).status == 303
        assert "Hello {{ client }}" in (await vera.get("/desk/templates?language=en")).text
        wrong = await vera.post("/desk/templates/hello/edit", {**made, "text.en": "Hello {{ cleint }}"})
        assert wrong.status == 422 and "Did you mean client" in wrong.text
        assert (await vera.post("/desk/templates/new", made)).status == 422
        delay = {"title.ru": "Задержка", "text.ru": "Заказ едет", "subject": ""}
        assert (await vera.post("/desk/templates/delay/edit", delay)).status == 303
        kept = any_office.hub.setup.current.templates["delay"]
        assert (kept.text, kept.subject, "sms" in kept.channels) == ({"ru": "Заказ едет"}, None, True)
        assert (await vera.post("/desk/templates/hello/remove", {})).status == 303
        assert "hello" not in any_office.hub.setup.current.templates


async def test_the_rating_stands_on_the_conversation(office: Office) -> None:
    found = await seed_doors(office)
    await office.do(lambda unit, setup: conversations.close(unit, setup, found["rated"], VERA, "no_answer_needed"))
    close = models.conversation.update().where(models.conversation.c.id == found["rated"])
    await office.store.write(lambda unit: unit.connection.execute(close.values(closed_why="answered")) and None)
    await rate(office, found["rated"], 4)
    async with visit(office, "anna") as visitor:
        page = (await visitor.get(f"/desk/conversations/{found['rated']}")).text
        assert "★ 4/5" in page


async def test_the_screens_in_every_language(office: Office) -> None:
    found = await seed_doors(office)
    paths = (
        f"/desk/conversations/{found['several']}", f"/desk/conversations/{found['nobody']}", "/desk/clients/1",
        "/desk/clients/1/wishes", "/desk/clients/1/edit", "/desk/templates", "/desk/templates/new",
        "/desk/templates/delay/edit", "/desk/write?client=1",
    )  # fmt: skip
    async with visit(office, "vera") as visitor:
        for language in IN_HER_LANGUAGE:
            await visitor.post("/desk/settings", {"language": language, "signature": ""})
            for path in paths:
                answer = await visitor.get(path)
                assert answer.status == 200 and f'<html lang="{language}">' in answer.text, (path, answer.text[:300])
