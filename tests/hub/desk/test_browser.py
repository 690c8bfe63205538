"""The desk in a real browser: sign in by a link, see work arrive, answer, close; on a wide screen and on a phone.

A page that breaks its own Content-Security-Policy, or whose scripts fail, fails the test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import select

from storage import models
from tests.hub.desk.office import Office, mail, seed
from tests.peers.chromium import DESKTOP, PHONE, open_page


@dataclass(slots=True)
class Faults:
    """What the browser complained about. A refusal that the test provokes (its status) is forgiven."""

    forgives: tuple[str, ...] = ()
    found: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(each in message.text for each in self.forgives):
            self.found.append(message.text)


@asynccontextmanager
async def at_desk(
    browser: Browser, office: Office, operator: str, *, phone: bool = False, forgives: tuple[str, ...] = ()
) -> AsyncIterator[Page]:
    """Somebody signs in by a one-time link and works; afterwards nothing may have gone wrong."""
    page = await open_page(browser, PHONE if phone else DESKTOP)
    faults = Faults(forgives)
    page.on("console", lambda message: faults.hear(message))
    page.on("pageerror", lambda error: faults.found.append(str(error)))
    await page.goto(await office.link(operator))
    await page.wait_for_url("**/desk")
    await page.wait_for_selector("html[data-live=on]", state="attached")
    yield page
    assert faults.found == []
    await page.context.close()


async def _owner(office: Office, number: int) -> dict[str, object]:
    return await office.row(models.conversation, number)


async def test_a_letter_arrives_is_answered_and_closed(browser: Browser, office: Office) -> None:
    async with at_desk(browser, office, "anna") as page:
        await expect(page.get_by_text("Здесь никто не ждёт.")).to_be_visible()
        touch = mail("new", "j.smith@harbour.example", "John Smith", "Broken lamp", "It broke.", office.store.now())
        number = await office.conversation_of(await office.hear(touch))
        row = page.locator(f'li[data-id="{number}"]')
        await expect(row).to_contain_text("Broken lamp")
        await expect(row.locator("time-left")).to_contain_text("3 ч 59 мин")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/desk/conversations/{number}")
        await page.get_by_role("button", name="Взять").click()
        await expect(page.get_by_text("Обращение теперь ваше.")).to_be_visible()
        await page.keyboard.press("r")
        await page.keyboard.type("We are sorry, a new lamp is on its way.")
        await expect(page.get_by_text("Черновик сохранён")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("textbox", name="Ответ")).to_have_value("We are sorry, a new lamp is on its way.")
        await page.get_by_role("textbox", name="Ответ").focus()
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_text("Ответ отправляется.")).to_be_visible()
        await expect(page.locator("article.outbound")).to_contain_text("a new lamp is on its way")
        await expect(page.locator("article.outbound")).to_contain_text("отправляется")
        assert (await _owner(office, number))["state"] == "waiting_client"
        await page.get_by_text("Закрыть", exact=True).first.click()
        await page.get_by_role("button", name="Ответ не нужен").click()
        await expect(page.get_by_text("Закрыто.")).to_be_visible()
        assert (await _owner(office, number))["closed_why"] == "no_answer_needed"


async def test_a_clients_new_words_appear_in_an_open_conversation(browser: Browser, office: Office) -> None:
    from tests.hub.desk.office import answer_to

    found = await seed(office)
    async with at_desk(browser, office, "anna") as page:
        await page.goto(f"{office.address}/desk/conversations/{found['vip']}")
        await page.get_by_role("textbox", name="Ответ").fill("Пишу ответ")
        more = mail(
            "more",
            "petrova@zavod.example",
            "Мария Петрова",
            "Re: касса",
            "Уже заработало, спасибо!",
            office.store.now(),
            thread=answer_to(found["vip"]),
        )
        await office.hear(more)
        await expect(page.locator(".messages")).to_contain_text("Уже заработало, спасибо!")
        await expect(page.get_by_role("textbox", name="Ответ")).to_have_value("Пишу ответ")


async def test_two_who_answer_are_warned(browser: Browser, office: Office) -> None:
    found = await seed(office)
    talk = f"{office.address}/desk/conversations/{found['english']}"
    async with at_desk(browser, office, "anna") as anna, at_desk(browser, office, "boris") as boris:
        await anna.goto(talk)
        await boris.goto(talk)
        await anna.get_by_role("textbox", name="Ответ").fill("Dear John")
        await expect(boris.get_by_role("alert")).to_contain_text("Анна Соколова")
        await expect(anna.get_by_role("alert")).to_have_count(0)
        await anna.goto(f"{office.address}/desk/tasks")
        await expect(boris.get_by_role("alert")).to_have_count(0)


async def test_files_are_uploaded_at_once_and_sent(browser: Browser, office: Office, tmp_path: Path) -> None:
    found = await seed(office)
    document = tmp_path / "договор.pdf"
    document.write_bytes(b"%PDF" + b"x" * 100_000)
    async with at_desk(browser, office, "anna") as page:
        await page.goto(f"{office.address}/desk/conversations/{found['english']}")
        await page.set_input_files("input[type=file]", document)
        await expect(page.locator(".answer .file")).to_contain_text("договор.pdf")
        await page.get_by_role("textbox", name="Ответ").fill("Here is the contract")
        await page.get_by_role("button", name="Отправить", exact=True).click()
        await expect(page.locator("article.outbound .file")).to_contain_text("договор.pdf")
    query = select(models.attachment.c.size).where(models.attachment.c.name == "договор.pdf")
    assert await office.store.read(lambda connection: connection.execute(query).scalar_one()) == 100_004


async def test_mail_as_it_was_laid_out_runs_nothing_and_fetches_nothing(browser: Browser, office: Office) -> None:
    found = await seed(office)
    async with at_desk(browser, office, "boris") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{office.address}/desk/conversations/{found['order']}")
        await page.get_by_text("W oryginalnym układzie").click()
        frame = page.frame_locator("iframe")
        await expect(frame.locator("table")).to_contain_text("Toner X200")
        assert not [url for url in asked if not url.startswith((office.address, "data:"))]
        height = await page.locator("iframe").evaluate("each => each.offsetHeight")
        assert 150 < height < 500


async def test_dialogs_menus_and_the_why(browser: Browser, office: Office) -> None:
    found = await seed(office)
    async with at_desk(browser, office, "anna") as page:
        await page.goto(f"{office.address}/desk/conversations/{found['vip']}")
        await page.get_by_text("Почему?").first.click()
        await expect(page.locator("dialog")).to_contain_text("1 рабочий час")
        await page.keyboard.press("Escape")
        await page.get_by_role("link", name="Править карточку").first.click()
        await page.locator("dialog input[name=source]").fill("Рекомендация")
        await page.locator("dialog button.main-act").click()
        await page.wait_for_url(f"**/desk/conversations/{found['vip']}?said=saved")
        await expect(page.locator("aside.side")).to_contain_text("Рекомендация")
        await page.get_by_text("Отложить").first.click()
        await page.get_by_role("button", name="Завтра утром").click()
        await expect(page.get_by_text("Отложено.")).to_be_visible()


async def test_on_a_phone_from_the_list_to_the_client(browser: Browser, office: Office) -> None:
    found = await seed(office)
    async with at_desk(browser, office, "anna", phone=True) as page:
        for path in (
            "",
            f"/conversations/{found['vip']}",
            "/clients/2",
            "/tasks",
            "/alerts",
            "/lines",
            "/settings",
            "/log",
        ):
            await page.goto(f"{office.address}/desk{path}")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, (path, wide)
        await page.goto(f"{office.address}/desk")
        await page.get_by_text("Не работает касса").tap()
        await page.wait_for_url(f"**/desk/conversations/{found['vip']}")
        await page.locator(".talk-head").get_by_role("link", name="Мария Петрова").tap()
        await expect(page.get_by_text("Звонить после 11.").first).to_be_visible()
        await page.get_by_role("link", name="Назад").tap()
        await page.get_by_role("textbox", name="Ответ").fill("Инженер у вас")
        await page.get_by_role("button", name="Отправить", exact=True).tap()
        await expect(page.locator("article.outbound")).to_contain_text("Инженер у вас")


async def test_without_scripts(browser: Browser, office: Office) -> None:
    found = await seed(office)
    context = await browser.new_context(java_script_enabled=False, locale="ru")
    page = await context.new_page()
    await page.goto(await office.link("anna"))
    await page.goto(f"{office.address}/desk/conversations/{found['english']}")
    await page.get_by_role("button", name="Взять").click()
    await page.get_by_role("textbox", name="Ответ").fill("Hello")
    await page.get_by_role("button", name="Отправить и закрыть").click()
    await expect(page.get_by_text("Ответ отправляется.")).to_be_visible()
    assert (await _owner(office, found["english"]))["state"] == "solved"
    await context.close()
