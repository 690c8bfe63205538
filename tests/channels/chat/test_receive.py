"""What browsers send, well and badly, and what they are answered."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.chat import Settings, parse_again
from channels.chat.parse import check, envelop, read, read_body, read_files
from channels.chat.refusal import Refusal
from channels.talk import Attendance, SaidFile
from channels.touch import Attachment, Direction, Kind, Webhook
from tests.channels.chat.rig import SHOP, Browser, FakeTalks, open_channel
from tests.channels.door import Crash, FakeDoor

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50


def packed(data: bytes, name: str = "a.png") -> dict[str, str]:
    return {"name": name, "data": base64.b64encode(data).decode()}


async def test_a_message_is_a_touch_with_all_that_is_known(visitor: Browser, hub: FakeDoor) -> None:
    hub.time = NOW
    await visitor.open()
    marks = {"utm_source": "google", "gclid": "G", "ymclid": "Y", "color": "red"}
    where = {
        "page": f"{SHOP}/a",
        "referrer": "https://g.example/",
        "landing": f"{SHOP}/?utm_source=google",
        "zone": "Europe/Kyiv",
    }
    contact = {"name": "Іван", "phone": "8 (812) 325-83-51", "email": "Ivan@Client.example"}
    status, told = await visitor.say("Вітаю\r\nДе він?", 1, **where, marks=marks, **contact)
    assert (status, told["again"]) == (200, False)
    (touch,) = hub.touches
    assert (touch.kind, touch.direction, touch.at, touch.line) == (Kind.MESSAGE, Direction.INBOUND, NOW, "site")
    assert (touch.text, touch.language) == ("Вітаю\nДе він?", "ru")
    assert [str(one) for one in touch.party] == [
        f"chat:{visitor.session}",
        "phone:+78123258351",
        "email:ivan@client.example",
    ]
    assert [one.anonymous for one in touch.party] == [True, False, False]
    assert {one.name for one in touch.party} == {"Іван"}
    assert touch.fields == {
        **contact,
        "page": f"{SHOP}/a",
        "referrer": "https://g.example/",
        **{name: marks[name] for name in ("utm_source", "gclid", "ymclid")},
    }
    assert touch.origin == {
        "address": "192.0.2.10",
        "user_agent": "Firefox",
        "language": "ru",
        "landing": f"{SHOP}/?utm_source=google",
        "zone": "Europe/Kyiv",
    }
    assert touch.event_key == touch.external_id == f"{visitor.session}:{1:024x}"


async def test_what_is_kept_makes_the_same_touch_again(visitor: Browser, hub: FakeDoor) -> None:
    await visitor.say("Ещё раз", 1, phone="+48 22 123 45 67", files=[packed(PNG)])
    (touch,) = hub.touches
    assert touch.raw is not None and b"iVBOR" not in touch.raw.data and visitor.token.encode() not in touch.raw.data
    again = parse_again("site", Settings(), touch.raw.data, touch.raw.media_type, touch.at, hub.door())
    assert again is not None
    for name in ("event_key", "external_id", "at", "text", "party", "fields", "origin", "language"):
        assert getattr(again, name) == getattr(touch, name), name
    assert parse_again("site", Settings(), b"{}", "text/plain", touch.at) is None


async def test_the_same_id_is_the_same_message(visitor: Browser, hub: FakeDoor) -> None:
    first = await visitor.say("Один раз", 7)
    second = await visitor.say("Один раз", 7)
    assert second == (200, {**first[1], "again": True}) and len(hub.logged) == 1


async def test_what_could_not_be_committed_is_not_acknowledged(visitor: Browser, hub: FakeDoor) -> None:
    def die(_: Any) -> None:
        raise Crash("before the commit")

    hub.before_deliver = die
    with pytest.raises(Crash):
        await visitor.say("Не потеряйте", 1)
    hub.before_deliver = None
    assert (await visitor.say("Не потеряйте", 1))[0] == 200
    assert [touch.text for touch in hub.touches] == ["Не потеряйте"]


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ({"id": "zzz"}, 422, "bad_value"),
        ({"text": "  \n\u202e "}, 422, "empty"),
        ({"text": "x" * 4001}, 422, "too_long"),
        ({"text": ["list"]}, 422, "bad_value"),
        ({"phone": "12"}, 422, "bad_phone"),
        ({"email": "ivan at home"}, 422, "bad_email"),
        ({"files": {"name": "a"}}, 422, "bad_value"),
        ({"files": [packed(PNG)] * 6}, 422, "file_count"),
        ({"files": [{"name": "a.png", "data": "%%%"}]}, 422, "bad_file"),
        ({"files": [packed(b"")]}, 422, "file_size"),
        ({"files": [packed(b"MZ" + b"0" * 100)]}, 422, "file_type"),
        ({"files": [packed(b"<svg onload=alert(1)>", "a.svg")]}, 422, "file_type"),
        ({"token": "forged.1.aaaaaaaaaaaa"}, 401, "no_session"),
    ],
)
async def test_what_cannot_be_taken_is_said(
    visitor: Browser, hub: FakeDoor, told: dict[str, Any], status: int, code: str
) -> None:
    got, said = await visitor.ask("say", **{"id": "0" * 24, "text": "Да", **told})
    assert (got, said["error"]["code"]) == (status, code) and said["error"]["message"]
    assert hub.touches == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b"null", b"[" * 5000])
async def test_what_is_no_object_is_refused(visitor: Browser, body: bytes) -> None:
    for path in ("session", "say", "seen", "talk", "follow"):
        assert (await visitor.post(path, body)).status == 400


async def test_addresses_methods_and_sizes(visitor: Browser) -> None:
    assert (await visitor.post("nothing", {})).status == 404
    assert (await visitor.post("session", b"{" + b" " * 70_000)).status == 413
    assert (await visitor.get("file/x")).status == 404
    assert (await visitor.get("")).status == 404
    preflight = Webhook("OPTIONS", "say", {}, {"origin": SHOP}, b"", "")
    assert (await visitor.channel.receive(preflight)).status == 204
    assert (await visitor.channel.receive(Webhook("PUT", "say", {}, {"origin": SHOP}, b"", ""))).status == 405


async def test_only_pages_of_the_set_up_may_talk(visitor: Browser, hub: FakeDoor, talks: FakeTalks) -> None:
    allowed = await visitor.post("session", {})
    assert allowed.headers["Access-Control-Allow-Origin"] == SHOP and allowed.headers["Vary"] == "Origin"
    for origin, status in (("https://evil.example", 403), ("https://desk.example", 200), (None, 200), ("null", 403)):
        visitor.origin = origin
        assert (await visitor.post("session", {})).status == status, origin
    visitor.channel, visitor.origin = open_channel(hub, talks, origins=["*"]), "https://any.example"
    assert (await visitor.post("session", {})).status == 200


async def test_floods_are_refused_for_a_while(hub: FakeDoor, talks: FakeTalks) -> None:
    hub.time = NOW
    channel = open_channel(
        hub, talks, limits={"per_session": "2/minute", "per_address": "3/minute", "per_line": "4/minute"}
    )
    first, neighbour, other = [
        await Browser(channel, remote=ip).open() for ip in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    tries = [
        await one.say("Да", number)
        for number, one in enumerate([first, first, first, neighbour, neighbour, other, other])
    ]
    assert [status for status, _ in tries] == [200, 200, 429, 200, 429, 200, 429]
    answer = await first.post("say", {"token": first.token, "id": "f" * 24, "text": "Да"})
    assert answer.headers["Retry-After"] == "60" and answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    hub.time = NOW + timedelta(seconds=61)
    assert (await first.say("Да", 9))[0] == 200
    assert len(hub.touches) == 5


async def test_sessions_and_calls_are_counted_too(visitor: Browser, hub: FakeDoor) -> None:
    hub.time = NOW
    codes = {(await visitor.post("session", {})).status for _ in range(1201)}
    assert codes == {200, 429}


async def test_a_token_is_good_for_its_line_and_its_time(visitor: Browser, hub: FakeDoor, talks: FakeTalks) -> None:
    hub.time = NOW
    await visitor.open()
    token = visitor.token
    assert (await visitor.ask("session"))[1]["token"] == token, "tabs agree on a young one"
    hub.time = NOW + timedelta(days=2)
    renewed = (await visitor.ask("session"))[1]["token"]
    assert renewed != token and renewed.partition(".")[0] == token.partition(".")[0]
    hub.time = NOW + timedelta(days=31)
    assert (await visitor.ask("talk"))[0] == 401
    visitor.token = renewed
    assert (await visitor.ask("talk"))[0] == 200
    visitor.channel = open_channel(hub, talks, remember_days=1)
    assert (await visitor.ask("talk"))[0] == 401
    visitor.token = renewed.replace(renewed[:24], "0" * 24)
    assert (await visitor.ask("talk"))[0] == 401


async def test_consent_is_kept_in_the_words_that_were_shown(hub: FakeDoor, talks: FakeTalks) -> None:
    hub.time = NOW
    consent = {"text": {"ru": "Согласен", "en": "I agree"}, "version": "7", "link": "https://shop.example/privacy"}
    browser = await Browser(open_channel(hub, talks, consent=consent)).open()
    assert (await browser.say("Да", 1))[1]["error"]["code"] == "no_consent"
    assert (await browser.say("Да", 1, consent=True))[0] == 200
    assert (await browser.say("И ещё", 2, agreed=True))[0] == 200
    first, second = hub.touches
    words = {"field": "consent", "text": "Согласен", "version": "7", "at": "2026-11-21T09:00:00Z"}
    assert first.origin["consent"] == [words] and "consent" not in second.origin


async def test_files_of_the_kinds_that_are_wanted(hub: FakeDoor, talks: FakeTalks) -> None:
    browser = await Browser(open_channel(hub, talks, accept=["application/pdf"], max_file_mb=0.0001)).open()
    assert (await browser.say("", 1, files=[packed(b"%PDF-1.7", "..\\..\\Счёт.pdf")]))[0] == 200
    assert hub.touches[0].attachments == (Attachment("Счёт.pdf", "application/pdf", b"%PDF-1.7"),)
    assert (await browser.say("", 2, files=[packed(PNG)]))[1]["error"]["code"] == "file_type"
    assert (await browser.say("", 3, files=[packed(b"%PDF" + b"0" * 500)]))[1]["error"]["code"] == "file_size"
    browser.channel = open_channel(hub, talks, files=False)
    assert (await browser.say("", 4, files=[packed(b"%PDF-1.7")]))[1]["error"]["code"] == "file_count"
    browser.channel = open_channel(hub, talks, longest_text=100)
    assert (await browser.say("x" * 101, 5))[1]["error"]["code"] == "too_long"


async def test_a_file_opens_with_its_own_key_only(visitor: Browser, talks: FakeTalks) -> None:
    await visitor.say("Здравствуйте", 1)
    talks.files[5] = Attachment("счёт <1>.html", "text/html", b"<script>alert(1)</script>")
    talks.add(visitor.session, Direction.OUTBOUND, "Вот", "x/1", files=(SaidFile(5, "счёт <1>.html", "text/html", 25),))
    _, told = await visitor.ask("talk")
    path, _, query = told["talk"]["messages"][-1]["files"][0]["path"].partition("?")
    keys = dict(pair.split("=") for pair in query.split("&"))
    answer = await visitor.get(path, keys)
    assert (answer.status, answer.body, answer.media_type) == (
        200,
        b"<script>alert(1)</script>",
        "application/octet-stream",
    )
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%D1%81%D1%87")
    assert (
        answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"]
    )
    assert (await visitor.get("file/6", keys)).status == 403
    assert (await visitor.get(path, {**keys, "of": "0" * 24})).status == 403
    talks.files.clear()
    assert (await visitor.get(path, keys)).status == 404


async def test_who_is_there_is_told_at_once(visitor: Browser, talks: FakeTalks, hub: FakeDoor) -> None:
    talks.attending = Attendance(False, NOW)
    channel = open_channel(hub, talks)
    visitor.channel = channel
    _, told = await visitor.ask("session")
    assert (told["present"], told["opens_at"]) == (False, "2026-11-21T09:00:00Z")
    for _ in range(5):
        await visitor.ask("session")
    assert talks.asked == 2, "once for each channel, not for each visitor"


TOLD = st.dictionaries(
    st.sampled_from(["id", "text", "lang", "name", "phone", "email", "page", "marks", "files", "zone", "consent"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.just("a" * 24),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=5,
    ),
)


@given(TOLD)
def test_whatever_is_sent_is_a_touch_or_a_refusal(told: dict[str, Any]) -> None:
    settings = Settings()
    for whole in (told, {"text": "Да", **told, "id": "a" * 24}):
        try:
            again = read_body(json.dumps(whole).encode())
            check(again, settings, "RU")
            files = read_files(again, settings)
            touch = read(envelop(again, "0" * 24, NOW, settings, "192.0.2.1", "agent"), "site", "RU", files)
        except Refusal as refusal:
            assert refusal.answer().status == 422
        else:
            assert touch.event_key and touch.party and "\0" not in touch.text
