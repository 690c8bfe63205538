"""What calls us: signatures, repeats, greetings, files that come later; and that Viber calls us at all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from channels.contract import LineState
from channels.errors import BadSettings, Unreachable
from channels.touch import Touch
from channels.webhook import sign_body
from tests.channels.door import until
from tests.channels.kit import listening
from tests.channels.viber.rig import ViberRig, payload
from tests.peers.viber import TOKEN, Viber, webhook


@pytest.mark.parametrize("signature", [None, "", "0" * 64, "нет"])
async def test_a_forged_call_is_refused_and_told(
    rig: ViberRig, viber: Viber, signature: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"x-viber-content-signature": signature} if signature is not None else {}
    answer = await rig.channel().receive(replace(webhook(viber.said("Я не я")), headers=headers))
    assert answer.status == 401 and rig.door.touches == []
    logged = "".join(capsys.readouterr())
    assert "webhook_with_wrong_signature" in logged and "203.0.113.5" in logged and TOKEN not in logged


async def test_the_signature_is_over_the_bytes_and_may_be_in_the_address(rig: ViberRig, viber: Viber) -> None:
    call = webhook(viber.said("Здравствуйте"))
    assert (await rig.channel().receive(replace(call, body=call.body + b" "))).status == 401
    in_query = replace(call, headers={}, query={"sig": call.headers["x-viber-content-signature"]})
    assert (await rig.channel().receive(in_query)).status == 200


async def test_only_posts(rig: ViberRig) -> None:
    assert (await rig.channel().receive(replace(webhook({}), method="GET"))).status == 405


async def test_a_replayed_call_is_the_same_message(rig: ViberRig) -> None:
    channel = rig.channel()
    for _ in range(3):
        assert (await channel.receive(webhook(payload("text")))).status == 200
    assert len(rig.door.touches) == 3 and len(rig.door.logged) == 1


async def test_nothing_is_answered_before_it_is_committed(rig: ViberRig, viber: Viber) -> None:
    def refuse(_: Touch) -> None:
        raise RuntimeError("the database is away")

    rig.door.before_deliver = refuse
    with pytest.raises(RuntimeError):
        await rig.channel().receive(webhook(viber.said("Не загубіть")))
    assert rig.door.touches == []


async def test_reports_are_reported(rig: ViberRig) -> None:
    for name in ("delivered", "seen", "failed"):
        assert (await rig.channel().receive(webhook(payload(name)))).status == 200
    assert [one.state.value for one in rig.door.receipts] == ["delivered", "read", "failed"]


async def test_a_partner_may_sign_with_a_secret_of_its_own(rig: ViberRig, viber: Viber) -> None:
    call = webhook(viber.said("Здравствуйте"))
    signed_anew = {**call.headers, "x-viber-content-signature": sign_body(call.body, "partner's own")}
    by_partner = replace(call, headers=signed_anew)
    assert (await rig.channel().receive(by_partner)).status == 401
    channel = rig.channel(secret="partner's own")
    assert [(await channel.receive(each)).status for each in (by_partner, call)] == [200, 200]


async def test_who_opens_the_chat_is_greeted_once(rig: ViberRig) -> None:
    greeting = await rig.channel(welcome="Чим допомогти?").receive(webhook(payload("conversation_started")))
    assert isinstance(greeting.body, bytes) and greeting.media_type == "application/json"
    assert json.loads(greeting.body) == {"sender": {"name": "Touchline"}, "type": "text", "text": "Чим допомогти?"}
    silent = await rig.channel().receive(webhook(payload("conversation_started")))
    assert (silent.status, silent.body) == (200, b"")


async def test_viber_is_told_where_to_call(rig: ViberRig, viber: Viber) -> None:
    async with listening(rig.channel()):
        await rig.door.wait_for_health()
        assert viber.webhook == rig.site.hook and viber.answers[0][0] == 200
        viber.webhook = "https://elsewhere.example"
        await until(lambda: viber.webhook == rig.site.hook, 5, lambda: viber.webhook)
        viber.push(viber.said("Здравствуйте"))
        assert (await rig.door.wait_for())[0].text == "Здравствуйте"


async def test_without_a_public_address_it_needs_a_person(rig: ViberRig) -> None:
    rig.site.hook = None
    channel = rig.channel()
    with pytest.raises(BadSettings) as caught:
        await channel.listen()
    assert caught.value.remedy and "public_url" in caught.value.remedy
    assert (await channel.check()).state is LineState.NEEDS_PERSON


async def test_an_address_that_viber_cannot_reach_is_tried_again(rig: ViberRig, viber: Viber) -> None:
    channel = rig.channel()
    await rig.site.stop()
    with pytest.raises(Unreachable, match="cannot call us") as caught:
        await channel.listen()
    assert caught.value.remedy and viber.webhook == ""


async def test_a_file_comes_with_its_message(rig: ViberRig, viber: Viber) -> None:
    url = viber.keep_media("krany", b"\xff\xd8jpeg", "image/jpeg")
    event = viber.said("Ось такий", type="picture", media=url)
    assert (await rig.channel().receive(webhook(event))).status == 200
    (touch,) = rig.door.touches
    assert touch.attachments[0].data == b"\xff\xd8jpeg" and touch.attachments[0].name.endswith(".jpg")


async def test_a_file_without_a_type_takes_that_of_the_answer(rig: ViberRig, viber: Viber) -> None:
    url = viber.keep_media("rahunok", b"%PDF-1.7", "application/pdf")
    await rig.channel().receive(webhook(viber.said(type="file", media=url, file_name="rahunok")))
    file = rig.door.touches[0].attachments[0]
    assert (file.name, file.media_type) == ("rahunok.pdf", "application/pdf")


async def test_a_file_that_is_away_comes_when_viber_calls_again(rig: ViberRig, viber: Viber) -> None:
    url = viber.keep_media("rahunok.pdf", b"%PDF-1.7", "application/pdf")
    viber.media_refusals += [500, 502, 500]
    rig.channel()
    rig.pusher.push(webhook(viber.said(type="file", media=url, file_name="Рахунок.pdf")))
    await until(lambda: 200 in rig.pusher.statuses, 5, lambda: str(rig.pusher.statuses))
    assert rig.pusher.statuses == [503, 200]
    first, _, later = rig.door.touches
    assert "Рахунок.pdf could not be fetched" in first.remarks[0]
    assert later.phase == "fetched" and later.attachments[0].data == b"%PDF-1.7"


async def test_a_file_that_is_gone_is_a_remark(rig: ViberRig, viber: Viber) -> None:
    url = viber.keep_media("old.jpg", b"x")
    viber.media_refusals.append(403)
    assert (await rig.channel().receive(webhook(viber.said(type="picture", media=url)))).status == 200
    assert "does not hand it out" in rig.door.touches[0].remarks[0]
