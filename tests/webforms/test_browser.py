"""Real visitors: Chromium on our page, on other people's pages, with and without scripts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from tests.webforms.conftest import form, serve
from tests.webforms.fake_hub import FakeHub

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
PHOTO = {"name": "photo", "kind": "file", "accept": ["image/*"], "multiple": True}
STEPS = [
    {"name": "name", "required": True},
    {"name": "phone", "kind": "phone", "required": True},
    {"name": "kind", "kind": "select", "options": ["car", "home"], "step": 2, "required": True},
    {"name": "damage", "kind": "multiselect", "options": ["door", "roof"], "step": 2},
    {"name": "mood", "kind": "rating", "step": 2},
    {"name": "message", "kind": "textarea", "step": 2},
    PHOTO | {"step": 3},
    {"name": "consent", "kind": "consent", "text": "I agree", "version": "1", "required": True, "step": 3},
]
POLICY = (
    "default-src 'none'; script-src {hub}; connect-src {hub}; style-src 'self'; form-action {hub}; base-uri 'none'; "
    "require-trusted-types-for 'script'"
)


@dataclass
class Shop:
    """Somebody else's site, on another origin than the hub."""

    url: str
    body: str = ""
    policy: str = ""


@pytest.fixture
async def shop(url: str, hub: FakeHub) -> AsyncIterator[Shop]:
    shop = Shop("")

    async def show(request: web.Request) -> web.Response:
        html = f'<!doctype html><html lang="pl"><meta charset="utf-8"><title>Shop</title><body>{shop.body}'
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": shop.policy})

    app = web.Application()
    app.router.add_get("/{page}", show)
    async for address in serve(app):
        shop.url = address.replace("127.0.0.1", "localhost")
        shop.policy = POLICY.format(hub=url)
        shop.body = f'<div data-touchline-form="contact"></div><script src="{url}/embed/contact.js" async></script>'
        hub.forms["contact"] = form(origins=[shop.url])
        hub.at = datetime.now(UTC)
        yield shop


def listen(page: Page) -> list[str]:
    """Errors of scripts and breaches of the policy; a refused form is not one."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on(
        "console",
        lambda said: heard.append(said.text) if said.type == "error" and "status of 4" not in said.text else None,
    )
    return heard


async def fill(page: Page) -> None:
    await page.locator("[name=name]").fill("Анна")
    await page.locator("[name=phone]").fill("8 (812) 325-83-51")
    await page.locator("[name=message]").fill("Сколько стоит?\nСрочно")


async def test_the_page_works_without_scripts(browser: Browser, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(fields=[*_contact_fields(), PHOTO])
    context = await browser.new_context(java_script_enabled=False, locale="uk")
    page = await context.new_page()
    await page.goto(f"{url}/forms/contact?utm_source=yandex&gclid=G")
    hub.at = hub.at.replace(minute=45)
    await fill(page)
    await page.locator("[name=photo]").set_input_files({"name": "фото.png", "mimeType": "image/png", "buffer": PNG})
    await page.get_by_label("Согласен").check()
    await page.get_by_role("button", name="Надіслати").click()
    await expect(page.locator("h1")).to_have_text("Дякуємо, ми отримали ваше повідомлення")
    await expect(page.locator("time")).to_have_text("пʼятниця, 20 листопада, 16:45 (GMT+03:00)")
    (touch,) = hub.touches
    assert touch.suspicion is None
    assert touch.text == "Сколько стоит?\nСрочно"
    assert [(file.name, file.data) for file in touch.attachments] == [("фото.png", PNG)]
    assert (touch.origin["utm_source"], touch.origin["gclid"], touch.language) == ("yandex", "G", "uk")
    assert touch.origin["consent"][0]["version"] == "2026-11"


def _contact_fields() -> list[Any]:
    return [field.model_dump(exclude_defaults=True) for field in form().fields]


async def test_the_promise_is_told_in_the_visitors_zone(browser: Browser, url: str, hub: FakeHub) -> None:
    context = await browser.new_context(timezone_id="America/New_York", locale="en")
    page = await context.new_page()
    heard = listen(page)
    await page.goto(f"{url}/forms/contact")
    hub.at = hub.at.replace(minute=31)
    await fill(page)
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("time")).to_contain_text("08:31")
    assert hub.touches[0].origin["zone"] == "America/New_York"
    assert heard == []


async def test_sending_twice_is_one_interaction(page: Page, url: str, hub: FakeHub) -> None:
    await page.goto(f"{url}/forms/contact")
    await fill(page)
    await page.locator(".send").dblclick()
    await expect(page.locator(".thanks")).to_be_visible()
    assert len(hub.touches) == 1
    await page.go_back()
    await page.locator(".send").click()
    await expect(page.locator(".thanks")).to_be_visible()
    first, *later = hub.touches
    assert len(later) <= 1  # a page fetched anew has a new key; then the hub knows the repeat by person and text
    assert all(touch.repeat_key == first.repeat_key for touch in later)


async def test_what_is_missing_is_shown_and_what_was_typed_is_kept(page: Page, url: str, hub: FakeHub) -> None:
    await page.goto(f"{url}/forms/contact?lang=en")
    await page.evaluate("document.querySelector('form').noValidate = true")
    await page.get_by_label("Phone").fill("8 (812)")
    await page.locator(".send").click()
    await expect(page.locator("#e-name")).to_have_text("This field is required")
    await expect(page.get_by_label("Phone")).to_have_value("8 (812)")
    await page.get_by_label("Your name").fill("Anna")
    await page.get_by_label("Message").fill("Hi")
    await page.locator(".send").click()
    await expect(page.locator(".thanks")).to_be_visible()
    assert hub.touches[0].fields["phone"] == "8 (812)"


async def test_steps_drafts_and_proof_of_work_on_our_page(page: Page, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(fields=STEPS, proof_of_work=True, proof_difficulty=2000, min_fill_s=0)
    hub.at = datetime.now(UTC)
    heard = listen(page)
    await page.goto(f"{url}/forms/contact?lang=en")
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_text("Step 1 of 3")).to_be_visible()
    await page.locator("[name=name]").fill("Anna")
    await page.locator("[name=phone]").fill("+48 22 123 45 67")
    while "123" not in (await page.evaluate("localStorage.getItem('touchline:draft:contact')") or ""):
        await asyncio.sleep(0.02)
    await page.reload()
    await expect(page.locator("[name=phone]")).to_have_value("+48 22 123 45 67")
    await page.get_by_role("button", name="Next").click()
    await page.locator("[name=kind]").select_option("car")
    await page.get_by_text("roof").click()
    await page.locator(".rate").nth(3).click()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_text("I agree").click()
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".thanks")).to_be_visible()
    (touch,) = hub.touches
    assert touch.suspicion is None
    assert (touch.fields["kind"], touch.fields["damage"], touch.fields["mood"]) == ("car", ["roof"], 4)
    assert await page.evaluate("localStorage.getItem('touchline:draft:contact')") is None
    assert heard == []


async def test_a_plain_form_of_another_site_with_a_file(page: Page, url: str, shop: Shop, hub: FakeHub) -> None:
    shop.body = (
        f'<form method="post" enctype="multipart/form-data" action="{url}/forms/contact"><input name="name">'
        '<input name="phone"><textarea name="message"></textarea><input type="file" name="doc">'
        "<button>Go</button></form>"
    )
    await page.goto(f"{shop.url}/order?utm_source=mail")
    await fill(page)
    await page.locator("[name=doc]").set_input_files({"name": "a.png", "mimeType": "text/plain", "buffer": PNG})
    await page.get_by_role("button", name="Go").click()
    await expect(page.locator(".thanks h1")).to_be_visible()
    (touch,) = hub.touches
    assert touch.fields["doc"] == ["a.png"]
    assert touch.attachments[0].media_type == "image/png"


async def test_a_foreign_site_may_not(page: Page, url: str, shop: Shop, hub: FakeHub) -> None:
    hub.forms["contact"] = form(origins=["https://elsewhere.example"])
    shop.body = f'<form method="post" action="{url}/forms/contact"><input name="name"><button>Go</button></form>'
    await page.goto(f"{shop.url}/order")
    await page.get_by_role("button").click()
    await expect(page.locator("h1")).to_have_text("This site may not send the form")
    assert hub.touches == []


async def test_the_snippet_on_a_strict_page(page: Page, url: str, shop: Shop, hub: FakeHub) -> None:
    heard = listen(page)
    await page.goto(f"{shop.url}/landing?utm_source=yandex&utm_campaign=осень")
    await expect(page.locator("[name=name]")).to_be_visible()
    await page.goto(f"{shop.url}/order")
    await expect(page.get_by_label("Imię i nazwisko")).to_be_visible()
    await page.evaluate("addEventListener('touchline:sent', (event) => { window.sent = event.detail; })")
    await fill(page)
    hub.forms["contact"] = form(origins=[shop.url], min_fill_s=0)
    await page.get_by_role("button", name="Wyślij").click()
    await expect(page.locator(".thanks h2")).to_have_text("Dziękujemy, otrzymaliśmy wiadomość")
    await expect(page.locator(".thanks time")).to_be_visible()
    (touch,) = hub.touches
    assert touch.suspicion is None
    assert touch.event_key.startswith("key:")
    assert touch.raw is not None
    assert touch.raw.media_type == "application/json"
    assert (touch.origin["utm_source"], touch.origin["utm_campaign"]) == ("yandex", "осень")
    assert touch.origin["page"] == f"{shop.url}/order"
    assert touch.origin["landing"].startswith(f"{shop.url}/landing")
    assert touch.language == "pl"
    assert (await page.evaluate("window.sent"))["interaction"] == 1
    assert heard == []


async def test_the_snippet_says_what_is_wrong_and_sends_files(page: Page, shop: Shop, hub: FakeHub) -> None:
    hub.forms["contact"] = form(origins=[shop.url], fields=[*_contact_fields(), PHOTO], min_fill_s=0)
    await page.goto(f"{shop.url}/order")
    await page.locator("form").evaluate("(form) => { form.noValidate = true; }")
    await page.locator("[name=phone]").fill("8 (812) 325-83-51")
    await page.get_by_role("button", name="Wyślij").click()
    await expect(page.locator("#e-name")).to_have_text("Wypełnij to pole")
    await expect(page.locator("[name=name]")).to_be_focused()
    await fill(page)
    files = [{"name": f"{name}.png", "mimeType": "image/png", "buffer": PNG} for name in ("a", "б")]
    await page.locator("[name=photo]").set_input_files(files)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Wyślij").click()
    await expect(page.locator(".thanks")).to_be_visible()
    (touch,) = hub.touches
    assert [file.name for file in touch.attachments] == ["a.png", "б.png"]
    assert touch.fields["photo"] == ["a.png", "б.png"]


async def test_the_snippet_keeps_everything_while_there_is_no_net(
    page: Page, url: str, shop: Shop, hub: FakeHub
) -> None:
    hub.forms["contact"] = form(origins=[shop.url], min_fill_s=0, steps=["One"], fields=_contact_fields())
    await page.goto(f"{shop.url}/order")
    await fill(page)
    await page.route(re.compile(r"/forms/contact$"), lambda route: route.abort())
    await page.get_by_role("button", name="Wyślij").click()
    await expect(page.get_by_role("alert")).to_contain_text("Brak połączenia")
    await page.unroute_all()
    await page.reload()
    await expect(page.locator("[name=message]")).to_have_value("Сколько стоит?\nСрочно")
    await page.get_by_role("button", name="Wyślij").click()
    await expect(page.locator(".thanks")).to_be_visible()
    assert len(hub.touches) == 1


async def test_the_snippet_proves_its_work(page: Page, shop: Shop, hub: FakeHub) -> None:
    hub.forms["contact"] = form(origins=[shop.url], proof_of_work=True, proof_difficulty=2000, min_fill_s=0)
    await page.goto(f"{shop.url}/order")
    await fill(page)
    await page.get_by_role("button", name="Wyślij").click()
    await expect(page.locator(".thanks")).to_be_visible()
    assert hub.touches[0].suspicion is None
    assert len(hub.proofs) == 1


async def test_a_robot_that_fills_every_field_is_quarantined(page: Page, url: str, hub: FakeHub) -> None:
    await page.goto(f"{url}/forms/contact")
    await page.evaluate(
        "document.querySelectorAll('input:not([type=hidden]), textarea').forEach((one) => { one.value = 'x'; })"
    )
    await page.locator(".send").click()
    await expect(page.locator(".thanks")).to_be_visible()
    assert hub.touches[0].suspicion == "honeypot, too_fast"


@pytest.mark.parametrize("language", ["ru", "uk", "pl", "en"])
async def test_nothing_overflows_at_any_width(
    browser: Browser, url: str, hub: FakeHub, language: str, tmp_path: Path
) -> None:
    hub.forms["contact"] = form(fields=[*STEPS, {"name": "n" * 60}])
    for width in (1280, 390, 320):
        context = await browser.new_context(viewport={"width": width, "height": 800}, locale=language)
        page = await context.new_page()
        for place in ("/forms/contact", "/forms/contact/thanks", "/forms/nowhere"):
            await page.goto(f"{url}{place}?lang={language}")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (place, width)
        await context.close()
