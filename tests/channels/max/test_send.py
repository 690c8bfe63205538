"""What goes out: words, files, buttons, answers; what MAX refuses; and what may be out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain
from channels.touch import Attachment, Button, Identity, Thread
from tests.channels.max.rig import MaxRig
from tests.channels.max.vendor import Vendor, call

LONG = "слово " * 800


async def test_files_go_along_with_the_last_words(rig: MaxRig, vendor: Vendor) -> None:
    files = (Attachment("a.png", "image/png", b"png"), Attachment("б.pdf", "application/pdf", b"pdf"))
    await rig.channel().send(rig.message(LONG, "ref", attachments=files))
    assert vendor.uploads == [("image", "a.png", b"png"), ("file", "б.pdf", b"pdf")]
    assert [one["attachments"] for one in vendor.taken] == [
        None,
        [
            {"type": "image", "payload": {"photos": {"1": {"token": "token-1"}}}},
            {"type": "file", "payload": {"token": "token-2"}},
        ],
    ]


async def test_what_was_just_uploaded_may_not_be_ready(rig: MaxRig, vendor: Vendor) -> None:
    vendor.not_ready = 1
    await rig.channel().send(rig.message("", "ref", attachments=(Attachment("a.pdf", "application/pdf", b"pdf"),)))
    assert len(vendor.taken) == 1 and len(vendor.uploads) == 1


async def test_an_answer_shows_what_it_answers_and_buttons_come_last(rig: MaxRig, vendor: Vendor) -> None:
    buttons = tuple(Button(str(n), f"rate:{n}") for n in range(1, 10))
    await rig.channel().send(rig.message(LONG, "ref", replies_to="mid.1", buttons=buttons))
    first, last = vendor.taken
    assert first["link"] == {"type": "reply", "mid": "mid.1"} and "link" not in last
    rows = last["attachments"][0]["payload"]["buttons"]
    assert [len(row) for row in rows] == [7, 2]
    assert rows[0][4] == {"type": "callback", "text": "5", "payload": "rate:5"}


async def test_an_answer_to_any_part_is_to_the_message(rig: MaxRig, vendor: Vendor) -> None:
    channel = rig.channel()
    sent = await channel.send(rig.message(LONG, "ref"))
    second = vendor.taken[1]["mid"]
    update = vendor.message("Понятно")
    update["message"]["link"] = {"type": "reply", "message": {"mid": second}}
    await channel.receive(call(update))
    assert rig.door.touches[0].thread == Thread(answers=(second, sent.external_id))


async def test_what_may_be_out_is_not_sent_again(rig: MaxRig, vendor: Vendor) -> None:
    vendor.loses = 1
    channel, message = rig.channel(), rig.message("Да", "ref")
    for _ in range(2):
        with pytest.raises(Uncertain):
            await channel.send(message)
    assert await channel.was_sent(message) is None and len(vendor.taken) == 1


@pytest.mark.parametrize(
    ("status", "code", "words", "error"),
    [
        (401, "verify.token", "Invalid access_token", BadSettings),
        (429, "too.many.requests", "", Throttled),
        (403, "chat.denied", "error.dialog.suspended", OptedOut),
        (404, "dialog.not.found", "", OptedOut),
        (400, "proto.payload", "text", Rejected),
        (500, "internal", "", Uncertain),
    ],
)
async def test_what_refusals_mean(
    rig: MaxRig, vendor: Vendor, status: int, code: str, words: str, error: type[ChannelError]
) -> None:
    vendor.refusals.append((status, code, words))
    with pytest.raises(error) as caught:
        await rig.channel().send(rig.message("Да", "ref"))
    assert caught.value.reason


async def test_what_cannot_go_out_is_refused_before_it_does(rig: MaxRig, vendor: Vendor) -> None:
    message = rig.message("Да", "ref")
    for one in (replace(message, to=(Identity("email", "a@b.pl"),)), replace(message, text=" ")):
        with pytest.raises(Rejected):
            await rig.channel().send(one)
    assert vendor.taken == []
