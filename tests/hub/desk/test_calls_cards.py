"""The cards of calls in a real browser: what is left over after calls, who waits and who is asked, and whose the number
probably is."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from hub.actions import clients
from storage import models
from storage.models import identity
from tests.hub.desk.calls import GATES, Caller
from tests.hub.desk.office import ANNA, VERA, Office, open_office, seed
from tests.hub.desk.test_browser import at_desk

MARIA, MARIAS_PHONE = "Мария Петрова", "+79219310042"
FOLD = "Показать или скрыть звонок"


@pytest.fixture
async def office(tmp_path: Path):  # type: ignore[no-untyped-def]
    """On SQLite, where nothing is stored that another test does not store."""
    async with open_office(tmp_path / "home", f"sqlite:///{tmp_path / 'touchline.db'}", GATES) as opened:
        yield opened


def shown(page: Page, caller: Caller) -> Locator:
    return page.locator(f"#call-{caller.interaction}")


def button(where: Locator, name: str) -> Locator:
    return where.get_by_role("button", name=name, exact=True)


async def talked_to(office: Office, page: Page, number: str) -> Caller:
    """A call that anna has answered, and that has ended."""
    caller = Caller(office, number)
    await caller.ring("101")
    await caller.answer("101")
    await expect(shown(page, caller)).to_have_attribute("data-state", "talking")
    await caller.end()
    await expect(shown(page, caller)).to_have_attribute("data-state", "wrap_up")
    return caller


async def again(page: Page) -> None:
    await page.reload()
    await page.wait_for_selector("html[data-live=on]", state="attached")


async def test_what_is_left_over_is_a_line_each_and_hides_nothing(browser: Browser, office: Office) -> None:
    await seed(office)
    async with at_desk(browser, office, "anna", forgives=("409",)) as page:
        left = [await talked_to(office, page, f"+7926123450{number}") for number in range(5)]
        newest, second, oldest = left[4], left[3], left[0]
        await expect(shown(page, newest).locator("textarea")).to_be_visible()
        await expect(shown(page, second).locator("textarea")).to_be_hidden()
        await expect(shown(page, oldest)).to_be_hidden()
        rest = button(page.locator("#calls"), "Незавершённые звонки: 5")
        await rest.focus()
        await page.keyboard.press("Enter")
        await expect(shown(page, oldest)).to_be_visible()
        await page.keyboard.press("Enter")
        await expect(shown(page, oldest)).to_be_hidden()

        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("c")
        await expect(page.locator("#calls")).to_be_focused()
        await button(shown(page, second), FOLD).focus()
        await page.keyboard.press("Enter")
        await expect(shown(page, second).locator("textarea")).to_be_visible()
        await expect(shown(page, newest).locator("textarea")).to_be_hidden()
        await page.keyboard.press("Enter")
        await expect(shown(page, second).locator("textarea")).to_be_hidden()

        await button(shown(page, second), "Сделано").press("Enter")
        await expect(shown(page, second).get_by_role("alert")).to_contain_text("Спросить, откуда о нас узнали")
        await shown(page, second).locator("[name='field.source']").fill("реклама")
        await button(shown(page, second), "Завершить обработку").press("Enter")
        await expect(shown(page, second)).to_have_count(0)
        await expect(page.locator("#calls [data-fold]:focus")).to_have_count(1)

        await expect(shown(page, newest).locator("textarea")).to_be_visible()
        await button(shown(page, newest), FOLD).click()
        await expect(shown(page, newest).locator("textarea")).to_be_hidden()
        await again(page)
        await expect(shown(page, newest)).to_be_visible()
        await expect(shown(page, newest).locator("textarea")).to_be_hidden()
        assert await lowest_above_calls(page)
    async with at_desk(browser, office, "anna", phone=True) as page:
        await expect(shown(page, newest)).to_be_visible()
        await expect(page.locator("#calls textarea:visible")).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert await lowest_above_calls(page)
        await button(shown(page, newest), FOLD).tap()
        await expect(shown(page, newest).locator("textarea")).to_be_visible()
        assert await lowest_above_calls(page)


async def lowest_above_calls(page: Page) -> bool:
    """Whether the page, scrolled to its end, ends above the calls or beside them."""
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    return bool(
        await page.evaluate(
            """() => {
                const calls = document.getElementById("calls").getBoundingClientRect();
                return [...document.querySelectorAll("main .item, main .panel")].every((each) => {
                    const box = each.getBoundingClientRect();
                    return box.bottom <= calls.top || box.right <= calls.left || box.height === 0;
                });
            }"""
        )
    )


async def test_who_waits_and_who_is_asked_is_on_both_desks(browser: Browser, office: Office) -> None:
    async with at_desk(browser, office, "anna") as anna, at_desk(browser, office, "boris") as boris:
        caller = Caller(office)
        await caller.ring("101")
        await caller.answer("101")
        mine, his = shown(anna, caller), shown(boris, caller)
        await mine.locator("textarea").fill("Хочет скидку")
        await caller.silence()
        await expect(button(mine, "Продолжить запись")).to_be_visible()
        await again(anna)
        await expect(button(mine, "Продолжить запись")).to_be_visible()
        await caller.silence(False)
        await expect(button(mine, "Остановить запись")).to_be_visible()

        await caller.hold()
        await expect(mine).to_contain_text("На удержании")
        await caller.ask("102", by="101")
        await expect(mine.locator(".aside")).to_contain_text("Идёт вызов: Borys Kowalski (102)")
        await expect(button(mine, "Передать, не дожидаясь")).to_be_visible()
        await expect(his).to_have_attribute("data-state", "ringing")
        await expect(his.locator(".aside")).to_contain_text("Анна Соколова pyta Cię")
        await caller.talk_aside(by="101")
        await expect(button(mine, "Соединить их")).to_be_visible()
        await expect(mine.locator("textarea")).to_have_value("Хочет скидку")
        await expect(his).to_have_attribute("data-state", "asked")
        await expect(his.locator("textarea")).to_have_count(0)
        await caller.take_back(by="101")
        await expect(his).to_have_count(0)
        await expect(mine.locator(".aside")).to_have_count(0)

        await caller.hold()
        await caller.ask("102", by="101")
        await caller.talk_aside(by="101")
        await expect(his).to_have_attribute("data-state", "asked")
        await caller.connect("102")
        await expect(his).to_have_attribute("data-state", "talking")
        await expect(his.locator("textarea")).to_be_visible()
        await expect(mine).to_have_attribute("data-state", "wrap_up")
        await expect(mine.locator(".aside")).to_have_text("Передано: Borys Kowalski (102).")
        await caller.end()
        await expect(his).to_have_attribute("data-state", "wrap_up")
        await caller.is_recorded("call.wav")
        await expect(his.locator("audio")).to_be_visible()


async def test_one_who_may_be_meant_is_probably_meant_until_somebody_says_so(browser: Browser, office: Office) -> None:
    await seed(office)

    def share(unit, setup):  # type: ignore[no-untyped-def]
        other = clients.create(unit, setup, VERA, {"name": "Семён Петров"}, ("email:semyon@zavod.example",))
        clients.add_identity(unit, setup, other, ANNA, f"phone:{MARIAS_PHONE}", shared=True)
        return other

    async with at_desk(browser, office, "anna") as page:
        semyon = await office.do(share)
        first = Caller(office, MARIAS_PHONE)
        await first.ring("101")
        asked = shown(page, first).locator(".stack.ask")
        await expect(asked).to_contain_text("Этим номером пользуются несколько клиентов.")
        await asked.locator("summary").click()
        await asked.get_by_role("searchbox").fill("Łukasz")
        await asked.get_by_role("searchbox").press("Enter")
        await expect(asked.locator(".found")).to_contain_text("zak@drukarnia.example")
        await asked.get_by_placeholder("Имя нового клиента").fill("Фёдор Кузьмин")
        await button(asked, "Новый клиент").click()
        await expect(shown(page, first).get_by_role("heading").first).to_contain_text("Фёдор Кузьмин")
        await expect(asked).to_have_count(0)
        await first.end()
        new = (await office.row(models.interaction, first.interaction))["client_id"]
        assert (await office.row(models.client, new))["name"] == "Фёдор Кузьмин"

        second = Caller(office, MARIAS_PHONE)
        await second.ring("101")
        asked = shown(page, second).locator(".stack.ask")
        await expect(asked.get_by_role("listitem")).to_have_count(3)
        await second.end()
        gone = identity.delete().where(identity.c.client_id.in_([semyon, new]), identity.c.scheme == "phone")
        await office.do(lambda unit, setup: unit.connection.execute(gone))

        third = Caller(office, MARIAS_PHONE)
        await third.ring("101")
        call = shown(page, third)
        await expect(call.get_by_role("heading").first).to_contain_text(MARIA)
        await expect(call.get_by_role("heading").first).to_contain_text("вероятно")
        await expect(call.locator(".stack.ask")).to_contain_text(f"Вероятно, это {MARIA}")
        await expect(call).not_to_contain_text("несколько клиентов")
        await button(call, "Да, это так").click()
        await expect(call.locator(".stack.ask")).to_have_count(0)
        await expect(call.get_by_role("heading").first).not_to_contain_text("вероятно")
        await third.end()

        fourth = Caller(office, MARIAS_PHONE)
        await fourth.ring("101")
        await expect(shown(page, fourth).get_by_role("heading").first).to_contain_text(MARIA)
        await expect(shown(page, fourth).locator(".stack.ask")).to_have_count(0)
    row = await office.row(models.interaction, fourth.interaction)
    assert (row["client_id"], row["candidates"]) == (
        (await office.row(models.interaction, third.interaction))["client_id"],
        None,
    )
