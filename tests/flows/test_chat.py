"""A visitor on somebody else's site and an operator at his desk: two browsers and a whole hub, on both databases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout
from playwright.async_api import Browser, Locator, Page, expect

from channels.chat import stream
from hub.actions.writing import Letter, reply
from hub.actor import Actor
from hub.presence import come_back, go_away
from storage import models
from tests.flows.house import House
from tests.flows.shop import Counter, at_desk, open_counter

ANNA = Actor("operator", "anna", "operator", ("support",))
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3) \"'`${7*7}{{7*7}}"
Row = dict[str, Any]


def in_file(folder: Path) -> str:
    return f"sqlite:///{folder / 'touchline.db'}"


def launcher(page: Page) -> Locator:
    return page.locator("touchline-chat .launcher")


def writing(page: Page) -> Locator:
    return page.locator("touchline-chat .composer textarea")


def log(page: Page) -> Locator:
    return page.locator("touchline-chat .log")


async def write(page: Page, text: str) -> None:
    """Open the chat if need be, write, and see that it was taken."""
    if not await writing(page).is_visible():
        await launcher(page).click()
    await writing(page).fill(text)
    await writing(page).press("Enter")
    await expect(log(page).locator("article.mine").last).to_contain_text(text)
    await expect(log(page).locator("article.mine").last.locator(".sign.sent")).to_be_visible()


async def answer(desk: Page, text: str) -> None:
    """The operator answers in the conversation that is open."""
    await desk.locator("reply-box textarea[name=text]").fill(text)
    await desk.locator("button[value=wait]").click()
    await desk.wait_for_url("**/desk/conversations/*")


async def open_conversation(desk: Page, counter: Counter, number: int) -> None:
    await desk.goto(f"{counter.address}/desk/conversations/{number}")
    await desk.wait_for_selector("html[data-live=on]", state="attached")


async def talk_of(house: House, text: str) -> Row:
    return await house.inbound(text=text, line="site")


async def test_two_browsers_talk_live(browser: Browser, tmp_path: Path, database_url: str) -> None:
    async with open_counter(tmp_path, database_url) as (counter, shop), ClientSession() as http:
        house = House(counter.running, counter.address, http)
        shop.language = "uk"
        page = await shop.visit(browser, path="/kontakty?utm_source=google&utm_campaign=osin&color=red")
        await write(page, "Вітаю! Де моє замовлення?")
        asked = await talk_of(house, "Вітаю! Де моє замовлення?")
        assert (asked["channel"], asked["team"], asked["language"]) == ("chat", "support", "uk")
        assert asked["fields"]["page"].endswith("/kontakty?utm_source=google&utm_campaign=osin&color=red")
        assert (asked["fields"]["utm_source"], asked["fields"]["utm_campaign"]) == ("google", "osin")
        async with at_desk(browser, counter) as desk:
            await open_conversation(desk, counter, asked["conversation_id"])
            await writing(page).press_sequentially("І ще")
            await expect(desk.locator("visitor-types")).to_have_text("Посетитель печатает…")
            await expect(desk.locator("visitor-types")).to_be_visible()
            await writing(page).fill("")
            await expect(desk.locator("visitor-types")).to_be_hidden()
            await desk.locator("reply-box textarea[name=text]").press_sequentially("Зараз")
            await expect(page.locator("touchline-chat .typing")).to_be_visible()
            await answer(desk, HOSTILE)
            reply = log(page).locator("article.theirs").last
            await expect(reply.locator(".words")).to_have_text(HOSTILE)
            await expect(reply.locator(".who")).to_have_text("Анна Соколова")
            await expect(page.locator("touchline-chat .typing")).to_be_hidden()
            await expect(desk.locator("article.outbound .badge")).to_have_text("прочитано")
            await write(page, HOSTILE)
            await expect(desk.locator("article.inbound .words").last).to_have_text(HOSTILE)
            assert await desk.locator("article img, article script").count() == 0
        assert await log(page).locator("img, script, a").count() == 0
        delivery = await house.row(models.delivery)
        assert (delivery["state"], delivery["line"]) == ("read", "site")
        await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")
        second = await talk_of(house, HOSTILE)
        assert (second["conversation_id"], second["client_id"]) == (asked["conversation_id"], asked["client_id"])
        assert "page" not in second["fields"], "told once a page"
        assert shop.faults == []


async def test_reload_other_tabs_and_a_restart_of_the_hub_lose_and_double_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    async with open_counter(tmp_path, in_file(tmp_path)) as (counter, shop), ClientSession() as http:
        page = await shop.visit(browser)
        await write(page, "Первое")
        house = House(counter.running, counter.address, http)
        asked = await talk_of(house, "Первое")
        await writing(page).fill("недописанн")
        await page.reload()
        await expect(writing(page)).to_have_value("недописанн")
        await expect(log(page)).to_contain_text("Первое")
        tab = await page.context.new_page()
        asked_for = list[str]()
        tab.on("request", lambda request: asked_for.append(request.url.rpartition("/")[2]))
        await tab.goto(f"{shop.url}/next")
        await launcher(tab).click()
        await write(tab, "Из второй вкладки")
        await expect(log(page)).to_contain_text("Из второй вкладки")
        assert "say" in asked_for and "follow" not in asked_for, "one stream does for all tabs"
        await counter.stop()
        await writing(page).fill("Пока вас не было")
        await writing(page).press("Enter")
        await expect(log(page).locator(".sign.sending")).to_be_visible()
        await page.reload()  # the script comes out of the browser's cache
        await counter.start()
        house = House(counter.running, counter.address, http)
        await talk_of(house, "Пока вас не было")
        await _reply(house, asked["conversation_id"], "Мы снова здесь")
        for each in (page, tab):
            await expect(log(each)).to_contain_text("Мы снова здесь")
            texts = await log(each).locator("article.mine .words").all_text_contents()
            assert texts == ["Первое", "Из второй вкладки", "Пока вас не было"]
        rows = await house.rows(models.interaction, direction="inbound")
        assert [row["text"] for row in rows] == ["Первое", "Из второй вкладки", "Пока вас не было"]
        assert len({row["client_id"] for row in rows}) == 1
        assert len(await house.rows(models.identity, scheme="chat")) == 1
        assert shop.faults == []


async def _reply(house: House, conversation: int, text: str) -> Row:
    setup = house.hub.setup.current
    number = await house.store.write(lambda unit: reply(unit, setup, conversation, ANNA, Letter(text)))
    return await house.wait_for_row(models.delivery, id=number)


async def test_who_has_gone_finds_his_answer_when_he_is_back(
    browser: Browser, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_GRACE_S", 0.1)
    async with open_counter(tmp_path, database_url) as (counter, shop), ClientSession() as http:
        house = House(counter.running, counter.address, http)
        page = await shop.visit(browser)
        await write(page, "Вы ещё работаете?")
        asked = await talk_of(house, "Вы ещё работаете?")
        async with at_desk(browser, counter) as desk:
            await open_conversation(desk, counter, asked["conversation_id"])
            await expect(desk.locator(".ids")).to_contain_text("сейчас на сайте")
            kept = await page.context.storage_state()
            await page.close()
            await expect(desk.locator(".ids")).to_contain_text("ушёл с сайта")
            await expect(desk.locator(".talk-head")).to_contain_text("ответ в чате он увидит, когда вернётся")
            await answer(desk, "Да, до восьми.")
        sent = await house.wait_for_row(models.delivery, state="sent")
        back = await (await browser.new_context(storage_state=kept)).new_page()
        await back.goto(shop.url)
        await expect(launcher(back)).to_contain_text("1")
        await house.wait_for_row(models.delivery, id=sent["id"], state="delivered")
        await launcher(back).click()
        await expect(log(back)).to_contain_text("Да, до восьми.")
        await house.wait_for_row(models.delivery, id=sent["id"], state="read")


CONSENT = 'consent = { text = { pl = "Zgoda na dane", en = "Consent" }, version = "7" }\n'


async def test_nobody_there_leaves_a_form_that_makes_a_client(
    browser: Browser, tmp_path: Path, database_url: str
) -> None:
    async with open_counter(tmp_path, database_url, CONSENT) as (counter, shop), ClientSession() as http:
        house = House(counter.running, counter.address, http)
        await _all(counter, away=True)
        page = await shop.visit(browser, phone=True, language="ru")
        await launcher(page).click()
        form = page.locator("touchline-chat .contacts")
        await form.locator("[name=text]").fill("Перезвоните мне")
        await form.get_by_role("button", name="Отправить").click()
        await expect(form.get_by_role("alert")).to_have_text("Нужен телефон или почта")
        await form.locator("[name=phone]").fill("12")
        await form.locator("[name=name]").fill("Иван Петров")
        await form.get_by_role("button", name="Отправить").click()
        await expect(form.get_by_role("alert")).to_have_text("Нужно ваше согласие.")
        await form.get_by_role("checkbox").check()
        await form.get_by_role("button", name="Отправить").click()
        await expect(form.get_by_role("alert")).to_have_text("Проверьте номер телефона.")
        await form.locator("[name=phone]").fill("8 (812) 325-83-51")
        await form.get_by_role("button", name="Отправить").click()
        await expect(log(page)).to_contain_text("Перезвоните мне")
        asked = await talk_of(house, "Перезвоните мне")
        assert (asked["fields"]["name"], asked["fields"]["phone"]) == ("Иван Петров", "8 (812) 325-83-51")
        (consent,) = asked["origin"]["consent"]
        assert (consent["text"], consent["version"]) == ("Consent", "7")
        client = await house.row(models.client, id=asked["client_id"])
        assert (client["name"], client["provisional"]) == ("Иван Петров", False)
        identities = await house.rows(models.identity, client_id=asked["client_id"])
        assert {(one["scheme"], one["value"]) for one in identities if one["scheme"] != "chat"} == {
            ("phone", "+78123258351")
        }
        await _all(counter, away=False)
        await expect(page.locator("touchline-chat .status.on")).to_be_visible()
        assert shop.faults == []


async def _all(counter: Counter, *, away: bool) -> None:
    act = go_away if away else come_back
    for operator in ("anna", "vera"):
        await counter.running.store.write(lambda unit, operator=operator: act(unit, operator))  # type: ignore[misc]


async def test_an_anonymous_visitor_becomes_a_client_or_is_asked_about(
    browser: Browser, tmp_path: Path, database_url: str
) -> None:
    async with open_counter(tmp_path, database_url) as (counter, shop), ClientSession() as http:
        house = House(counter.running, counter.address, http)
        known = await house.post("contact", {"email": "ivan@client.example", "name": "Иван", "message": "Раньше"})
        regular = (await house.row(models.interaction, id=known["interaction"]))["client_id"]
        page = await shop.visit(browser)
        await write(page, "Это снова я")
        asked = await talk_of(house, "Это снова я")
        client = await house.row(models.client, id=asked["client_id"])
        assert client["provisional"] and re.fullmatch(r"Посетитель [0-9A-F]{4}", client["name"])
        await page.get_by_role("button", name="Оставить контакты").click()
        await page.locator("touchline-chat [name=email]").fill("Ivan@Client.example")
        await page.locator("touchline-chat .big").click()
        left = await talk_of(house, "☎ Ivan@Client.example")
        assert (left["client_id"], left["conversation_id"]) == (asked["client_id"], asked["conversation_id"])
        assert left["candidates"] == [{"client": regular, "reason": "email:ivan@client.example"}]
        async with at_desk(browser, counter) as desk:
            await open_conversation(desk, counter, asked["conversation_id"])
            await desk.get_by_role("button", name="Да, это так").click()
            await expect(desk.locator(".talk-head")).to_contain_text("Иван")
        await _reply(house, asked["conversation_id"], "Рады видеть вас снова")
        await expect(log(page)).to_contain_text("Рады видеть вас снова")
        assert shop.faults == []


async def test_a_flood_is_slowed_down_and_nothing_of_it_is_lost(browser: Browser, tmp_path: Path) -> None:
    limits = 'limits = { per_session = "2 per 5 second", per_address = 0, per_line = 0 }\n'
    async with (
        open_counter(tmp_path, in_file(tmp_path), limits) as (counter, shop),
        ClientSession() as http,
    ):
        house = House(counter.running, counter.address, http)
        page = await shop.visit(browser)
        await launcher(page).click()
        for number in range(3):
            await writing(page).fill(f"Раз {number}")
            await writing(page).press("Enter")
        await expect(page.locator("touchline-chat .notice")).to_contain_text("Слишком много сообщений")
        await expect(log(page).locator(".sign.sent")).to_have_count(3)
        await expect(page.locator("touchline-chat .notice")).to_be_hidden()
        rows = await house.rows(models.interaction, direction="inbound")
        assert [row["text"] for row in rows] == [f"Раз {number}" for number in range(3)]


async def test_files_go_both_ways_and_open_for_nobody_else(browser: Browser, tmp_path: Path) -> None:
    async with open_counter(tmp_path, in_file(tmp_path)) as (counter, shop), ClientSession() as http:
        house = House(counter.running, counter.address, http)
        page = await shop.visit(browser)
        await launcher(page).click()
        picture = b"\x89PNG\r\n\x1a\n" + b"0" * 2000
        await page.locator("touchline-chat #files").set_input_files(
            {"name": "чек <b>.png", "mimeType": "image/png", "buffer": picture}
        )
        await writing(page).fill("Вот чек")
        await writing(page).press("Enter")
        chip = log(page).locator("article.mine a.chip")
        await expect(chip).to_have_text("чек <b>.png")
        kept = await house.wait_for_row(models.attachment)
        assert (kept["media_type"], house.store.files.read(kept["path"])) == ("image/png", picture)
        address = str(await chip.get_attribute("href"))
        async with http.get(address) as got:
            assert (got.status, await got.read()) == (200, picture)
            assert got.headers["Content-Disposition"].startswith("attachment;")
        async with http.get(address.replace(f"file/{kept['id']}", f"file/{kept['id'] + 1}")) as refused:
            assert refused.status == 403
        await page.locator("touchline-chat #files").set_input_files(
            {"name": "virus.png", "mimeType": "image/png", "buffer": b"MZ" + b"0" * 100}
        )
        await writing(page).press("Enter")
        await expect(log(page).locator("article.mine .wrong")).to_contain_text("Такой файл не принимается")
        assert len(await house.rows(models.attachment)) == 1


HEADINGS = {"ru": "Напишите нам", "uk": "Напишіть нам", "pl": "Napisz do nas", "en": "Write to us"}


async def test_the_widget_speaks_the_pages_language_and_fits(browser: Browser, tmp_path: Path) -> None:
    async with open_counter(tmp_path, in_file(tmp_path)) as (_, shop):
        for shop.language, heading in HEADINGS.items():
            for phone in (False, True):
                page = await shop.visit(browser, phone=phone)
                await launcher(page).focus()
                await page.keyboard.press("Enter")
                panel = page.get_by_role("dialog", name=heading)
                await expect(panel).to_be_visible()
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                box, size = await panel.bounding_box(), page.viewport_size
                assert box and size and box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
                assert box["height"] > 300
                await page.keyboard.press("Escape")
                await expect(panel).to_be_hidden()
                await expect(launcher(page)).to_be_focused()
                await page.context.close()
        assert shop.faults == []


LOOKS = """heading = "Chat"
greeting = { pl = "Cześć!" }
colour = "#ffd400"
theme = "dark"
side = "left"
files = false
acknowledge = "Thank you, we are on it."
"""


async def test_it_looks_as_the_set_up_says_and_acknowledges(browser: Browser, tmp_path: Path) -> None:
    async with open_counter(tmp_path, in_file(tmp_path), LOOKS) as (_, shop):
        shop.tag = 'data-lang="pl"'
        page = await shop.visit(browser)
        await page.get_by_role("button", name="Ask us").click()
        panel = page.get_by_role("dialog", name="Chat")
        await expect(panel).to_contain_text("Cześć!")
        box = await panel.bounding_box()
        assert box and box["x"] < 100
        header = panel.locator("header")
        await expect(header).to_have_css("background-color", "rgb(255, 212, 0)")
        await expect(header).to_have_css("color", "rgb(0, 0, 0)")
        await expect(panel).to_have_css("background-color", "rgb(27, 34, 43)")
        await expect(page.locator("touchline-chat #files")).to_have_count(0)
        await write(page, "Dzień dobry")
        await expect(log(page).locator("article.theirs").last).to_contain_text("Thank you, we are on it.")
        page.on("dialog", lambda dialog: dialog.accept())
        await page.get_by_role("button", name="Usuń rozmowę").click()
        await launcher(page).click()
        await expect(panel).to_contain_text("Cześć!")
        await expect(log(page).locator("article")).to_have_count(1)
        assert shop.faults == []


async def test_a_page_of_another_site_may_not(tmp_path: Path) -> None:
    patience = ClientTimeout(10)
    async with (
        open_counter(tmp_path, in_file(tmp_path)) as (counter, shop),
        ClientSession(timeout=patience) as http,
    ):
        hook = f"{counter.address}/hooks/site"
        async with http.post(f"{hook}/session", data="{}", headers={"Origin": "https://evil.example"}) as refused:
            assert refused.status == 403 and "Access-Control-Allow-Origin" not in refused.headers
        async with http.post(f"{hook}/session", data="{}", headers={"Origin": shop.url}) as opened:
            assert opened.headers["Access-Control-Allow-Origin"] == shop.url
            assert json.loads(await opened.text())["present"] is True
        for path in ("/chat/nowhere.js", "/telegram/site.js", "/chat/site.css"):
            async with http.get(counter.address + path) as nothing:
                assert nothing.status == 404
