"""What calls us: the handshake, signatures, repeats, files that come later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.contract import LineState
from channels.touch import Touch, Webhook
from tests.channels.door import until
from tests.channels.kit import listening
from tests.channels.whatsapp.rig import WhatsAppRig, payload
from tests.peers.whatsapp import SECRET, VERIFY_TOKEN, GraphApi, webhook


def handshake(**query: str) -> Webhook:
    given = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}
    asked = {**given, **{name.replace("_", ".", 1): value for name, value in query.items()}}
    return Webhook("GET", "", asked, {}, b"", "203.0.113.5")


async def test_the_handshake_gives_the_challenge_back(rig: WhatsAppRig) -> None:
    answer = await rig.channel().receive(handshake())
    assert (answer.status, answer.body, answer.media_type) == (200, b"1158201444", "text/plain")


@pytest.mark.parametrize(
    "query", [{"hub_verify_token": "wrong"}, {"hub_verify_token": ""}, {"hub_mode": "unsubscribe"}]
)
async def test_a_wrong_handshake_is_refused_and_told(
    rig: WhatsAppRig, query: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await rig.channel().receive(handshake(**query))).status == 403
    logged = "".join(capsys.readouterr())
    assert "handshake_with_wrong_token" in logged and VERIFY_TOKEN not in logged


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "нет"])
async def test_a_forged_call_is_refused_and_told(
    rig: WhatsAppRig, api: GraphApi, signature: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"x-hub-signature-256": signature} if signature is not None else {}
    answer = await rig.channel().receive(replace(webhook(api.said("Я не я")), headers=headers))
    assert answer.status == 401 and rig.door.touches == []
    logged = "".join(capsys.readouterr())
    assert "webhook_with_wrong_signature" in logged and "203.0.113.5" in logged and SECRET not in logged


async def test_the_signature_is_over_the_bytes_and_not_over_their_meaning(rig: WhatsAppRig, api: GraphApi) -> None:
    call = webhook(api.said("Здравствуйте"))
    assert (await rig.channel().receive(replace(call, body=call.body + b" "))).status == 401
    assert (await rig.channel().receive(call)).status == 200


async def test_only_get_and_post(rig: WhatsAppRig) -> None:
    assert (await rig.channel().receive(replace(handshake(), method="PUT"))).status == 405


async def test_a_replayed_call_is_the_same_message(rig: WhatsAppRig) -> None:
    channel = rig.channel()
    for _ in range(3):
        assert (await channel.receive(webhook(payload("batch")))).status == 200
    assert len(rig.door.logged) == 3


async def test_what_one_person_says_is_taken_in_its_order(rig: WhatsAppRig, api: GraphApi) -> None:
    number = api.keep_media(b"\xff\xd8jpeg")
    first = api.message("image", image={"id": number, "mime_type": "image/jpeg", "caption": "Раз"})
    second = api.message(text={"body": "Два"})
    assert (await rig.channel().receive(webhook(api.body(messages=[first, second])))).status == 200
    assert [touch.text for touch in rig.door.touches] == ["Раз", "Два"]
    assert rig.door.touches[0].attachments[0].data == b"\xff\xd8jpeg"


async def test_nothing_is_answered_before_everything_is_committed(rig: WhatsAppRig) -> None:
    def refuse(touch: Touch) -> None:
        if touch.text == "Два":
            raise RuntimeError("the database is away")

    rig.door.before_deliver = refuse
    with pytest.raises(RuntimeError):
        await rig.channel().receive(webhook(payload("batch")))
    assert [touch.text for touch in rig.door.touches] == ["Раз", "Три"]


async def test_a_file_that_is_away_comes_when_whatsapp_calls_again(rig: WhatsAppRig, api: GraphApi) -> None:
    number = api.keep_media(b"%PDF-1.7", "application/pdf")
    document = {"id": number, "mime_type": "application/pdf", "filename": "Счёт.pdf"}
    api.media_refusals += [404, 500, 404]
    async with listening(rig.channel()):
        rig.pusher.push(webhook(api.body(messages=[api.message("document", document=document)])))
        await until(lambda: 200 in rig.pusher.statuses, 5, lambda: str(rig.pusher.statuses))
    assert rig.pusher.statuses == [503, 200]
    first, again, later = rig.door.touches
    assert "Счёт.pdf could not be fetched" in first.remarks[0] and first.attachments == ()
    assert again.event_key == first.event_key
    assert (later.phase, later.external_id) == ("fetched", first.external_id)
    assert (later.attachments[0].name, later.attachments[0].data) == ("Счёт.pdf", b"%PDF-1.7")


async def test_a_file_that_is_gone_is_a_remark(rig: WhatsAppRig, api: GraphApi) -> None:
    image = {"id": "404404", "mime_type": "image/jpeg"}
    call = webhook(api.body(messages=[api.message("image", image=image)]))
    assert (await rig.channel().receive(call)).status == 200
    assert "does not exist" in rig.door.touches[0].remarks[0]


async def test_a_file_that_is_too_large_is_a_remark(
    rig: WhatsAppRig, api: GraphApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.whatsapp.wire.MOST_BYTES", 10)
    number = api.keep_media(b"x" * 11)
    call = webhook(api.body(messages=[api.message("image", image={"id": number, "mime_type": "image/jpeg"})]))
    assert (await rig.channel().receive(call)).status == 200
    assert "are taken" in rig.door.touches[0].remarks[0] and rig.door.touches[0].attachments == ()


async def test_messages_for_another_number_are_told_and_not_taken(rig: WhatsAppRig) -> None:
    assert (await rig.channel().receive(webhook(payload("another_number")))).status == 200
    assert rig.door.touches == []
    assert rig.door.healths[-1].state is LineState.RUNNING and "999999999999999" in rig.door.healths[-1].reason
    assert "callback" in rig.door.healths[-1].remedy
