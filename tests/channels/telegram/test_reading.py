"""Updates of every kind, and of no kind, as touches."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.buttons import read_button
from channels.optout import read_word
from channels.telegram import Settings, parse_again
from channels.telegram.commands import read_command
from channels.telegram.contents import MOST_BYTES
from channels.telegram.parse import MEDIA_TYPE, Ours, Reading, parse, read
from channels.touch import Automatic, Identity, Kind, Thread, Touch
from channels.untrusted import dump
from tests.peers.telegram import BOT, CLIENT

NOW = datetime(2026, 11, 21, 9, 0, 1, 500000, tzinfo=UTC)
SENT = int(datetime(2026, 11, 21, 8, tzinfo=UTC).timestamp())
PRIVATE = {"id": 55, "type": "private", "first_name": "Иван"}
GROUP = {"id": -100200, "type": "supergroup", "title": "Дачники"}
OURS = Ours("bot", 4711, "touchline_bot", "addressed")


def message(text: str | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"message_id": 7, "from": CLIENT, "chat": PRIVATE, "date": SENT}
    return {**made, **({"text": text} if text is not None else {}), **more}


def reading_of(kind: str, what: Any, ours: Ours = OURS, number: int = 1) -> Reading:
    update = {"update_id": number, kind: what}
    return parse(update, dump(update), ours, NOW)


def touch_of(what: Any, kind: str = "message", ours: Ours = OURS) -> Touch:
    touch = reading_of(kind, what, ours).touch
    assert touch is not None
    return touch


def test_a_text() -> None:
    touch = touch_of(message("Где заказ?"))
    assert touch.party == (Identity("telegram", "55", "Иван Петров"),)
    assert (touch.event_key, touch.external_id, touch.phase) == ("4711:55:7", "55:7", None)
    assert (touch.kind, touch.at.timestamp(), touch.language) == (Kind.MESSAGE, SENT, "ru")
    assert touch.origin == {"chat": 55, "chat_type": "private", "username": "ivan"}
    assert touch.raw is not None and json.loads(touch.raw.data)["message"]["text"] == "Где заказ?"
    assert (touch.automatic, touch.remarks, touch.thread) == (None, (), None)


def test_the_number_of_the_update_does_not_matter_to_the_key() -> None:
    one, two = (reading_of("message", message("Да"), number=number).touch for number in (1, 99))
    assert one is not None and two is not None and one.event_key == two.event_key


def test_what_came_just_now_is_told_by_our_clock() -> None:
    assert touch_of(message("Да", date=int(NOW.timestamp()))).at == NOW
    assert touch_of(message("Да", date=int(NOW.timestamp()) - 60)).at == NOW.replace(microsecond=0) - timedelta(
        minutes=1
    )


def test_an_edit_is_a_phase_of_the_same_message() -> None:
    first = touch_of(message("Где закас?", edit_date=SENT + 60), "edited_message")
    again = touch_of(message("Где закас?", edit_date=SENT + 60), "edited_message")
    later = touch_of(message("Где заказ?", edit_date=SENT + 60), "edited_message")
    assert (first.phase, first.external_id, first.at.timestamp()) == ("edited", "55:7", SENT + 60)
    assert first.event_key == again.event_key != later.event_key
    assert first.event_key != touch_of(message("Где закас?")).event_key


def test_of_somebody_who_walks_one_place_a_minute_is_kept() -> None:
    def place(after: int, latitude: float) -> str:
        where = {"latitude": latitude, "longitude": 30.3, "live_period": 900}
        return touch_of(message(location=where, edit_date=SENT + after), "edited_message").event_key

    assert place(0, 59.1) == place(59, 59.2) != place(60, 59.3)


def test_an_answer_names_the_message_that_it_answers() -> None:
    answered = {"message_id": 5, "from": BOT, "chat": PRIVATE, "date": SENT, "text": "Чем помочь?"}
    assert touch_of(message("Всем", reply_to_message=answered)).thread == Thread(answers=("55:5",))


def test_an_own_phone_joins_the_identities() -> None:
    contact = {"phone_number": "79161234567", "first_name": "Иван", "user_id": 55}
    touch = touch_of(message(contact=contact))
    assert [str(one) for one in touch.party] == ["telegram:55", "phone:+79161234567"]
    assert touch.fields["phone"] == "+79161234567"
    assert touch.text == "☎ Иван +79161234567"


@pytest.mark.parametrize("whose", [{"user_id": 56}, {}])
def test_the_phone_of_somebody_else_does_not(whose: dict[str, int]) -> None:
    contact = {"phone_number": "+48601234567", "first_name": "Ewa", "last_name": "Nowak", **whose}
    touch = touch_of(message(contact=contact))
    assert [one.scheme for one in touch.party] == ["telegram"]
    assert touch.fields == {"contact": "Ewa Nowak +48601234567"}


def test_a_phone_that_cannot_be_read_is_shown_and_joins_nothing() -> None:
    touch = touch_of(message(contact={"phone_number": "нет", "first_name": "Иван", "user_id": 55}))
    assert [one.scheme for one in touch.party] == ["telegram"]
    assert "нет" in touch.text


FILE = {"file_id": "F", "file_unique_id": "U", "file_size": 10}


@pytest.mark.parametrize(
    ("what", "names", "media_type"),
    [
        (
            {"photo": [{**FILE, "width": 90, "height": 90}, {**FILE, "width": 800, "height": 600}]},
            "photo-7.jpg",
            "image/jpeg",
        ),
        (
            {"document": {**FILE, "file_name": "Счёт.pdf", "mime_type": "application/pdf"}},
            "Счёт.pdf",
            "application/pdf",
        ),
        ({"document": FILE}, "document-7.bin", "application/octet-stream"),
        ({"voice": {**FILE, "duration": 3, "mime_type": "audio/ogg"}}, "voice-7.ogg", "audio/ogg"),
        ({"audio": {**FILE, "duration": 3}}, "audio-7.mp3", "audio/mpeg"),
        ({"video": {**FILE, "duration": 3, "width": 1, "height": 1}}, "video-7.mp4", "video/mp4"),
        ({"video_note": {**FILE, "duration": 3, "length": 240}}, "video_note-7.mp4", "video/mp4"),
        ({"animation": FILE, "document": FILE}, "animation-7.mp4", "video/mp4"),
        ({"sticker": {**FILE, "emoji": "👍"}}, "sticker-7.webp", "image/webp"),
        ({"sticker": {**FILE, "emoji": "👍", "is_animated": True}}, "animated-7.tgs", "application/x-tgsticker"),
    ],
)
def test_files_are_named(what: dict[str, Any], names: str, media_type: str) -> None:
    reading = reading_of("message", message(caption="Вот", **what))
    assert [(file.name, file.media_type) for file in reading.files] == [(names, media_type)]
    assert reading.touch is not None and reading.touch.text.startswith("Вот") and not reading.touch.remarks


def test_the_largest_picture_is_taken() -> None:
    sizes = [{**FILE, "file_id": str(width), "width": width, "height": width} for width in (90, 1280, 320)]
    assert [file.file_id for file in reading_of("message", message(photo=sizes)).files] == ["1280"]


def test_a_file_beyond_the_limit_is_a_remark() -> None:
    document = {**FILE, "file_name": "video.mov", "file_size": MOST_BYTES + 1}
    reading = reading_of("message", message(caption="Смотрите", document=document))
    assert reading.files == ()
    assert reading.touch is not None and reading.touch.text == "Смотрите"
    assert "video.mov" in reading.touch.remarks[0] and "20 MB" in reading.touch.remarks[0]


def test_places_are_written_out() -> None:
    place = {"latitude": 59.9343, "longitude": 30.3351}
    assert touch_of(message(location=place)).text == "📍 59.934300, 30.335100"
    venue = touch_of(message(location=place, venue={"location": place, "title": "Эрмитаж", "address": "Дворцовая, 2"}))
    assert venue.text == "Эрмитаж, Дворцовая, 2\n📍 59.934300, 30.335100"
    assert venue.fields["location"] == "59.934300, 30.335100"


def test_a_forwarded_message_says_whose_it_was() -> None:
    origin = {"type": "user", "date": SENT, "sender_user": {"id": 9, "is_bot": False, "first_name": "Ewa"}}
    assert touch_of(message("Цена 100", forward_origin=origin)).origin["forwarded_from"] == "Ewa"
    hidden = {"type": "hidden_user", "date": SENT, "sender_user_name": "Кто-то"}
    assert touch_of(message("Цена 100", forward_origin=hidden)).origin["forwarded_from"] == "Кто-то"


def test_what_cannot_be_shown_is_somebodys_message_all_the_same() -> None:
    touch = touch_of(message(story={"id": 1}))
    assert (touch.kind, touch.text, touch.automatic) == (Kind.MESSAGE, "", None)
    assert "story" in touch.remarks[0]


def test_what_telegram_tells_asks_for_no_answer() -> None:
    touch = touch_of(message(pinned_message=message("Да")))
    assert (touch.kind, touch.automatic) == (Kind.NOTE, Automatic.AUTO_REPLY)


def test_a_bot_is_no_human() -> None:
    assert touch_of(message("Я робот", **{"from": {**CLIENT, "is_bot": True}})).automatic is Automatic.AUTO_REPLY


@pytest.mark.parametrize("text", ["/stop", "/STOP", "/стоп", "/stop@touchline_bot", "/відписатися", "/wypisz"])
def test_a_command_opts_out(text: str) -> None:
    touch = touch_of(message(text))
    assert (touch.kind, touch.fields, touch.text) == (Kind.NOTE, {"opted_out": True}, text)


@pytest.mark.parametrize("text", ["STOP", "стоп", " Отписаться. ", "rezygnuję", "відписатися"])
def test_a_bare_word_opts_out_and_is_read_by_somebody(text: str) -> None:
    touch = touch_of(message(text))
    assert (touch.kind, touch.fields) == (Kind.MESSAGE, {"opted_out": True})


@pytest.mark.parametrize(
    "text", ["Стоп, а доставка?", "/stop@another_bot", "/help", "/", "stopwatch", "/stop it now please"]
)
def test_anything_longer_does_not(text: str) -> None:
    touch = touch_of(message(text))
    assert (touch.kind, touch.fields) == (Kind.MESSAGE, {})


def test_start_opts_in_and_brings_its_code() -> None:
    touch = touch_of(message("/start avito-17"))
    assert (touch.kind, touch.fields) == (Kind.NOTE, {"opted_out": False, "start": "avito-17"})


def test_words_alone() -> None:
    assert read_command("Стоп", "b") is None and read_word("нет") == {}
    assert read_button("rate:5") == {"rating": 5} and read_button("rate:11") == {"button": "rate:11"}
    assert read_button("stop") == {"opted_out": True} and read_button("да") == {"button": "да"}


def press(value: str, number: str = "q1") -> dict[str, Any]:
    keys = {"inline_keyboard": [[{"text": "★★★★★", "callback_data": "rate:5"}]]}
    ours = {"message_id": 9, "from": BOT, "chat": PRIVATE, "date": SENT, "text": "Как мы?", "reply_markup": keys}
    return {"id": number, "from": CLIENT, "chat_instance": "1", "data": value, "message": ours}


def test_a_pressed_button_is_a_rating_of_the_message_above_it() -> None:
    reading = reading_of("callback_query", press("rate:5"))
    touch = reading.touch
    assert touch is not None and reading.press == "q1"
    assert (touch.kind, touch.fields, touch.text) == (Kind.NOTE, {"rating": 5}, "★★★★★")
    assert touch.thread == Thread(answers=("55:9",)) and touch.external_id == "55:9:pressed:55"


def test_another_press_is_another_phase_of_the_same_rating() -> None:
    one, two = touch_of(press("rate:3", "q1"), "callback_query"), touch_of(press("rate:5", "q2"), "callback_query")
    assert one.external_id == two.external_id and one.event_key != two.event_key and one.phase == two.phase == "pressed"


def test_a_button_under_a_message_that_is_out_of_reach() -> None:
    query = press("rate:4")
    query["message"] = {"chat": PRIVATE, "message_id": 9, "date": 0}
    assert touch_of(query, "callback_query").fields == {"rating": 4}
    del query["message"]
    assert touch_of(query, "callback_query").thread is None


@pytest.mark.parametrize(("status", "blocked"), [("kicked", True), ("member", False)])
def test_who_blocks_the_bot_opts_out(status: str, blocked: bool) -> None:
    change = {"chat": PRIVATE, "from": CLIENT, "date": SENT, "new_chat_member": {"user": BOT, "status": status}}
    touch = touch_of(change, "my_chat_member")
    assert (touch.kind, touch.fields, touch.automatic) == (Kind.NOTE, {"opted_out": blocked}, Automatic.AUTO_REPLY)


def test_what_groups_do_with_the_bot_concerns_no_client() -> None:
    change = {"chat": GROUP, "from": CLIENT, "date": SENT, "new_chat_member": {"user": BOT, "status": "member"}}
    assert reading_of("my_chat_member", change).touch is None
    assert (
        reading_of("message", message(chat=GROUP, new_chat_members=[BOT]), Ours("bot", 4711, groups="all")).touch
        is None
    )


@pytest.mark.parametrize(
    ("what", "heard"),
    [
        ({"text": "Болтаем"}, False),
        ({"text": "@Touchline_Bot, сколько стоит?"}, True),
        ({"text": "Спасибо", "reply_to_message": {"message_id": 5, "from": BOT}}, True),
        ({"text": "/stop"}, True),
        ({"text": "/stop@another_bot"}, False),
        ({"caption": "Вот, @touchline_bot", "photo": [FILE]}, True),
    ],
)
def test_in_a_group_the_bot_hears_what_is_said_to_it(what: dict[str, Any], heard: bool) -> None:
    touch = reading_of("message", message(chat=GROUP, **what)).touch
    assert (touch is not None) is heard
    if touch is not None:
        assert touch.party[0].value == "55"
        assert touch.external_id == "-100200:7" and touch.origin["chat_title"] == "Дачники"


def test_a_line_may_hear_all_of_a_group_or_nothing() -> None:
    chatter = message("Болтаем", chat=GROUP)
    assert reading_of("message", chatter, Ours("bot", 4711, "b", "all")).touch is not None
    said = message("@touchline_bot?", chat=GROUP)
    assert reading_of("message", said, Ours("bot", 4711, "touchline_bot", "ignored")).touch is None


def test_our_own_words_do_not_come_back() -> None:
    assert reading_of("message", message("Эхо", **{"from": BOT})).touch is None


def test_an_unknown_kind_is_kept_raw() -> None:
    touch = touch_of({"user": CLIENT, "from": CLIENT, "chat": PRIVATE}, "message_reaction")
    assert (touch.kind, touch.automatic) == (Kind.NOTE, Automatic.AUTO_REPLY)
    assert "message_reaction" in touch.remarks[0] and touch.party[0].value == "55"
    assert touch.raw is not None


MALFORMED: list[Any] = [
    {},
    {"update_id": 1},
    {"update_id": 1, "message": "text"},
    {"update_id": 1, "message": {}},
    {"update_id": 1, "message": message("x", chat={"id": "fifty-five", "type": "private"})},
    {"update_id": 1, "message": message("x", message_id=True)},
    {"update_id": 1, "message": message("x", date=10**30)},
    {"update_id": 1, "message": message("x", date=10**15)},
    {"update_id": 1, "message": message("x", date=-(10**12))},
    {"update_id": 1, "message": {**message(), "text": ["x"]}},
    {"update_id": 1, "message": message(photo=[])},
    {"update_id": 1, "message": message(document={"file_id": 5})},
    {"update_id": 1, "message": message(location={"latitude": "north"})},
    {"update_id": 1, "message": message("x", **{"from": {"first_name": "Иван"}})},
    {"update_id": "1", "callback_query": {"id": 5}},
    {"update_id": 2**80, "my_chat_member": []},
    [],
    None,
    "update",
    7,
]


@pytest.mark.parametrize("update", MALFORMED, ids=str)
def test_malformed_updates_are_kept_as_somebodys_message(update: Any) -> None:
    touch = parse(update, dump(update), OURS, NOW).touch
    assert touch is not None
    assert touch.remarks and touch.raw is not None and touch.raw.data == dump(update)
    assert touch.event_key.startswith("4711:") and touch.at == NOW


def test_who_wrote_what_cannot_be_read_is_known_all_the_same() -> None:
    update = {"update_id": 1, "message": message("x", date="вчера")}
    touch = parse(update, dump(update), OURS, NOW).touch
    assert touch is not None and touch.party == (Identity("telegram", "55", "Иван Петров"),)


def test_nothing_that_a_database_refuses_comes_through() -> None:
    raw = json.dumps({"update_id": 1, "message": message("a\0б\ud800в")}).encode()
    touch = read(raw, OURS, NOW).touch
    assert touch is not None and touch.text == "aб?в"


def test_bytes_that_are_not_json_are_kept() -> None:
    for raw in (b"", b"\xff\xfe", b"[" * 100_000):
        touch = read(raw, OURS, NOW).touch
        assert touch is not None and touch.remarks == ("this update is not JSON",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    (
        *("from", "chat", "date", "edit_date", "message_id", "text", "photo", "document", "contact", "sticker"),
        *("reply_to_message", "forward_origin", "location", "media_group_id", "message", "data", "id", "venue"),
        *("new_chat_member",),
    )
)


@given(
    kind=st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "poll"]),
    spoilt=st.dictionaries(KEYS, JSON, max_size=4),
)
def test_nothing_makes_the_parser_raise(kind: str, spoilt: dict[str, Any]) -> None:
    update = {"update_id": 3, kind: {**message("Да"), **press("rate:1"), **spoilt}}
    touch = parse(update, dump(update), OURS, NOW).touch
    if touch is not None:
        assert touch.event_key and "\0" not in touch.text and touch.at.tzinfo is not None


def test_kept_bytes_are_read_again_to_the_same_touch() -> None:
    settings = Settings.model_validate({"token": "4711:test"})
    first = touch_of(message("Где заказ?"))
    assert first.raw is not None
    again = parse_again("bot", settings, first.raw.data, MEDIA_TYPE, first.at)
    assert again == first
    assert parse_again("bot", settings, b"", "message/rfc822", NOW) is None
