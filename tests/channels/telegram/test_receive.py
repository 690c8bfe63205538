"""Updates by long polling: order, offsets, repeats, files, restarts, nonsense on the wire."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from channels.contract import LineState
from channels.errors import BadSettings, Unreachable
from channels.touch import Thread, Touch
from tests.channels.door import until
from tests.channels.kit import listening
from tests.channels.telegram.rig import TelegramRig
from tests.peers.telegram import BOT, CLIENT, TOKEN, BotApi

OTHER = {"id": 56, "is_bot": False, "first_name": "Ewa", "last_name": "Nowak", "language_code": "pl"}
KEY = f"offset {BOT['id']}"


def offset(rig: TelegramRig) -> str:
    return rig.door.memory.kept.get(KEY, "").partition(" ")[0]


async def test_what_one_chat_says_is_committed_in_its_order_and_chats_together(rig: TelegramRig, api: BotApi) -> None:
    for number in range(20):
        api.say(f"{number}", sender=CLIENT if number % 2 else OTHER)
    async with listening(rig.channel()):
        touches = await rig.door.wait_for(20)
    for value, first in (("56", 0), ("55", 1)):
        mine = [touch.text for touch in touches if touch.party[0].value == value]
        assert mine == [str(number) for number in range(first, 20, 2)]
    assert rig.door.most_at_once == 2


async def test_the_offset_moves_after_everything_is_committed(rig: TelegramRig, api: BotApi) -> None:
    seen: list[str] = []
    rig.door.before_deliver = lambda touch: seen.append(offset(rig))
    api.say("Первое")
    last = api.say("Второе", sender=OTHER)
    async with listening(rig.channel()):
        await rig.door.wait_for(2)
        await until(lambda: offset(rig) == "1002", 3, lambda: offset(rig))
    assert seen == ["", ""]
    assert last["message_id"] == 101


async def test_one_touch_that_fails_lets_the_others_in_and_keeps_the_offset(rig: TelegramRig, api: BotApi) -> None:
    def refuse(touch: Touch) -> None:
        if touch.text == "Сломай":
            raise RuntimeError("the database is away")

    rig.door.before_deliver = refuse
    api.say("Сломай")
    api.say("Целое", sender=OTHER)
    async with listening(rig.channel()) as task:
        with contextlib.suppress(RuntimeError):
            await asyncio.wait_for(asyncio.shield(task), 60)
    assert [touch.text for touch in rig.door.touches] == ["Целое"]
    assert offset(rig) == ""
    rig.door.before_deliver = None
    async with listening(rig.channel()):
        await rig.door.wait_for(3)
    assert sorted(touch.text for touch in rig.door.logged) == ["Сломай", "Целое"]


async def test_an_edit_follows_its_message(rig: TelegramRig, api: BotApi) -> None:
    async with listening(rig.channel()):
        first = api.say("Где закас?")
        api.edit(first, "Где заказ?")
        one, two = await rig.door.wait_for(2)
    assert (one.text, one.phase, two.text, two.phase) == ("Где закас?", None, "Где заказ?", "edited")
    assert one.external_id == two.external_id


async def test_more_than_a_poll_holds_comes_in_several(rig: TelegramRig, api: BotApi) -> None:
    for number in range(230):
        api.say("Много", sender={**OTHER, "id": 1000 + number})
    async with listening(rig.channel()):
        await rig.door.wait_for(230)
        await until(lambda: offset(rig) == "1230", 3, lambda: offset(rig))
    assert len(rig.door.logged) == len(rig.door.touches) == 230
    assert [poll.get("offset") for poll in api.polls[:3]] == [None, "1100", "1200"]


async def test_a_restart_goes_on_where_it_was(rig: TelegramRig, api: BotApi) -> None:
    async with listening(rig.channel()):
        api.say("Раз")
        await rig.door.wait_for()
        await until(lambda: offset(rig) == "1001", 3, lambda: offset(rig))
    async with listening(rig.channel()):
        await until(lambda: api.polls[-1].get("offset") == "1001", 3, lambda: str(api.polls))


async def test_an_offset_from_before_a_long_silence_is_not_used(rig: TelegramRig, api: BotApi) -> None:
    """After a week Telegram numbers updates anew: an old offset would confirm what nobody has seen."""
    long_ago = datetime.now(UTC) - timedelta(days=6)
    rig.door.memory.kept[KEY] = f"9000000 {long_ago.isoformat()}"
    api.say("После отпуска")
    async with listening(rig.channel()):
        assert (await rig.door.wait_for())[0].text == "После отпуска"


async def test_a_server_that_goes_away_ends_the_listening_for_a_while(rig: TelegramRig, api: BotApi) -> None:
    async with listening(rig.channel()) as task:
        await until(lambda: bool(api.polls), 3, lambda: "never polled")
        await api.stop()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(asyncio.shield(task), 60)
    await api.start()
    api.say("Снова здесь")
    async with listening(rig.channel()):
        assert (await rig.door.wait_for())[0].text == "Снова здесь"


async def test_a_second_reader_of_the_same_bot_is_told(rig: TelegramRig, api: BotApi) -> None:
    async with listening(rig.channel()) as first:
        await until(lambda: bool(api.polls), 3, lambda: "never polled")
        other = TelegramRig(api)
        async with listening(other.channel()):
            with pytest.raises(Unreachable, match="another program") as caught:
                await asyncio.wait_for(asyncio.shield(first), 60)
    assert caught.value.remedy


async def test_a_webhook_that_was_left_behind_is_taken_away(rig: TelegramRig, api: BotApi) -> None:
    api.webhook = {"url": "https://old.example/hook"}
    await asyncio.sleep(0)
    async with listening(rig.channel()):
        api.say("Слышно?")
        await rig.door.wait_for()
    assert api.webhook["url"] == ""


async def test_malformed_updates_do_not_stop_the_line(rig: TelegramRig, api: BotApi) -> None:
    api.give({"update_id": api.next_update, "message": {"date": "вчера", "from": CLIENT}})
    api.give({"update_id": api.next_update + 1, "message": "нет"})
    api.next_update += 2
    api.say("Живы")
    async with listening(rig.channel()):
        touches = await rig.door.wait_for(3)
        await until(lambda: offset(rig) == "1003", 3, lambda: offset(rig))
    assert [bool(touch.remarks) for touch in touches].count(True) == 2
    assert "Живы" in {touch.text for touch in touches}


async def test_what_is_not_json_is_stepped_over_one_at_a_time(rig: TelegramRig, api: BotApi) -> None:
    spoilt = b'{"ok":true,"result":[{"update_id":1000,"message":{"text":"a' + b"\x01\n" + b'"}]}'
    api.garbage = [spoilt, spoilt]
    api.say("Первое испорчено")
    api.say("Второе", sender=OTHER)
    async with listening(rig.channel()):
        touches = await rig.door.wait_for(2)
        await until(lambda: offset(rig) == "1002", 3, lambda: offset(rig))
    assert [(touch.text, bool(touch.remarks)) for touch in touches] == [("", True), ("Второе", False)]
    assert touches[0].raw is not None and touches[0].raw.data == spoilt
    assert api.polls[1]["limit"] == "1"


async def test_a_server_that_speaks_something_else_is_named(rig: TelegramRig, api: BotApi) -> None:
    api.garbage = [b"<html>", b"<html>"]
    with pytest.raises(Unreachable, match="does not speak the Bot API"):
        await asyncio.wait_for(rig.channel().listen(), 60)


async def test_files_come_with_the_message(rig: TelegramRig, api: BotApi) -> None:
    photo = {**api.keep_file(b"\xff\xd8picture"), "width": 800, "height": 600}
    api.say(caption="Вот чек", photo=[photo])
    async with listening(rig.channel()):
        touch = (await rig.door.wait_for())[0]
    assert touch.text == "Вот чек"
    assert [(one.media_type, one.data) for one in touch.attachments] == [("image/jpeg", b"\xff\xd8picture")]


async def test_a_file_that_is_gone_is_a_remark(rig: TelegramRig, api: BotApi) -> None:
    api.say(caption="Вот", document={"file_id": "никогда", "file_unique_id": "U", "file_name": "a.pdf"})
    async with listening(rig.channel()):
        touch = (await rig.door.wait_for())[0]
    assert touch.text == "Вот" and touch.attachments == ()
    assert touch.remarks[0].startswith("the file a.pdf could not be fetched")


async def test_a_file_is_asked_for_again_when_the_server_stumbles(rig: TelegramRig, api: BotApi) -> None:
    api.refuse("file", 502, "Bad Gateway")
    api.say(document={**api.keep_file(b"%PDF"), "file_name": "a.pdf"})
    async with listening(rig.channel()):
        touch = (await rig.door.wait_for())[0]
    assert [one.data for one in touch.attachments] == [b"%PDF"]


async def test_a_file_that_grew_beyond_the_limit_is_a_remark(rig: TelegramRig, api: BotApi) -> None:
    kept = api.keep_file(b"x" * (20 * 1024 * 1024 + 1))
    api.say(document={**kept, "file_size": 5, "file_name": "a.mov"})
    async with listening(rig.channel()):
        touch = (await rig.door.wait_for())[0]
    assert "too big" in touch.remarks[0]


async def test_a_press_is_logged_and_then_answered(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    await channel.send(rig.message("Как мы?", "ref"))
    async with listening(channel):
        api.press(101, "rate:5")
        touch = (await rig.door.wait_for())[0]
        await until(lambda: bool(api.pressed), 3, lambda: "the button turns for ever")
    assert touch.fields == {"rating": 5} and touch.thread == Thread(answers=("55:101",))


async def test_an_answer_to_a_later_part_is_an_answer_to_the_message(rig: TelegramRig, api: BotApi) -> None:
    channel = rig.channel()
    sent = await channel.send(rig.message("слово " * 1000, "ref"))
    part = {"message_id": 102, "from": BOT, "chat": {"id": 55, "type": "private"}, "date": 1}
    async with listening(channel):
        api.say("А дальше?", reply_to_message=part)
        touch = (await rig.door.wait_for())[0]
    assert touch.thread == Thread(answers=("55:102", sent.external_id))


async def test_the_bot_is_addressed_by_the_name_that_telegram_tells(rig: TelegramRig, api: BotApi) -> None:
    group = {"id": -5, "type": "group", "title": "Дачники"}
    async with listening(rig.channel()):
        api.say("Болтаем", chat=group)
        api.say("@touchline_bot, сколько стоит?", chat=group)
        api.say("Личное")
        touches = await rig.door.wait_for(2)
    assert sorted(touch.text for touch in touches) == ["@touchline_bot, сколько стоит?", "Личное"]


async def test_no_error_tells_the_token(rig: TelegramRig, api: BotApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with pytest.raises(BadSettings) as caught:
        await rig.channel(wrong_credentials=True).listen()
    health = await rig.channel(wrong_credentials=True).check()
    told = f"{caught.value.reason} {caught.value.remedy} {health} {rig.settings()}"
    assert "4711:wrong" not in told and TOKEN not in told
    await rig.channel().check()
    assert TOKEN not in caplog.text


async def test_a_server_away_says_so_and_will_be_tried_again(rig: TelegramRig, api: BotApi) -> None:
    await api.stop()
    health = await rig.channel().check()
    assert (health.state, TOKEN in health.reason) == (LineState.WILL_RETRY, False)
    await api.start()
