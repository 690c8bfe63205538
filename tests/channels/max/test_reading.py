"""Updates as MAX documents them, read into touches."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.max import create, parse_again
from channels.max.parse import MEDIA_TYPE, Reading, read
from channels.touch import Automatic, Direction, Kind, Thread, Touch
from tests.channels.max.rig import MaxRig
from tests.channels.max.vendor import PAYLOADS, payload

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SENT_AT = datetime(2025, 11, 21, 9, tzinfo=UTC)


def reading(update: Any) -> Reading:
    return read(json.dumps(update).encode(), "max", NOW)


def touch_of(name: str) -> Touch:
    found = reading(payload(name)).touch
    assert found is not None
    return found


def test_every_payload_says_where_it_is_documented() -> None:
    sources = [json.loads(path.read_text(encoding="utf-8"))["source"] for path in PAYLOADS.iterdir()]
    assert len(sources) > 10 and all(one.startswith("https://dev.max.ru/") for one in sources)


def test_a_message() -> None:
    touch = touch_of("message_created")
    assert (touch.kind, touch.direction, touch.at) == (Kind.MESSAGE, Direction.INBOUND, SENT_AT)
    assert (touch.text, touch.language, str(touch.party[0])) == ("Сколько стоит доставка?", "ru", "max:10001")
    assert touch.party[0].name == "Иван Петров"
    assert touch.event_key == touch.external_id == "mid.0000000008a53b9b019c44bd612d33e0"


def test_an_answer_names_what_it_answers() -> None:
    assert touch_of("message_created_reply").thread == Thread(answers=("mid.1",))


def test_files_places_contacts() -> None:
    found = reading(payload("message_created_files"))
    assert [one.name for one in found.files][1:2] == ["Договор.pdf"]
    assert [one.media_type for one in found.files] == ["image/jpeg", "application/octet-stream", "audio/mp4"]
    touch = found.touch
    assert touch is not None
    assert touch.text.splitlines() == [
        "Посмотрите",
        "Перезвоните мне",
        "📍 59.938000, 30.314100",
        "☎ Иван Петров +79161234567",
        "Чайник https://shop.example/kettle",
    ]
    assert [str(one) for one in touch.party] == ["max:10001", "phone:+79161234567"]
    assert touch.fields == {"location": "59.938000, 30.314100"} and "data" in touch.remarks[0]


def test_somebody_elses_card_joins_nobody() -> None:
    touch = touch_of("message_created_contact")
    assert [str(one) for one in touch.party] == ["max:10001"]
    assert touch.fields == {"contact": "Ольга +78123258351"}


def test_what_was_passed_on() -> None:
    assert touch_of("message_created_forward").text == "» Им понравилось"


def test_an_edit_is_a_row_of_its_own() -> None:
    touch = touch_of("message_edited")
    assert (touch.phase, touch.external_id) == ("edited", touch_of("message_created").external_id)
    assert touch.event_key.startswith(f"{touch.external_id}:1763715660000:") and touch.text.endswith("в Тверь?")


def test_what_was_taken_back_stays_and_is_told() -> None:
    touch = touch_of("message_removed")
    assert (touch.kind, touch.automatic) == (Kind.NOTE, Automatic.AUTO_REPLY)
    assert touch.thread == Thread(answers=("mid.0000000008a53b9b019c44bd612d33e0",)) and touch.remarks


def test_a_pressed_button() -> None:
    found = reading(payload("message_callback"))
    touch = found.touch
    assert touch is not None and found.press == "f9LHodD0cOJZOniECmtvwY8"
    assert (touch.kind, touch.fields, touch.text) == (Kind.NOTE, {"rating": 5}, "Пять")
    assert (touch.external_id, touch.phase) == ("mid.6:pressed:10001", "pressed")


@pytest.mark.parametrize(("name", "stopped"), [("bot_stopped", True), ("bot_started", False)])
def test_permission(name: str, stopped: bool) -> None:
    touch = touch_of(name)
    assert (touch.kind, touch.fields, touch.automatic) == (Kind.NOTE, {"opted_out": stopped}, Automatic.AUTO_REPLY)
    assert touch.origin == ({} if stopped else {"ref": "autumn"})


def test_what_concerns_no_client_is_not_logged() -> None:
    assert reading(payload("dialog_removed")) == Reading()


def test_what_a_bot_says_is_not_logged() -> None:
    update = payload("message_created")
    update["message"]["sender"]["is_bot"] = True
    assert reading(update) == Reading()


def test_an_update_of_no_known_kind_is_kept() -> None:
    touch = touch_of("comment_created")
    assert touch.kind is Kind.NOTE and "comment_created" in touch.remarks[0]


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"not json", b"[]", b"7", b"{}", b"\xff\xfe", b"[" * 9999),
        b'{"update_type": "message_created"}',
        b'{"update_type": "message_created", "message": {"sender": {"user_id": "x"}, "body": {"mid": 7}}}',
    ],
)
def test_what_cannot_be_read_is_kept(raw: bytes) -> None:
    touch = read(raw, "max", NOW).touch
    assert touch is not None and touch.remarks and touch.raw is not None and touch.raw.data == raw


def test_what_was_kept_is_read_again(rig: MaxRig) -> None:
    first = touch_of("message_created")
    assert first.raw is not None and create("max", rig.settings(), rig.door.door())
    assert parse_again("max", rig.settings(), first.raw.data, MEDIA_TYPE, NOW) == first
    assert parse_again("max", rig.settings(), first.raw.data, "text/plain", NOW) is None
