"""What goes out: texts, files, choices, templates; and what every no of Meta's means."""

from __future__ import annotations

from typing import Any

import pytest

from channels.contract import ReadMarker
from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.pieces import units
from channels.touch import Approved, Attachment, Button, Identity
from channels.whatsapp.compose import MOST_FILE
from channels.whatsapp.refusals import TooManyToOne
from tests.channels.whatsapp.rig import WhatsAppRig
from tests.peers.whatsapp import CLIENT, GraphApi

PDF = Attachment("Счёт.pdf", "application/pdf", b"%PDF-1.7")
PNG = Attachment("кран.png", "image/png", b"\x89PNG")


async def test_an_answer_quotes_what_it_answers(rig: WhatsAppRig, api: GraphApi) -> None:
    await rig.channel().send(rig.message("Завтра", "ref", replies_to="wamid.HBgLIN000001"))
    said = api.taken[0].said
    assert (said["to"], said["type"], said["text"]) == (CLIENT, "text", {"body": "Завтра"})
    assert said["context"] == {"message_id": "wamid.HBgLIN000001"}
    assert said["recipient_type"] == "individual"


async def test_a_long_text_goes_out_in_parts(rig: WhatsAppRig, api: GraphApi) -> None:
    text = "слово " * 1500
    sent = await rig.channel().send(rig.message(text, "ref", replies_to="wamid.X"))
    assert "".join("".join(api.texts()).split()) == "".join(text.split()) and len(api.taken) == 3
    assert sent.external_id == api.taken[0].id
    assert [("context" in one.said) for one in api.taken] == [True, False, False]


async def test_a_short_text_is_the_caption_of_the_first_file(rig: WhatsAppRig, api: GraphApi) -> None:
    await rig.channel().send(rig.message("Вот счёт", "ref", attachments=(PDF, PNG)))
    first, second = api.taken
    assert (first.kind, first.text, first.said["document"]["filename"]) == ("document", "Вот счёт", "Счёт.pdf")
    assert api.uploads[first.said["document"]["id"]] == ("file", "application/pdf", b"%PDF-1.7")
    assert (second.kind, second.text) == ("image", "")
    assert api.uploads[second.said["image"]["id"]][2] == b"\x89PNG"


@pytest.mark.parametrize(
    ("media_type", "size", "kind"),
    [
        ("image/jpeg", 10, "image"),
        ("image/jpeg", 5 * 1024 * 1024 + 1, "document"),
        ("image/webp", 10, "document"),
        ("video/mp4", 10, "video"),
        ("audio/mpeg", 10, "audio"),
        ("audio/ogg", 10, "document"),
        ("text/plain", 10, "document"),
    ],
)
async def test_a_file_goes_as_what_it_may_be(
    rig: WhatsAppRig, api: GraphApi, media_type: str, size: int, kind: str
) -> None:
    await rig.channel().send(rig.message("", "ref", attachments=(Attachment("файл", media_type, b"x" * size),)))
    assert [one.kind for one in api.taken] == [kind]


async def test_an_audio_has_no_caption(rig: WhatsAppRig, api: GraphApi) -> None:
    file = Attachment("a.mp3", "audio/mpeg", b"x")
    await rig.channel().send(rig.message("Послушайте", "ref", attachments=(file,)))
    assert [one.kind for one in api.taken] == ["text", "audio"]


async def test_few_short_choices_are_buttons(rig: WhatsAppRig, api: GraphApi) -> None:
    buttons = (Button("Да", "yes"), Button("Нет", "no"))
    await rig.channel().send(rig.message("Доставить завтра?", "ref", buttons=buttons))
    content = api.taken[0].said["interactive"]
    assert (content["type"], content["body"]) == ("button", {"text": "Доставить завтра?"})
    assert [one["reply"] for one in content["action"]["buttons"]] == [
        {"id": "yes", "title": "Да"},
        {"id": "no", "title": "Нет"},
    ]


async def test_more_or_longer_choices_are_a_list_below_the_last_part(rig: WhatsAppRig, api: GraphApi) -> None:
    long = "Позвоните мне, пожалуйста, завтра после обеда"
    buttons = (*(Button(f"{number} ★", f"rate:{number}") for number in range(1, 6)), Button(long, "call"))
    await rig.channel().send(rig.message("слово " * 300, "ref", buttons=buttons))
    assert [one.kind for one in api.taken] == ["text", "interactive"]
    rows = api.taken[1].said["interactive"]["action"]["sections"][0]["rows"]
    assert rows[0] == {"id": "rate:1", "title": "1 ★"}
    assert rows[5]["description"] == long and units(rows[5]["title"]) <= 24


@pytest.mark.parametrize(
    "buttons",
    [
        tuple(Button(f"{number}", f"{number}") for number in range(11)),
        (Button("", "x"),),
        (Button("Да", ""),),
        (Button("Да", "x" * 201),),
    ],
)
async def test_choices_that_whatsapp_would_not_show_are_refused(
    rig: WhatsAppRig, api: GraphApi, buttons: tuple[Button, ...]
) -> None:
    with pytest.raises(Rejected):
        await rig.channel().send(rig.message("Что?", "ref", buttons=buttons))
    assert api.taken == []


async def test_after_the_window_free_text_is_refused_and_a_template_is_not(rig: WhatsAppRig, api: GraphApi) -> None:
    api.closed.add(CLIENT)
    channel = rig.channel()
    with pytest.raises(Rejected, match="131047") as caught:
        await channel.send(rig.message("Ещё актуально?", "ref-1"))
    assert caught.value.remedy and "template" in caught.value.remedy
    template = Approved("order_ready", "ru", ("Иван", "заказ\n4711"))
    await channel.send(rig.message("Иван, заказ 4711 готов", "ref-2", template=template))
    assert api.taken[0].said["template"] == {
        "name": "order_ready",
        "language": {"code": "ru"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Иван"}, {"type": "text", "text": "заказ 4711"}]}
        ],
    }


async def test_a_file_is_the_header_of_a_template(rig: WhatsAppRig, api: GraphApi) -> None:
    channel = rig.channel()
    template = Approved("invoice", "ru", ("Иван",))
    await channel.send(rig.message("Иван, ваш счёт", "ref-1", template=template, attachments=(PDF,)))
    header, body = api.taken[0].said["template"]["components"]
    (document,) = header["parameters"]
    number = document["document"]["id"]
    assert (header["type"], document["type"]) == ("header", "document") and body["type"] == "body"
    assert document["document"] == {"id": number, "filename": PDF.name} and api.uploads[number][2] == PDF.data
    picture = Attachment("a.png", "image/png", b"png")
    await channel.send(rig.message("Осень", "ref-2", template=Approved("autumn", "ru"), attachments=(picture,)))
    (header,) = api.taken[1].said["template"]["components"]
    assert header["parameters"][0]["type"] == "image" and set(header["parameters"][0]["image"]) == {"id"}


async def test_a_template_without_blanks(rig: WhatsAppRig, api: GraphApi) -> None:
    await rig.channel().send(rig.message("Здравствуйте", "ref", template=Approved("hello", "en_US")))
    assert api.taken[0].said["template"] == {"name": "hello", "language": {"code": "en_US"}}


@pytest.mark.parametrize(
    "more",
    [
        {"text": " "},
        {"attachments": (Attachment("a.txt", "text/plain", b""),)},
        {"template": Approved("hello", "ru"), "attachments": (PDF, PDF)},
        {"template": Approved("hello", "ru"), "attachments": (Attachment("a.mp3", "audio/mpeg", b"x"),)},
        {"template": Approved("hello", "ru", (" ",))},
        {"text": "", "buttons": (Button("Да", "yes"),)},
        {"text": "слово " * 20_000},
        {"to": (Identity("email", "a@b.pl"),)},
        {"to": ()},
        {"to": (Identity("phone", "hidden", odd=True),)},
    ],
)
async def test_what_cannot_go_out_is_refused_before_any_of_it_does(
    rig: WhatsAppRig, api: GraphApi, more: dict[str, Any]
) -> None:
    message = rig.message(more.pop("text", "Да"), "ref")
    with pytest.raises(Rejected) as caught:
        await rig.channel().send(type(message)(**{**_fields(message), **more}))
    assert caught.value.remedy and api.taken == []


def _fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__slots__}


async def test_a_file_beyond_the_limit_is_refused(rig: WhatsAppRig, api: GraphApi) -> None:
    file = Attachment("кино.mp4", "video/mp4", bytes(MOST_FILE + 1))
    with pytest.raises(Rejected, match="100 MB"):
        await rig.channel().send(rig.message("", "ref", attachments=(file,)))
    assert api.uploads == {}


@pytest.mark.parametrize(
    ("to", "key", "value"),
    [
        ((Identity("phone", "+79161234567"),), "to", "79161234567"),
        ((Identity("whatsapp", "RU.134912"), Identity("phone", "+79161234567")), "to", "79161234567"),
        ((Identity("whatsapp", "RU.134912"),), "recipient", "RU.134912"),
    ],
)
async def test_who_hides_his_number_is_written_to_by_his_id(
    rig: WhatsAppRig, api: GraphApi, to: tuple[Identity, ...], key: str, value: str
) -> None:
    message = rig.message("Да", "ref")
    await rig.channel().send(type(message)(**{**_fields(message), "to": to}))
    assert api.taken[0].said[key] == value


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (4, 400, Throttled),
        (80007, 400, Throttled),
        (130429, 400, Throttled),
        (131048, 400, Throttled),
        (131056, 400, TooManyToOne),
        (2, 500, Unreachable),
        (131000, 500, Unreachable),
        (131016, 500, Unreachable),
        (1, 500, Uncertain),
        (1, 400, Rejected),
        (0, 401, BadSettings),
        (10, 403, BadSettings),
        (190, 401, BadSettings),
        (200, 403, BadSettings),
        (299, 403, BadSettings),
        (33, 400, BadSettings),
        (368, 403, BadSettings),
        (131031, 403, BadSettings),
        (131042, 400, BadSettings),
        (133010, 400, BadSettings),
        (131050, 400, OptedOut),
        (131026, 400, Rejected),
        (131047, 400, Rejected),
        (131049, 400, Rejected),
        (131051, 400, Rejected),
        (132001, 404, Rejected),
        (132015, 400, Rejected),
        (100, 400, Rejected),
        (999999, 400, Rejected),
    ],
)
async def test_every_number_has_its_meaning(
    rig: WhatsAppRig, api: GraphApi, code: int, status: int, error: type[ChannelError]
) -> None:
    api.refuse(code, "Title", status=status, error_data={"messaging_product": "whatsapp", "details": "Details."})
    channel, message = rig.channel(), rig.message("Да", "ref")
    with pytest.raises(ChannelError) as caught:
        await channel.send(message)
    assert type(caught.value) is error
    assert await channel.was_sent(message) is (None if error is Uncertain else False)
    if error in (BadSettings, OptedOut):
        assert caught.value.remedy
    if error is Rejected:
        assert "Details." in caught.value.reason


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, None, Uncertain),
        (502, {"error": "not an object"}, Uncertain),
        (429, None, Throttled),
        (401, None, BadSettings),
        (404, None, BadSettings),
        (400, {"error": {"code": "text"}}, Rejected),
        (200, {"messages": []}, Uncertain),
    ],
)
async def test_answers_without_a_number(
    rig: WhatsAppRig, api: GraphApi, status: int, body: Any, error: type[ChannelError]
) -> None:
    api.refusals.append((status, body))
    with pytest.raises(ChannelError) as caught:
        await rig.channel().send(rig.message("Да", "ref"))
    assert type(caught.value) is error


async def test_nobody_knows_what_became_of_a_message_when_the_answer_is_lost(rig: WhatsAppRig, api: GraphApi) -> None:
    api.vanish = 1
    message = rig.message("Да", "ref")
    with pytest.raises(Uncertain):
        await rig.channel().send(message)
    assert await rig.channel().was_sent(message) is None
    assert api.texts() == ["Да"]


async def test_patience_with_one_holds_up_nobody_else(rig: WhatsAppRig, api: GraphApi) -> None:
    api.refuse(131056, "Pair rate limit hit")
    channel = rig.channel(per_second=1000)
    with pytest.raises(Throttled) as caught:
        await channel.send(rig.message("Да", "ref-1"))
    assert caught.value.retry_after == 6
    other = rig.message("Да", "ref-2")
    await channel.send(type(other)(**{**_fields(other), "to": (Identity("phone", "+380671234567"),)}))
    assert [one.to for one in api.taken] == ["380671234567"]


async def test_patience_with_the_account_holds_up_all(rig: WhatsAppRig, api: GraphApi) -> None:
    api.refuse(80007, "Rate limit issues")
    channel = rig.channel()
    for reference in ("ref-1", "ref-2"):
        with pytest.raises(Throttled):
            await channel.send(rig.message("Да", reference))
    assert api.taken == []


async def test_a_token_is_never_told(rig: WhatsAppRig, api: GraphApi) -> None:
    with pytest.raises(BadSettings) as caught:
        await rig.channel(wrong_credentials=True).send(rig.message("Да", "ref"))
    assert "wrong" not in caught.value.reason


async def test_another_number_id_needs_a_person(rig: WhatsAppRig) -> None:
    health = await rig.channel(phone_number_id="5").check()
    assert health.state == "needs_person" or "100" in health.reason


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(rig: WhatsAppRig, api: GraphApi) -> None:
    api.silent = True
    with pytest.raises(Uncertain):
        await rig.channel(timeout_s=0.2).send(rig.message("Да", "ref"))


async def test_the_number_sends_as_fast_as_it_may(rig: WhatsAppRig, api: GraphApi) -> None:
    channel = rig.channel(per_second=0.05)
    await channel.send(rig.message("Раз", "ref-1"))
    with pytest.raises(Throttled) as caught:
        await channel.send(rig.message("Два", "ref-2"))
    assert 10 < caught.value.retry_after <= 20 and api.texts() == ["Раз"]


async def test_what_was_looked_at_is_told_so_unless_the_line_says_otherwise(rig: WhatsAppRig, api: GraphApi) -> None:
    assert isinstance(rig.channel(), ReadMarker)
    await rig.channel().mark_read("wamid.HBgLIN000001")
    await rig.channel(read_marks=False).mark_read("wamid.HBgLIN000002")
    await rig.channel().mark_read("not WhatsApp's")
    assert api.read == ["wamid.HBgLIN000001"] and api.taken == []
