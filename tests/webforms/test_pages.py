"""Pages as they come over the wire, before any script runs."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from tests.webforms.conftest import form
from tests.webforms.fake_hub import FakeHub

HTML = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "pl"}
LEAD = {"name": "Anna", "phone": "8 (812) 325-83-51", "message": "Ile to kosztuje?"}


async def get(http: ClientSession, url: str, **headers: str) -> tuple[int, str]:
    async with http.get(url, headers=headers) as answer:
        return answer.status, unescape(await answer.text())


@pytest.mark.parametrize(
    ("language", "title", "label"),
    [
        ("ru", "Напишите нам", "Ваше имя"),
        ("uk", "Напишіть нам", "Ваше ім’я"),
        ("pl", "Napisz do nas", "Imię i nazwisko"),
        ("en", "Write to us", "Your name"),
    ],
)
async def test_four_languages(http: ClientSession, url: str, language: str, title: str, label: str) -> None:
    for answer in (
        await get(http, f"{url}/forms/contact?lang={language}"),
        await get(http, f"{url}/forms/contact", **{"Accept-Language": f"de, {language};q=0.8"}),
    ):
        assert answer[0] == 200
        assert f"<h1>{title}</h1>" in answer[1]
        assert label in answer[1]
        assert f'lang="{language}"' in answer[1]


async def test_the_policy_is_strict_and_lets_no_style_or_script_inside(
    http: ClientSession, url: str, hub: FakeHub
) -> None:
    hub.forms["contact"] = form(thanks="https://shop.example/thanks")
    async with http.get(f"{url}/forms/contact") as answer:
        policy = answer.headers["Content-Security-Policy"]
        html = await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "form-action 'self' https://shop.example;" in policy
    assert "frame-ancestors 'self' https://shop.example https://*.shop.example" in policy
    assert "unsafe" not in policy
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script>", html)


async def test_every_control_has_a_label(http: ClientSession, url: str) -> None:
    _, html = await get(http, f"{url}/forms/contact")
    controls = re.findall(r'<(?:input|textarea|select) id="([\w-]+)"', html)
    assert len(controls) == 5
    for control in controls:
        assert f'for="{control}"' in html
    assert re.search(r'<label class="tick">\s*<input type="checkbox"', html)


async def test_marks_of_the_link_are_sent_on(http: ClientSession, url: str) -> None:
    address = f"{url}/forms/contact?utm_source=%22%3E%3Cscript%3E&evil=1"
    async with http.get(address, headers={"Referer": "https://search.example/?q=1"}) as answer:
        html = await answer.text()
    assert 'name="utm_source" value="&#34;&gt;&lt;script&gt;"' in html
    assert 'name="_referrer" value="https://search.example/?q=1"' in html
    assert 'name="evil"' not in html
    assert "<script>" not in html


async def test_a_browser_is_sent_on_to_thanks(http: ClientSession, url: str, hub: FakeHub) -> None:
    async with http.post(f"{url}/forms/contact", data=LEAD, headers=HTML, allow_redirects=False) as answer:
        assert answer.status == 303
        place = answer.headers["Location"]
    assert urlsplit(place).path == "/forms/contact/thanks"
    status, html = await get(http, url + place)
    assert status == 200
    assert '<time datetime="2026-11-20T13:30:00Z">piątek, 20 listopada, 16:30 (GMT+03:00)</time>' in html
    assert "Numer zgłoszenia: 1" in html


async def test_nobody_else_promises_for_us(http: ClientSession, url: str) -> None:
    status, html = await get(http, f"{url}/forms/contact/thanks?n=666&by=2030-01-01T00:00:00Z&s=x&lang=en")
    assert status == 200
    assert "666" not in html
    assert "2030" not in html


async def test_a_thanks_page_of_the_site(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(thanks={"pl": "https://shop.example/dziekujemy", "en": "Thanks!"})
    async with http.post(f"{url}/forms/contact", data=LEAD, headers=HTML, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "https://shop.example/dziekujemy"
    headers = HTML | {"Accept-Language": "en"}
    async with http.post(f"{url}/forms/contact", data=LEAD, headers=headers) as answer:
        assert "<h1>Thanks!</h1>" in await answer.text()


async def test_what_was_typed_is_kept_where_something_is_missing(http: ClientSession, url: str, hub: FakeHub) -> None:
    sent = {"phone": "8 (812)", "message": "<b>&\n x", "name": "", "_key": "K", "utm_source": "s", "consent": "yes"}
    async with http.post(f"{url}/forms/contact", data=sent, headers=HTML) as answer:
        raw = await answer.text()
        assert answer.status == 422
    html = unescape(raw)
    assert 'value="8 (812)"' in html
    assert "&lt;b&gt;&amp;" in raw
    assert 'name="_key" value="K"' in html
    assert 'name="utm_source" value="s"' in html
    assert re.search(r'name="consent" value="yes" checked', html)
    assert 'aria-describedby="e-name" aria-invalid="true"' in html
    assert "Wypełnij to pole" in html
    assert hub.touches == []


async def test_browsers_are_told_on_a_page(http: ClientSession, url: str) -> None:
    async with http.post(f"{url}/forms/nowhere", data=LEAD, headers=HTML) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert "Nie ma takiego formularza" in await answer.text()
    async with http.post(
        f"{url}/forms/contact", data=LEAD, headers=HTML | {"Origin": "https://evil.example"}
    ) as answer:
        assert (answer.status, answer.content_type) == (403, "text/html")
    assert (await get(http, f"{url}/forms/nowhere"))[0] == 404


async def test_assets_may_be_kept_for_ever_and_only_the_right_ones(http: ClientSession, url: str) -> None:
    _, html = await get(http, f"{url}/forms/contact")
    for link in re.findall(r'(?:href|src)="(/forms/-/[^"]+)"', html):
        async with http.get(url + link) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
        async with http.get(url + link.replace("v=", "v=0")) as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
    assert (await get(http, f"{url}/forms/-/form.css"))[0] == 404
    assert (await get(http, f"{url}/forms/-/..%2fsettings.py"))[0] == 404


async def test_the_snippet_is_one_script_that_caches_may_keep(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(title="</script>\u2028")
    async with http.get(f"{url}/embed/contact.js") as answer:
        script = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/javascript")
        tag = answer.headers["ETag"]
    assert "</script" not in script
    assert "\u2028" not in script
    assert "eval(" not in script
    assert "innerHTML" not in script
    async with http.get(f"{url}/embed/contact.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    hub.forms["contact"] = form(title="Other")
    async with http.get(f"{url}/embed/contact.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200
    async with http.get(f"{url}/embed/nowhere.js") as answer:
        assert answer.status == 404
