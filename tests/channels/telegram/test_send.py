"""Messages to clients: parts, files, quotes, buttons, limits, and every way in which Telegram says no."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.errors import (
    BadSettings,
    ChannelError,
    OptedOut,
    Rejected,
    Throttled,
    Uncertain,
    Unreachable,
)
from channels.pieces import split, units
from channels.telegram.compose import MOST_FILE, MOST_TEXT
from channels.telegram.limits import OVERALL_S, PER_CHAT_S, PER_GROUP_S, Limits
from channels.touch import Attachment, Button, Identity, Sent
from tests.channels.telegram.rig import TelegramRig
from tests.peers.telegram import BotApi

PICTURE = Attachment("чек.jpg", "image/jpeg", b"\xff\xd8picture")
PAPER = Attachment("счёт.pdf", "application/pdf", b"%PDF")


async def test_a_long_text_goes_out_in_parts_and_has_one_id(rig: TelegramRig, api: BotApi) -> None:
    text = "\n\n".join(f"Абзац {number}. " + "слово " * 300 for number in range(4)).strip()
    channel = rig.channel()
    sent = await channel.send(rig.message(text, "ref"))
    assert sent.external_id == "55:101" and len(api.calls) == 2
    assert "".join("".join(api.texts()).split()) == "".join(text.split())
    assert api.calls[1].text.startswith("Абзац")
    assert await channel.was_sent(rig.message(text, "ref")) == sent


async def test_one_that_would_be_a_book_is_refused(rig: TelegramRig, api: BotApi) -> None:
    with pytest.raises(Rejected, match="messages in Telegram") as caught:
        await rig.channel().send(rig.message("слово " * 20_000, "ref"))
    assert caught.value.remedy and api.calls == []


async def test_files_go_out_as_what_they_are_with_the_text_as_caption(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    sent = await channel.send(rig.message("Вот ваши бумаги", "ref", attachments=(PICTURE, PAPER)))
    assert [(call.method, call.text) for call in api.calls] == [("sendPhoto", "Вот ваши бумаги"), ("sendDocument", "")]
    assert [call.file[::2] for call in api.calls if call.file] == [
        ("чек.jpg", PICTURE.data),
        ("счёт.pdf", PAPER.data),
    ]
    assert sent == Sent("55:101")


async def test_a_text_too_long_for_a_caption_goes_first(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    await channel.send(rig.message("слово " * 200, "ref", attachments=(PICTURE,)))
    assert [call.method for call in api.calls] == ["sendMessage", "sendPhoto"]


async def test_a_picture_that_telegram_does_not_take_as_one_goes_as_a_document(rig: TelegramRig, api: BotApi) -> None:
    api.refuse("sendPhoto", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    channel = rig.channel()
    await channel.send(rig.message("", "ref", attachments=(PICTURE,)))
    assert [call.method for call in api.calls] == ["sendDocument"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"attachments": (Attachment("a.mov", "video/mp4", bytes(MOST_FILE + 1)),)}, "50 MB"),
        ({"attachments": (Attachment("a.txt", "text/plain", b""),)}, "empty"),
        ({}, "empty"),
        ({"buttons": (Button("x", "v" * 65),)}, "64 bytes"),
    ],
)
async def test_what_telegram_would_refuse_is_refused_before_anything_goes_out(
    rig: TelegramRig, api: BotApi, more: dict[str, Any], why: str
) -> None:
    text = "Текст" if more else " \n"
    with pytest.raises(Rejected, match=why):
        await rig.channel().send(rig.message(text, "ref", **more))
    assert api.calls == [] and rig.door.memory.kept == {}


async def test_the_last_message_of_the_client_is_quoted(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    await channel.send(rig.message("Да", "ref-1", answers=("55:7", "55:8"), replies_to="55:7"))
    await channel.close()
    quoted = api.calls[0].params["reply_parameters"]
    assert quoted == {"message_id": 7, "allow_sending_without_reply": True}


@pytest.mark.parametrize("replies_to", [None, "<mail@client.example>", "77:7", "55:", "٥:٧"])
async def test_what_is_no_message_of_this_chat_is_not(rig: TelegramRig, api: BotApi, replies_to: str | None) -> None:
    channel = rig.channel()
    await channel.send(rig.message("Да", "ref", replies_to=replies_to))
    assert "reply_parameters" not in api.calls[0].params and api.calls[0].chat == 55


async def test_who_wrote_in_a_group_is_answered_there(rig: TelegramRig, api: BotApi) -> None:
    api.chats.add(-5)
    channel = rig.channel()
    sent = await channel.send(rig.message("Да", "ref", replies_to="-5:7"))
    assert sent.external_id == "-5:101" and api.calls[0].params["reply_parameters"]["message_id"] == 7


async def test_a_group_that_became_a_supergroup_is_found(rig: TelegramRig, api: BotApi) -> None:
    api.migrated[-5] = -1005
    api.chats.add(-1005)
    channel = rig.channel()
    sent = await channel.send(rig.message("Да", "ref", replies_to="-5:7"))
    assert sent.external_id == "-1005:101"


async def test_buttons_stand_under_the_last_part(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    stars = tuple(Button(f"{number} ★", f"rate:{number}") for number in range(1, 6))
    await channel.send(rig.message("слово " * 1000, "ref", buttons=stars))
    assert "reply_markup" not in api.calls[0].params
    rows = api.calls[1].params["reply_markup"]["inline_keyboard"]
    assert len(rows) == 1 and rows[0][4] == {"text": "5 ★", "callback_data": "rate:5"}


async def test_long_buttons_stand_below_each_other(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    await channel.send(
        rig.message("Что?", "ref", buttons=(Button("Перезвоните мне", "call"), Button("Спасибо, не надо", "no")))
    )
    assert len(api.calls[0].params["reply_markup"]["inline_keyboard"]) == 2


@pytest.mark.parametrize(
    ("status", "description", "error", "why"),
    [
        (403, "Forbidden: bot was blocked by the user", OptedOut, "blocked"),
        (403, "Forbidden: bot can't initiate conversation with a user", Rejected, "cannot write first"),
        (403, "Forbidden: user is deactivated", Rejected, "deactivated"),
        (403, "Forbidden: bot was kicked from the supergroup chat", Rejected, "kicked"),
        (400, "Bad Request: chat not found", Rejected, "never written"),
        (400, "Bad Request: TOPIC_CLOSED", Rejected, "(?i)topic_closed"),
        (413, "Request Entity Too Large", Rejected, "Large"),
        (401, "Unauthorized", BadSettings, "token"),
        (500, "Internal Server Error", Uncertain, "500"),
        (502, "Bad Gateway", Uncertain, "502"),
    ],
)
async def test_every_no_has_its_meaning(
    rig: TelegramRig, api: BotApi, status: int, description: str, error: type[ChannelError], why: str
) -> None:
    api.refuse("send", status, description)
    channel = rig.channel()
    message = rig.message("Да", "ref")
    with pytest.raises(ChannelError, match=why) as caught:
        await channel.send(message)
    assert type(caught.value) is error
    assert await channel.was_sent(message) is (None if error is Uncertain else False)


async def test_patience_is_kept_for_the_chat_that_it_was_asked_for(rig: TelegramRig, api: BotApi) -> None:
    api.chats.add(56)
    api.refuse("send", 429, "Too Many Requests: retry after 17", retry_after=17)
    channel = rig.channel()
    with pytest.raises(Throttled) as caught:
        await channel.send(rig.message("Да", "ref-1"))
    assert caught.value.retry_after == 17
    with pytest.raises(Throttled) as again:
        await channel.send(rig.message("Да", "ref-1"))
    assert 16 < again.value.retry_after <= 17
    other = rig.message("Да", "ref-2")
    assert (await channel.send(type(other)(other.reference, (Identity("telegram", "56"),), "Да", other.at))).external_id
    assert await channel.was_sent(rig.message("Да", "ref-1")) is False


async def test_nothing_was_handed_over_to_a_server_that_is_away(rig: TelegramRig, api: BotApi) -> None:
    await api.stop()
    channel = rig.channel()
    message = rig.message("Да", "ref")
    with pytest.raises(Unreachable):
        await channel.send(message)
    assert await channel.was_sent(message) is False
    await api.start()


async def test_nobody_knows_what_became_of_a_message_when_the_answer_is_lost(rig: TelegramRig, api: BotApi) -> None:
    api.vanish = 1
    channel = rig.channel()
    message = rig.message("Да", "ref")
    with pytest.raises(Uncertain):
        await channel.send(message)
    await channel.close()
    after = rig.channel()
    assert await after.was_sent(message) is None
    await after.close()
    assert api.texts() == ["Да"]


async def test_after_a_break_between_parts_the_rest_goes_out_and_nothing_twice(rig: TelegramRig, api: BotApi) -> None:
    message = rig.message("слово " * 1500, "ref")
    before = rig.channel()
    sending = asyncio.create_task(before.send(message))
    while not api.calls:
        await asyncio.sleep(0.01)
    api.refuse("send", 429, "Too Many Requests: retry after 1", retry_after=1)
    with pytest.raises(Throttled):
        await sending
    await before.close()
    after = rig.channel()
    assert await after.was_sent(message) is False
    assert (await after.send(message)).external_id == "55:101"
    await after.close()
    assert "".join("".join(api.texts()).split()) == "слово" * 1500


async def test_a_refusal_half_way_says_how_much_is_out(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    sending = asyncio.create_task(channel.send(rig.message("слово " * 1000, "ref")))
    while not api.calls:
        await asyncio.sleep(0.01)
    api.blocked.add(55)
    with pytest.raises(OptedOut, match="first 1 of its parts went out"):
        await sending


@pytest.mark.parametrize("to", [(), (Identity("email", "a@b.pl"),), (Identity("telegram", "@ivan", odd=True),)])
async def test_somebody_without_telegram_cannot_be_written_to(rig: TelegramRig, to: tuple[Identity, ...]) -> None:
    message = rig.message("Да", "ref")
    with pytest.raises(Rejected, match="nobody of Telegram"):
        await rig.channel().send(type(message)("ref", to, "Да", message.at))


async def test_one_chat_gets_a_message_a_second(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    await asyncio.gather(*(channel.send(rig.message("Да", f"ref-{number}")) for number in range(3)))
    await channel.close()
    gaps = [later.at - sooner.at for sooner, later in zip(api.calls, api.calls[1:], strict=False)]
    assert all(gap > PER_CHAT_S - 0.1 for gap in gaps) and len(gaps) == 2


async def test_all_chats_together_get_thirty_a_second() -> None:
    limits = Limits()
    began = time.monotonic()
    await asyncio.gather(*(limits.wait(chat) for chat in range(1, 16)))
    assert time.monotonic() - began >= 14 * OVERALL_S - 0.02


async def test_a_busy_chat_does_not_hold_up_the_others() -> None:
    limits = Limits()
    await limits.wait(-5)
    waiting = asyncio.create_task(limits.wait(-5))
    await asyncio.sleep(0)
    await limits.wait(56)
    assert not waiting.done()
    waiting.cancel()


async def test_who_would_wait_too_long_is_told_how_long() -> None:
    now = [100.0]
    limits = Limits(lambda: now[0])
    limits.hold(-5, 30)
    with pytest.raises(Throttled) as caught:
        await limits.wait(-5)
    assert caught.value.retry_after == pytest.approx(30)
    now[0] += 30
    await limits.wait(-5)
    limits.hold(-5, 1)
    with pytest.raises(Throttled) as later:
        limits.hold(-5, 11)
        await limits.wait(-5)
    assert later.value.retry_after == pytest.approx(11) and PER_GROUP_S == 3


@given(st.text(alphabet=st.sampled_from("аб \n.😀👩\u200d\u0301xY"), max_size=400), st.integers(10, 60))
def test_a_split_loses_nothing_and_fits(text: str, most: int) -> None:
    pieces = split(text, most)
    assert all(piece.strip() and units(piece) <= most for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_cuts_are_where_a_reader_pauses() -> None:
    assert split("Раз два. Три четыре", 12) == ["Раз два.", "Три четыре"]
    assert split("первый абзац\n\nвторой абзац", 20) == ["первый абзац", "второй абзац"]
    assert split("а" * 25, 10) == ["а" * 10, "а" * 10, "а" * 5]
    assert split("😀" * 6, 8) == ["😀" * 4, "😀" * 2]
    family = "👩\u200d👩\u200d👧"
    assert split("а" * 5 + family, 10) == ["а" * 5, family]
    assert MOST_TEXT == 4096 and split("", MOST_TEXT) == []
