"""Chromium opens a page at both widths."""

from playwright.async_api import Browser, Page

from tests.peers.chromium import PHONE, open_page

HELLO = (
    "data:text/html;charset=utf-8,<meta name=viewport content='width=device-width'><title>Touch</title><h1>Привет</h1>"
)


async def test_a_page_as_wide_as_a_desk(page: Page) -> None:
    await page.goto(HELLO)
    assert await page.title() == "Touch"
    assert await page.inner_text("h1") == "Привет"
    assert await page.evaluate("innerWidth") == 1280


async def test_a_phone_beside_it(browser: Browser) -> None:
    phone = await open_page(browser, PHONE, language="uk")
    await phone.goto(HELLO)
    assert await phone.evaluate("[innerWidth, navigator.language]") == [390, "uk"]
