"""Calls on the desk in a real browser: who is shown what while it rings, and what is typed is never lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import insert, select

from hub.actions import clients
from storage import models
from storage.unit import Unit
from tests.hub.desk.calls import GATES, Caller
from tests.hub.desk.office import ANNA, VERA, Office, open_office, seed
from tests.hub.desk.test_browser import at_desk

MARIA, MARIAS_PHONE = "Мария Петрова", "+79219310042"
NEW = "+79261234567"


@pytest.fixture
async def office(tmp_path: Path, database_url: str):  # type: ignore[no-untyped-def]
    """With gates and a telephone line that nobody listens to."""
    async with open_office(tmp_path / "home", database_url, GATES) as opened:
        yield opened


@pytest.fixture
async def small_office(tmp_path: Path):  # type: ignore[no-untyped-def]
    """On SQLite, where nothing is stored that another test does not store."""
    async with open_office(tmp_path / "home", f"sqlite:///{tmp_path / 'touchline.db'}", GATES) as opened:
        yield opened


def shown(page: Page, caller: Caller):  # type: ignore[no-untyped-def]
    """His part of the page."""
    return page.locator(f"#call-{caller.interaction}")


async def test_only_whose_telephone_rings_sees_who_calls(browser: Browser, small_office: Office) -> None:
    await seed(small_office)
    async with at_desk(browser, small_office, "anna") as anna, at_desk(browser, small_office, "boris") as boris:
        await boris.goto(f"{small_office.address}/desk/tasks")
        await boris.wait_for_selector("html[data-live=on]", state="attached")
        await boris.evaluate("document.body.dataset.mark = 'not loaded again'")
        caller = Caller(small_office, MARIAS_PHONE)
        await caller.ring("101")
        call = shown(anna, caller)
        await expect(call).to_have_attribute("data-state", "ringing")
        await expect(call).to_contain_text(MARIA)
        await expect(call).to_contain_text("VIP")
        await expect(call).to_contain_text("support")
        await expect(call).to_contain_text("+78123258351")
        await expect(call).to_contain_text("Не работает касса на Невском")
        await expect(call).to_contain_text("Сервис отвечает за четыре рабочих часа")
        await expect(call.locator("time-left").first).to_be_visible()
        await expect(call).not_to_contain_text("Источник")
        await expect(call.locator(".script")).to_contain_text("Здравствуйте! Чем могу помочь?")
        await expect(anna.locator("#calls-said")).to_contain_text(MARIA)
        await caller.unanswered()
        await expect(call).to_have_count(0)
        await caller.ring("102")
        await expect(shown(boris, caller)).to_contain_text(MARIA)
        await expect(call).to_have_count(0)
        assert await boris.evaluate("document.body.dataset.mark") == "not loaded again"


async def test_when_all_ring_it_opens_for_who_answers_and_goes_for_the_others(
    browser: Browser, small_office: Office
) -> None:
    async with at_desk(browser, small_office, "anna") as anna, at_desk(browser, small_office, "boris") as boris:
        caller = Caller(small_office, NEW)
        await caller.ring("101", "102", "103")
        for page in (anna, boris):
            await expect(shown(page, caller)).to_have_attribute("data-state", "ringing")
        await caller.answer("102")
        await expect(shown(anna, caller)).to_have_count(0)
        call = shown(boris, caller)
        await expect(call).to_have_attribute("data-state", "talking")
        await expect(call.locator("textarea")).to_be_focused()
        await caller.end()
        await expect(call).to_have_attribute("data-state", "wrap_up")


async def test_what_is_typed_outlives_the_page_the_call_and_the_browser(browser: Browser, office: Office) -> None:
    async with at_desk(browser, office, "anna") as page:
        caller = Caller(office, NEW)
        await caller.ring("101")
        await caller.answer("101")
        call = shown(page, caller)
        await call.locator("textarea").fill("Хочет двести штук")
        await expect(call.get_by_text("сохранено", exact=True)).to_be_visible()
        await page.reload()
        await expect(call.locator("textarea")).to_have_value("Хочет двести штук")
        await call.locator("textarea").press("Control+End")
        await page.keyboard.type(", к пятнице")
        await page.goto(f"{office.address}/desk/tasks")  # at once: the page takes what it has not said yet with it
        await expect(call.locator("textarea")).to_have_value("Хочет двести штук, к пятнице")
        await caller.end()
        await expect(call).to_have_attribute("data-state", "wrap_up")
        await expect(call.locator("textarea")).to_have_value("Хочет двести штук, к пятнице")
    async with at_desk(browser, office, "anna") as page:
        call = shown(page, caller)
        await expect(call).to_have_attribute("data-state", "wrap_up")
        await expect(call.locator("textarea")).to_have_value("Хочет двести штук, к пятнице")
        await call.locator("[name='field.source']").fill("реклама")
        await call.locator("select[name=disposition]").select_option("sale")
        await call.get_by_role("button", name="Завершить обработку").click()
        await expect(call).to_have_count(0)
        await page.reload()
        await page.wait_for_selector("html[data-live=on]", state="attached")
        await expect(call).to_have_count(0)
    row = await office.row(models.interaction, caller.interaction)
    assert (row["text"], row["disposition"]) == ("Хочет двести штук, к пятнице", "sale")
    assert (await office.row(models.client, row["client_id"]))["source"] == "реклама"
    phases = select(models.touch.c.phase).where(models.touch.c.interaction_id == row["id"]).order_by(models.touch.c.id)
    kept = await office.store.read(lambda connection: list(connection.execute(phases).scalars()))
    assert kept == ["ringing", "answered", "ended", "amended"], "the log only grows"


async def test_a_gate_stands_before_the_end_and_there_is_a_way_out(browser: Browser, small_office: Office) -> None:
    office = small_office
    async with at_desk(browser, office, "anna", forgives=("409", "422")) as page:
        caller = Caller(office, NEW)
        await caller.ring("101")
        await caller.answer("101")
        await caller.end()
        call = shown(page, caller)
        done, later = (call.get_by_role("button", name=name) for name in ("Завершить обработку", "Заполнить позже"))
        await expect(later).to_be_hidden()
        await done.click()
        await expect(call.get_by_role("alert")).to_contain_text("Спросить, откуда о нас узнали")
        await expect(call.locator("[name='field.source']")).to_be_focused()
        await call.locator("[name='field.source']").fill("выставка")
        await call.locator("select[name=disposition]").select_option("refused")
        await expect(call.locator("[name='field.competitor']")).to_be_visible()
        await call.locator("[name=reason]").fill("дорого")
        await done.click()
        await expect(call.get_by_role("alert")).to_contain_text("кого выбрали")
        await expect(call).to_have_count(1)
        await later.click()
        await expect(call).to_have_count(0)
    row = await office.row(models.interaction, caller.interaction)
    assert (row["disposition"], row["fields"]) == ("refused", {"refusal_reason": "дорого"})
    promised = select(models.obligation.c.state).where(models.obligation.c.regulation == "competitor")
    assert await office.store.read(lambda connection: list(connection.execute(promised).scalars())) == ["running"]


async def test_somebody_new_gets_a_name_and_of_several_one_is_chosen(browser: Browser, small_office: Office) -> None:
    office = small_office
    await seed(office)
    async with at_desk(browser, office, "anna") as page:
        stranger = Caller(office, NEW)
        await stranger.ring("101")
        call = shown(page, stranger)
        await expect(call.get_by_role("heading")).to_contain_text(NEW)
        await expect(call).to_contain_text("новый клиент")
        await expect(call).to_contain_text("Спросить: Источник")
        await call.get_by_placeholder("Имя нового клиента").fill("Фёдор Кузьмин")
        await call.get_by_role("button", name="Сохранить").click()
        await expect(call.get_by_role("heading")).to_contain_text("Фёдор Кузьмин")
        await stranger.end()
        await expect(call).to_have_count(0)

        def share(unit, setup):  # type: ignore[no-untyped-def]
            other = clients.create(unit, setup, VERA, {"name": "Семён Петров"}, ("email:semyon@zavod.example",))
            clients.add_identity(unit, setup, other, ANNA, f"phone:{MARIAS_PHONE}", shared=True)
            return other

        semyon = await office.do(share)
        caller = Caller(office, MARIAS_PHONE)
        await caller.ring("101")
        call = shown(page, caller)
        await expect(call).to_contain_text("Кто это?")
        await expect(call.get_by_role("listitem").filter(has_text=MARIA)).to_be_visible()
        await call.get_by_role("listitem").filter(has_text="Семён Петров").get_by_role("button").click()
        await expect(call.get_by_role("heading")).to_contain_text("Семён Петров")
    assert (await office.row(models.interaction, caller.interaction))["client_id"] == semyon


async def test_one_talks_and_another_rings(browser: Browser, small_office: Office) -> None:
    async with at_desk(browser, small_office, "anna") as page:
        first, second = Caller(small_office, NEW), Caller(small_office, "+79031112233")
        await first.ring("101")
        await first.answer("101")
        talking = shown(page, first)
        await talking.locator("textarea").press_sequentially("Пишу, пока")
        await second.ring("101")
        ringing = shown(page, second)
        await expect(ringing.get_by_role("heading")).to_contain_text("+79031112233")
        await expect(ringing.locator(".call-body")).to_be_hidden()
        await expect(talking.locator("textarea")).to_be_focused()
        await page.keyboard.type(" звонит другой")
        await expect(talking.locator("textarea")).to_have_value("Пишу, пока звонит другой")
        fold = ringing.get_by_role("button", name="Показать или скрыть звонок")
        await fold.focus()
        await page.keyboard.press("Enter")
        await expect(ringing.locator(".call-body")).to_be_visible()
        await second.end()
        await expect(ringing).to_have_count(0)
        await expect(talking.locator("textarea")).to_have_value("Пишу, пока звонит другой")


async def test_on_a_telephones_width(browser: Browser, small_office: Office) -> None:
    await seed(small_office)
    async with at_desk(browser, small_office, "anna", phone=True) as page:
        caller = Caller(small_office, MARIAS_PHONE)
        await caller.ring("101")
        call = shown(page, caller)
        await expect(call).to_contain_text(MARIA)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await caller.answer("101")
        await call.locator("textarea").tap()
        await call.locator("textarea").fill("С телефона")
        await expect(call.get_by_text("сохранено", exact=True)).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_call_is_handed_over_to_a_colleague_whose_telephone_is_free(
    browser: Browser, small_office: Office
) -> None:
    office = small_office
    await office.store.write(_telephones)
    async with at_desk(browser, office, "anna", forgives=("503", "409")) as page:
        await expect(page.locator(".phone-strip summary")).to_contain_text("свободен")
        caller = Caller(office, NEW)
        await caller.ring("101")
        await caller.answer("101")
        call = shown(page, caller)
        await call.locator("details[data-transfer] summary").click()
        await expect(call.get_by_role("radio", name="Borys Kowalski 102 пауза: обед")).to_be_visible()
        await expect(call.get_by_role("radio", name="Віра Шевченко 103")).to_be_visible()
        await call.get_by_role("radio", name="Borys").check()
        await call.get_by_role("button", name="Сначала поговорить").click()
        await expect(call.get_by_role("alert").first).to_be_visible()  # nobody listens to this line
        await caller.answer("102")
        await expect(call).to_have_attribute("data-state", "wrap_up")


async def test_what_is_clicked_tells_why_it_could_not_be_done(browser: Browser, small_office: Office) -> None:
    await seed(small_office)
    async with at_desk(browser, small_office, "anna", forgives=("503", "409")) as page:
        await page.goto(f"{small_office.address}/desk/clients/2")
        await page.get_by_role("button", name=MARIAS_PHONE).first.click()
        await expect(page.locator("#trouble")).to_be_visible()
        await page.goto(f"{small_office.address}/desk/phone")
        await expect(page.get_by_role("row", name="night")).to_be_visible()
        await expect(page.get_by_text("Віра Шевченко")).to_be_visible()
        await page.goto(f"{small_office.address}/desk/tasks")
        await expect(page.locator("button[name=number]").first).to_be_visible()


def _telephones(unit: Unit) -> None:
    """As the process that listens would keep them."""
    line = {"line": "pbx", "state": "running", "reason": "", "remedy": "", "since": unit.now, "seen_at": unit.now}
    held = {"holder": "another", "held_until": unit.now + timedelta(hours=1)}
    unit.connection.execute(insert(models.line_health).values(**line, **held))
    for extension, operator, state, reason in (("101", "anna", "free", ""), ("102", "boris", "paused", "lunch")):
        known = {"line": "pbx", "extension": extension, "operator": operator, "state": state, "since": unit.now}
        rest = {"paused": state == "paused", "reason": reason, "queues": ["support"]}
        unit.connection.execute(insert(models.phone).values(**known, **rest))
