"""The lead endpoint, through a real server."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import ClientSession, FormData

from channels.touch import Direction, Identity, Kind
from tests.webforms.conftest import form, golden, serve
from tests.webforms.fake_hub import FakeHub
from webforms.guard import make_token

LEAD = {"name": "Анна", "phone": "8 (812) 325-83-51", "email": "Anna@Example.org", "message": "Сколько стоит?"}


async def send(http: ClientSession, url: str, data: Any = None, key: str = "contact", **more: Any) -> tuple[int, Any]:
    if data is None and "json" not in more:
        data = LEAD
    async with http.post(f"{url}/forms/{key}", data=data, **more) as answer:
        return answer.status, await answer.json()


async def test_a_lead_becomes_a_touch(http: ClientSession, url: str, hub: FakeHub) -> None:
    status, said = await send(
        http, url, LEAD | {"consent": "on"}, headers={"User-Agent": "Test", "Accept-Language": "pl"}
    )
    assert (status, said) == (201, {"interaction": 1, "again": False, "answer_by": "2026-11-20T13:30:00Z"})
    (touch,) = hub.touches
    assert (touch.line, touch.kind, touch.direction, touch.at) == ("form:contact", Kind.FORM, Direction.INBOUND, hub.at)
    assert touch.party == (
        Identity("phone", "+78123258351", "Анна"),
        Identity("email", "anna@example.org", "Анна"),
    )
    assert touch.text == "Сколько стоит?"
    assert touch.fields == LEAD | {"consent": True}
    assert touch.field_marks == {}
    assert touch.suspicion is None
    assert touch.origin == {
        "address": "127.0.0.1",
        "user_agent": "Test",
        "language": "pl",
        "consent": [{"field": "consent", "text": "Согласен", "version": "2026-11", "at": "2026-11-20T09:30:00Z"}],
    }
    assert touch.raw is not None
    assert touch.raw.media_type == "application/x-www-form-urlencoded"
    assert b"%D0%90" in touch.raw.data


async def test_json_is_the_same_lead(http: ClientSession, url: str, hub: FakeHub) -> None:
    await send(http, url)
    status, _ = await send(http, url, json=LEAD | {"basket": {"sum": 12}, "tags": ["a", "b"], "n": 3, "none": None})
    assert status == 201
    one, two = hub.touches
    assert (one.party, one.text, one.repeat_key) == (two.party, two.text, two.repeat_key)
    assert two.fields["basket"] == '{"sum": 12}'
    assert two.fields["tags"] == ["a", "b"]
    assert two.fields["n"] == "3"
    assert "none" not in two.fields


async def test_multipart_with_files(http: ClientSession, url: str, hub: FakeHub) -> None:
    data = FormData(LEAD)
    data.add_field("photo", b"\x89PNG\r\n\x1a\n rest", filename="C:\\я\\снимок.jpg", content_type="image/jpeg")
    data.add_field("empty", b"", filename="", content_type="application/octet-stream")
    status, _ = await send(http, url, data)
    assert status == 201
    (file,) = hub.touches[0].attachments
    assert (file.name, file.media_type, file.data) == ("снимок.jpg", "image/png", b"\x89PNG\r\n\x1a\n rest")
    assert hub.touches[0].fields["photo"] == ["снимок.jpg"]


async def test_the_golden_form_takes_a_lead(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = golden("contact")
    assert (await send(http, url))[0] == 201


@pytest.mark.parametrize("body", ["{", "[1]", '"x"', "", '{"a": ' * 5000, '{"a": "' + "\\", "NaN"])
async def test_wrong_json_is_400(http: ClientSession, url: str, hub: FakeHub, body: str) -> None:
    status, said = await send(http, url, body, headers={"Content-Type": "application/json"})
    assert (status, said["error"]["code"]) == (400, "bad_json")
    assert hub.touches == []


async def test_an_unknown_form_is_404(http: ClientSession, url: str) -> None:
    status, said = await send(http, url, key="nowhere")
    assert (status, said["error"]["code"], said["error"]["field"]) == (404, "unknown_form", None)


async def test_media_types_that_are_not_read_are_415(http: ClientSession, url: str) -> None:
    for media_type in ("text/plain", "application/xml"):
        status, said = await send(http, url, "<a/>", headers={"Content-Type": media_type})
        assert (status, said["error"]["code"]) == (415, "unsupported_media_type")


async def test_all_missing_fields_are_named(http: ClientSession, url: str, hub: FakeHub) -> None:
    status, said = await send(http, url, {"phone": "1", "name": "  "}, headers={"Accept-Language": "en"})
    assert status == 422
    error = said["error"]
    assert (error["code"], error["field"], error["message"]) == ("required", "name", "This field is required")
    assert [one["field"] for one in error["fields"]] == ["name", "message"]
    assert error["remedy"]
    assert hub.touches == []


async def test_a_form_with_nothing_in_it_is_refused(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(fields=[{"name": "phone", "kind": "phone"}])
    status, said = await send(http, url, {"phone": " ", "_lang": "ru"})
    assert (status, said["error"]["code"]) == (422, "empty")


async def test_odd_phones_and_emails_are_kept_and_flagged(http: ClientSession, url: str, hub: FakeHub) -> None:
    status, _ = await send(http, url, LEAD | {"phone": "575 0480", "email": "anna собака почта"})
    assert status == 201
    (touch,) = hub.touches
    assert touch.fields["phone"] == "575 0480"
    assert touch.field_marks == {"phone": "not_a_phone", "email": "not_an_email"}
    assert touch.party == (Identity("phone", "575 0480", "Анна", odd=True),)


async def test_two_numbers_in_one_field_are_two_identities(http: ClientSession, url: str, hub: FakeHub) -> None:
    await send(http, url, LEAD | {"phone": "(812) 325 8351, 575 0480", "email": ""})
    assert [one.value for one in hub.touches[0].party] == ["+78123258351", "+78125750480"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://shop.example", 201),
        ("https://SHOP.example", 201),
        ("https://m.shop.example", 201),
        ("https://evilshop.example", 403),
        ("http://shop.example", 403),
        ("https://shop.example.evil.example", 403),
        ("https://.shop.example", 403),
        ("null", 403),
        (None, 201),
    ],
)
async def test_origins(http: ClientSession, url: str, origin: str | None, status: int) -> None:
    headers = {"Origin": origin} if origin else {}
    async with http.post(f"{url}/forms/contact", data=LEAD, headers=headers) as answer:
        assert answer.status == status
        expected = origin if status == 201 else None
        assert answer.headers.get("Access-Control-Allow-Origin") == expected
    async with http.options(f"{url}/forms/contact", headers=headers) as answer:
        assert answer.status == (204 if status == 201 else 403)
        if status == 201:
            assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]


async def test_any_origin_where_the_form_says_so(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(origins=["*"])
    assert (await send(http, url, headers={"Origin": "https://anywhere.example"}))[0] == 201


async def test_our_own_page_is_never_foreign(http: ClientSession, url: str) -> None:
    assert (await send(http, url, headers={"Origin": url}))[0] == 201


async def test_errors_can_be_read_by_allowed_pages(http: ClientSession, url: str) -> None:
    headers = {"Origin": "https://shop.example"}
    async with http.post(f"{url}/forms/contact", data={"name": "x"}, headers=headers) as answer:
        assert answer.status == 422
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"


async def test_too_large_is_413_whether_announced_or_not(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(limits={"per_address": 0, "per_form": 0, "max_bytes": 2048})

    async def drip() -> Any:
        for _ in range(40):
            yield b"x" * 100
            await asyncio.sleep(0)

    for data in (b"message=" + b"x" * 4000, drip()):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, said = await send(http, url, data, headers=headers)
        assert (status, said["error"]["code"]) == (413, "too_large")
    assert hub.touches == []


async def test_files_must_be_what_the_field_accepts(http: ClientSession, url: str, hub: FakeHub) -> None:
    photo = {"name": "photo", "kind": "file", "accept": ["image/*"], "max_bytes": 100, "required": True}
    hub.forms["contact"] = form(fields=[photo])
    for content, expected in (
        (b"\x89PNG\r\n\x1a\n", (201, None)),
        (b"MZ\x90\x00", (422, "file_type")),
        (b"GIF89a" + b"x" * 200, (413, "file_too_large")),
    ):
        data = FormData()
        data.add_field("photo", content, filename="a.png", content_type="image/png")
        status, said = await send(http, url, data)
        assert (status, said.get("error", {}).get("code")) == expected
    status, said = await send(http, url, {"other": "x"})
    assert (status, said["error"]["field"]) == (422, "photo")


async def test_the_same_key_is_the_same_interaction(http: ClientSession, url: str, hub: FakeHub) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await send(http, url, headers=headers)
    second = await send(http, url, headers=headers)
    other = await send(http, url, headers={"Idempotency-Key": "ж" * 300})
    assert first[1]["interaction"] == second[1]["interaction"] != other[1]["interaction"]
    assert [said["again"] for _, said in (first, second, other)] == [False, True, False]


async def test_a_page_shown_again_and_filled_anew_is_not_lost(http: ClientSession, url: str, hub: FakeHub) -> None:
    one = LEAD | {"_key": "page-1"}
    assert (await send(http, url, one))[1]["again"] is False
    assert (await send(http, url, one))[1]["again"] is True
    assert (await send(http, url, one | {"message": "И ещё вопрос"}))[1]["again"] is False


async def test_repeats_are_recognised_by_person_and_text(http: ClientSession, url: str, hub: FakeHub) -> None:
    await send(http, url)
    await send(http, url, LEAD | {"phone": "+7 812 3258351", "message": " сколько  СТОИТ ", "name": "Анна С."})
    await send(http, url, LEAD | {"message": "Другое"})
    await send(http, url, LEAD | {"phone": "8 (812) 325-83-52"})
    await send(http, url, {"name": "x", "message": "Сколько стоит?"})
    keys = [touch.repeat_key for touch in hub.touches]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert keys[-1] is None


@pytest.mark.parametrize(("limit", "allowed"), [({"per_address": 2}, 2), ({"per_form": "3/hour"}, 3)])
async def test_over_the_limits_is_429(
    http: ClientSession, url: str, hub: FakeHub, limit: dict[str, Any], allowed: int
) -> None:
    hub.forms["contact"] = form(limits={"per_address": 0, "per_form": 0} | limit)
    assert (await send(http, url, {"name": "mended later"}))[0] == 422
    for _ in range(allowed):
        assert (await send(http, url))[0] == 201
    async with http.post(f"{url}/forms/contact", data=LEAD) as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) == 3600
    hub.at += timedelta(seconds=3601)
    assert (await send(http, url))[0] == 201


async def test_forwarded_addresses_are_believed_from_proxies_only(http: ClientSession, hub: FakeHub) -> None:
    headers = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7, 10.0.0.1"}
    async for url in serve(hub.app()):
        await send(http, url, headers=headers)
    async for url in serve(hub.app(proxies=(ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")))):
        await send(http, url, headers=headers)
        await send(http, url, headers={"X-Forwarded-For": "nonsense"})
    assert [touch.origin["address"] for touch in hub.touches] == ["127.0.0.1", "198.51.100.7", "127.0.0.1"]


async def test_marks_of_where_he_came_from(http: ClientSession, url: str, hub: FakeHub) -> None:
    link = "https://shop.example/p?utm_source=yandex&utm_medium=cpc&gclid=G1&other=1"
    await send(http, url, LEAD | {"utm_campaign": "осень", "client_id": "77"}, headers={"Referer": link})
    origin = hub.touches[0].origin
    assert (origin["utm_source"], origin["utm_medium"], origin["gclid"]) == ("yandex", "cpc", "G1")
    assert (origin["utm_campaign"], origin["client_id"], origin["page"]) == ("осень", "77", link)
    assert "other" not in origin
    assert hub.touches[0].fields["utm_campaign"] == "осень"


@pytest.mark.parametrize(
    ("more", "suspicion"),
    [
        ({"website_confirm": "https://spam.example"}, "honeypot"),
        ({"website_confirm": ""}, None),
        ({"_started": "1.forged"}, "forged_token"),
        ({"_started": "x"}, "forged_token"),
        ({"_started": "²1.x"}, "forged_token"),
        ({"message": "see [url=http://a.example]this[/url]"}, "links"),
        ({"message": "http://a.b " * 6}, "links"),
        ({"message": "как здесь https://shop.example/p/1 и https://shop.example/p/2"}, None),
        ({"name": "WIN https://a.example"}, "links"),
    ],
)
async def test_robots_are_suspected_and_answered_alike(
    http: ClientSession, url: str, hub: FakeHub, more: dict[str, str], suspicion: str | None
) -> None:
    status, said = await send(http, url, LEAD | more)
    assert (status, said["again"], said["answer_by"] is None) == (201, False, False)
    assert hub.touches[0].suspicion == suspicion


@pytest.mark.parametrize(("seconds", "suspicion"), [(1, "too_fast"), (3, None), (8 * 86400, "stale_token")])
async def test_the_time_it_took_to_fill(
    http: ClientSession, url: str, hub: FakeHub, seconds: int, suspicion: str | None
) -> None:
    async with http.get(f"{url}/forms/contact/token") as answer:
        started = (await answer.json())["started"]
    hub.at += timedelta(seconds=seconds)
    await send(http, url, LEAD | {"_started": started})
    assert hub.touches[0].suspicion == suspicion


async def test_a_token_of_another_form_does_not_count(http: ClientSession, url: str, hub: FakeHub) -> None:
    token = make_token("other", hub.at - timedelta(minutes=1), hub.sign)
    await send(http, url, LEAD | {"_started": token})
    assert hub.touches[0].suspicion == "forged_token"


async def test_a_raw_windows_1251_post(http: ClientSession, url: str, hub: FakeHub) -> None:
    body = "name=Анна&message=Привет &#1030;".replace("&#", "%26%23").encode("cp1251")
    for content_type in (
        "application/x-www-form-urlencoded; charset=windows-1251",
        "application/x-www-form-urlencoded",
    ):
        await send(http, url, body, headers={"Content-Type": content_type})
    assert [(touch.fields["name"], touch.text) for touch in hub.touches] == [("Анна", "Привет І")] * 2


async def test_texts_that_no_database_keeps(http: ClientSession, url: str, hub: FakeHub) -> None:
    body = json.dumps({"name": "a\x00b\ud800", "message": "x\r\ny"})
    await send(http, url, body, headers={"Content-Type": "application/json", "User-Agent": "b\udcff"})
    touch = hub.touches[0]
    assert (touch.fields["name"], touch.text) == ("a\ufffdb\ufffd", "x\ny")
    touch.origin["user_agent"].encode()


async def test_nothing_is_promised_where_no_clock_runs(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.answer_in = None
    assert (await send(http, url))[1] == {"interaction": 1, "again": False, "answer_by": None}


async def test_settings_take_effect_at_once(http: ClientSession, url: str, hub: FakeHub) -> None:
    assert (await send(http, url, {"name": "x"}))[0] == 422
    hub.forms["contact"] = form(fields=[{"name": "name"}])
    assert (await send(http, url, {"name": "x"}))[0] == 201
    del hub.forms["contact"]
    assert (await send(http, url, {"name": "x"}))[0] == 404
