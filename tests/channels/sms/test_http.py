"""Gateways that speak HTTP: the shipped templates, and one of the set-up's own."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import channels.sms
from channels.contract import LineState
from channels.errors import BadSettings, Rejected, Throttled, Uncertain, Unreachable
from channels.sms import Settings, parse_again
from channels.sms.template import Template
from channels.sms.templates import find_template, names
from channels.touch import ReceiptState, Webhook
from tests.channels.sms.gateway import SECRET, HttpRig

LONG = "Здравствуйте! " * 20


async def test_what_is_sent(web_rig: HttpRig) -> None:
    channel = web_rig.channel()
    sent = await channel.send(web_rig.message("Привет & до свидания 😀", "r1"))
    await channel.send(web_rig.message(LONG, "r2"))
    await channel.close()
    one, two = web_rig.gateway.posted
    assert (one.to, one.text, two.text) == ("+79161234567", "Привет & до свидания 😀", LONG.strip())
    assert sent.external_id == one.id
    told = str(one.said)
    assert "https://hub.example/hooks/sms/report?secret=" in told and SECRET not in told
    if web_rig.gateway.shape == "kannel":
        assert (one.said["coding"], one.said["charset"], one.said["from"]) == ("2", "UTF-8", "Touchline")


_WORDS = {
    "kannel": (("8", ReceiptState.SENT), ("1", ReceiptState.DELIVERED), ("2", ReceiptState.FAILED)),
    "json-bearer": (("accepted", ReceiptState.SENT), ("DELIVERED", ReceiptState.DELIVERED), ("expired", "failed")),
    "form-basic": (("sent", ReceiptState.SENT), ("delivered", ReceiptState.DELIVERED), ("undelivered", "failed")),
}


async def test_reports(web_rig: HttpRig) -> None:
    channel, shape = web_rig.channel(), web_rig.gateway.shape
    sent = await channel.send(web_rig.message("Hello", "r1"))
    id_name, state_name = ("MessageSid", "MessageStatus") if shape == "form-basic" else ("id", "status")
    for word, _ in (*_WORDS[shape], ("something new", None)):
        fields = {id_name: sent.external_id, state_name: word, "reason": "NACK", "error": "E1", "ErrorCode": "30003"}
        answer = await channel.receive(web_rig.call("report", fields))
        assert answer.status == 200
    await channel.close()
    assert [(one.external_id, one.state) for one in web_rig.door.receipts] == [
        (sent.external_id, state) for _, state in _WORDS[shape]
    ]
    assert web_rig.door.receipts[-1].reason is not None


async def test_the_secret_in_our_own_addresses_is_enough_for_reports(web_rig: HttpRig) -> None:
    channel = web_rig.channel(secret=None)
    await channel.send(web_rig.message("Hello", "r1"))
    told = str(web_rig.gateway.posted[0].said)
    given = told.partition("report?secret=")[2][:20]
    call = web_rig.call("report", {"id": "x", "status": "y"})
    assert (await channel.receive(replace(call, query={**call.query, "secret": given}))).status == 200
    assert (await channel.receive(call)).status == 401
    await channel.close()


@pytest.mark.parametrize("secret", ["", "wrong", "ключ", None])
async def test_who_does_not_know_the_secret(web_rig: HttpRig, secret: str | None) -> None:
    channel = web_rig.channel()
    call = web_rig.call("in", web_rig.said("Hello"))
    query = {key: value for key, value in call.query.items() if key != "secret"}
    forged = replace(call, query=query if secret is None else {**query, "secret": secret})
    assert (await channel.receive(forged)).status == 401
    assert web_rig.door.touches == []


async def test_where_the_secret_may_stand(web_rig: HttpRig) -> None:
    channel = web_rig.channel()
    call = web_rig.call("in", web_rig.said("Hello"))
    bare = {key: value for key, value in call.query.items() if key != "secret"}
    for headers in ({"x-secret": SECRET}, {"authorization": f"Bearer {SECRET}"}, {"authorization": "Basic !"}):
        answer = await channel.receive(replace(call, query=bare, headers={**call.headers, **headers}))
        assert answer.status == (401 if "Basic !" in headers.values() else 200)
    assert len(web_rig.door.logged) == 1


async def test_what_comes_in(web_rig: HttpRig) -> None:
    channel = web_rig.channel()
    answer = await channel.receive(web_rig.call("in", web_rig.said("Где мой заказ? 😀")))
    assert answer.status == 200 and answer.body in (b"", b"<Response/>")
    await channel.receive(web_rig.call("in", web_rig.said("Стоп", sender="380671234567")))
    await channel.receive(web_rig.call("in", web_rig.said("Your code", sender="MyBank")))
    first, stop, bank = web_rig.door.touches
    assert (first.text, str(first.party[0])) == ("Где мой заказ? 😀", "phone:+79161234567")
    assert str(stop.party[0]) == "phone:+380671234567" and stop.fields["opted_out"] is True
    assert bank.party[0].odd and "sender" in bank.field_marks
    for touch in (first, stop, bank):
        assert touch.raw is not None and SECRET.encode() not in touch.raw.data
        again = parse_again("sms", web_rig.settings(), touch.raw.data, touch.raw.media_type, touch.at)
        assert again is not None and (again.text, again.party, again.event_key) == (
            touch.text,
            touch.party,
            touch.event_key,
        )


async def test_what_cannot_be_read(web_rig: HttpRig) -> None:
    channel = web_rig.channel()
    broken = Webhook("POST", "in", {"secret": SECRET}, {"content-type": "application/json"}, b'{"from": ', "1.2.3.4")
    assert (await channel.receive(broken)).status == 200
    assert (await channel.receive(web_rig.call("in", {"nothing": "known"}))).status == 200
    assert (await channel.receive(web_rig.call("in", {"from": {"a": 1}, "From": ""}))).status == 200
    assert len(web_rig.door.logged) == 3
    for touch in web_rig.door.touches:
        assert touch.raw is not None and "could not be read" in touch.remarks[0]
    assert (await channel.receive(web_rig.call("elsewhere", {}))).status == 404
    assert (await channel.receive(replace(broken, method="PUT"))).status == 405


async def test_windows_forms(web_rig: HttpRig) -> None:
    if web_rig.gateway.shape != "form-basic":
        pytest.skip("a shape without forms")
    channel = web_rig.channel()
    body = b"From=%2B79161234567&To=7000&MessageSid=1&Body=%CF%F0%E8%E2%E5%F2"
    await channel.receive(Webhook("POST", "in", {"secret": SECRET}, {}, body, "1.2.3.4"))
    assert web_rig.door.touches[0].text == "Привет"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, BadSettings),
        (403, BadSettings),
        (429, Throttled),
        (503, Unreachable),
        (500, Uncertain),
        (502, Uncertain),
        (504, Uncertain),
        (0, Uncertain),
    ],
)
async def test_what_answers_mean(web_rig: HttpRig, status: int, kind: type[Exception]) -> None:
    web_rig.gateway.refusals = [(status, "because of something")]
    web_rig.gateway.headers = {"Retry-After": "17"}
    channel, message = web_rig.channel(), web_rig.message("Hello", "r1")
    with pytest.raises(kind) as caught:
        await channel.send(message)
    assert type(caught.value) is kind
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after == 17
    assert await channel.was_sent(message) is (None if kind is Uncertain else False)
    if kind is Uncertain:
        with pytest.raises(Uncertain):
            await channel.send(message)
        assert len(web_rig.gateway.posted) <= 1
    await channel.close()


async def test_without_a_public_address_no_reports_are_asked_for(web_rig: HttpRig) -> None:
    channel = web_rig.channel()
    channel._door = replace(channel._door, hook=lambda: None)
    await channel.send(web_rig.message("Hello", "r1"))
    await channel.close()
    assert not {"dlr-url", "callback_url", "StatusCallback"} & set(web_rig.gateway.posted[0].said)


async def test_no_address_needs_a_person(web_rig: HttpRig) -> None:
    health = await web_rig.channel(url="").check()
    assert health.state is LineState.NEEDS_PERSON and "url" in health.reason


OWN: dict[str, Any] = {
    "send": {
        "method": "POST",
        "url": "{url}/send.php",
        "form": {"login": "{user}", "psw": "{password}", "phones": "{to_digits}", "mes": "{text}", "id": "{reference}"},
    },
    "answer": {
        "success": {"means": "sent", "pattern": "^OK"},
        "id": r"pattern:ID - (\d+)",
        "meanings": [
            {"means": "bad_settings", "pattern": r"ERROR = 2\b"},
            {"means": "throttled", "pattern": r"ERROR = 9\b"},
        ],
    },
    "inbound": {"items": "data.messages", "sender": "phone", "text": "body.text", "id": "uid", "answer": "OK"},
    "report": {"items": "items", "id": "id", "state": "code", "states": {"delivered": ["1"], "failed": ["20"]}},
}


def test_templates_of_ones_own() -> None:
    made = Template.model_validate(OWN)
    assert made.asks.url == "{url}" and made.asks.method == "GET"
    assert names() == ("form-basic", "json-bearer", "kannel")
    assert all(find_template(name).send for name in names())
    settings = Settings.model_validate({"gateway": "http", "template": OWN, "url": "https://a.example/"})
    assert settings.shape == made and settings.url == "https://a.example"


async def test_batches_in_a_shape_of_ones_own(web_rig: HttpRig) -> None:
    channel = web_rig.channel(template=OWN)
    body = (
        b'{"data": {"messages": [{"phone": "79161234567", "uid": 1, "body": {"text": "a"}},'
        b' {"phone": "380671234567", "uid": 2, "body": {"text": "b"}}, 7]}}'
    )
    headers = {"content-type": "application/json"}
    answer = await channel.receive(Webhook("POST", "in", {"secret": SECRET}, headers, body, "1.2.3.4"))
    assert answer.body == b"OK"
    assert sorted(touch.text for touch in web_rig.door.touches) == ["", "a", "b"]
    body = b'{"items": [{"id": "5", "code": 1}, {"id": "6", "code": 20}, {"id": "7", "code": 0}]}'
    await channel.receive(Webhook("POST", "report", {"secret": SECRET}, headers, body, "1.2.3.4"))
    assert [(one.external_id, one.state.value) for one in web_rig.door.receipts] == [
        ("5", "delivered"),
        ("6", "failed"),
    ]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"template": "kanel"}, "there is no template 'kanel'"),
        ({"template": {"send": {"url": "{url}/{nobody}"}}}, "nothing is called {nobody}"),
        ({"template": {"send": {"form": {"a": "b"}, "json": {}}}}, "not both"),
        ({"template": {"send": {}, "answer": {"id": "pattern:ID"}}}, "needs a pattern with a group"),
        ({"template": {"send": {}, "answer": {"id": "somewhere"}}}, "is own"),
        ({"template": {"send": {}, "answer": {"success": {"means": "sent", "pattern": "("}}}}, "is no pattern"),
        ({"template": "kannel", "url": "ftp://x"}, "not an http address"),
        ({"template": "kannel", "secret": "short"}, "8 characters"),
        ({"template": "kannel", "host": "x"}, "Extra inputs"),
        ({"template": "kannel", "quiet_hours": "21-8"}, "span of hours"),
        ({"template": "kannel", "zone": "Europe/Moskow"}, "no time zone"),
        ({"gateway": "smpp", "host": "x", "system_id": "hub"}, "password"),
        ({"gateway": "smpp", "host": "x", "system_id": "hub", "password": "longer than 8"}, "8 ASCII characters"),
        ({"gateway": "smpp", "host": "x", "system_id": "h", "password": "p", "template": "kannel"}, "Extra inputs"),
        ({"gateway": "fax"}, "'smpp' or 'http'"),
    ],
)
def test_slips_in_the_set_up(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"gateway": "http", **keys})
    assert reason in str(caught.value)


def test_the_example_is_good_as_it_stands() -> None:
    example = Path(__file__).parents[3] / "examples" / "sms.toml"
    lines = tomllib.loads(example.read_text(encoding="utf-8"))["line"]
    assert set(lines) == {"sms-smpp", "sms-kannel", "sms-own"}
    for line in lines.values():
        own = {key: "s3cretly" if isinstance(value, dict) and "env" in value else value for key, value in line.items()}
        Settings.model_validate({key: value for key, value in own.items() if key not in {"channel", "team"}})


def test_every_key_is_told_in_the_readme() -> None:
    told = (Path(channels.sms.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [key for key in Settings.model_fields if not re.search(rf"\b{key}\b", told)] == []
