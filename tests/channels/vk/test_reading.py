"""Events as VK documents them, read into touches and receipts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.touch import Automatic, Direction, Kind, ReceiptState, Thread, Touch
from channels.vk import create, parse_again
from channels.vk.parse import MEDIA_TYPE, Reading, read
from tests.channels.vk.rig import VkRig
from tests.channels.vk.vendor import PAYLOADS, SECRET, payload

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SENT_AT = datetime(2025, 11, 21, 9, tzinfo=UTC)


def reading(event: Any) -> Reading:
    return read(event, "vk", NOW)


def touch_of(name: str) -> Touch:
    found = reading(payload(name)).touch
    assert found is not None
    return found


def test_every_payload_says_where_it_is_documented() -> None:
    sources = [json.loads(path.read_text(encoding="utf-8"))["source"] for path in PAYLOADS.iterdir()]
    assert len(sources) > 10 and all(one.startswith("https://dev.vk.com/") for one in sources)


def test_a_message() -> None:
    touch = touch_of("message_new")
    assert (touch.kind, touch.direction, touch.at) == (Kind.MESSAGE, Direction.INBOUND, SENT_AT)
    assert (touch.text, [str(one) for one in touch.party]) == ("Сколько стоит доставка?", ["vk:612444319"])
    assert (touch.event_key, touch.external_id) == ("612444319:41", "612444319:41")
    assert touch.origin == {"ref": "autumn", "ref_source": "ads"}
    assert touch.raw is not None and SECRET.encode() not in touch.raw.data


def test_old_versions_of_the_api_wrap_nothing() -> None:
    event = payload("message_new")
    old = reading({**event, "object": event["object"]["message"]}).touch
    assert old is not None and replace(old, raw=None) == replace(touch_of("message_new"), raw=None)


def test_an_answer_names_what_it_answers() -> None:
    assert touch_of("message_new_reply").thread == Thread(answers=("612444319:40",))


def test_files_places_and_what_others_said() -> None:
    found = reading(payload("message_new_files"))
    assert [(one.name, one.media_type) for one in found.files] == [
        ("photo-457239017.jpg", "image/jpeg"),
        ("Договор.pdf", "application/pdf"),
        ("voice-668.ogg", "audio/ogg"),
        ("sticker-9008.png", "image/png"),
    ]
    assert found.files[0].url.endswith("w.jpg") and found.files[3].url.endswith("128")
    touch = found.touch
    assert touch is not None
    assert touch.text.splitlines() == [
        "Посмотрите",
        "Перезвоните мне",
        "Поломка https://vk.com/video612444319_456239018",
        "Чайник https://shop.example/kettle",
        "Санкт-Петербург",
        "📍 59.938000, 30.314100",
        "» Им понравилось",
    ]
    assert touch.fields == {"location": "59.938000, 30.314100"}
    assert "money_transfer" in touch.remarks[0]


def test_a_pressed_button() -> None:
    touch = touch_of("message_new_button")
    assert (touch.kind, touch.fields) == (Kind.NOTE, {"rating": 5})


def test_a_button_that_says_nothing_is_heard_too() -> None:
    touch = touch_of("message_event")
    assert (touch.kind, touch.fields, touch.event_key) == (Kind.NOTE, {"rating": 4}, "press:feleyinek")
    assert touch.thread == Thread(answers=("612444319:40",)) and str(touch.party[0]) == "vk:612444319"


def test_what_vk_itself_tells_of_a_talk_of_many_is_no_question() -> None:
    event = payload("message_new")
    event["object"]["message"] |= {"text": "", "action": {"type": "chat_invite_user", "member_id": -214167102}}
    touch = reading(event).touch
    assert touch is not None and (touch.kind, touch.remarks) == (Kind.NOTE, ("told by VK: chat_invite_user",))


def test_the_button_with_which_everybody_begins_is_no_question() -> None:
    event = payload("message_new")
    event["object"]["message"] |= {"text": "Начать", "payload": '{"command":"start"}'}
    assert reading(event).touch is not None and reading(event).touch.kind is Kind.NOTE  # type: ignore[union-attr]


def test_an_edit_is_a_row_of_its_own() -> None:
    touch = touch_of("message_edit")
    assert (touch.phase, touch.external_id) == ("edited", "612444319:41")
    assert touch.event_key.startswith("612444319:41:1763715660:") and touch.text.endswith("в Тверь?")


def test_what_a_person_of_ours_wrote_in_vk_is_an_answer() -> None:
    touch = touch_of("message_reply")
    assert (touch.direction, touch.text, str(touch.party[0])) == (Direction.OUTBOUND, "Бесплатно", "vk:612444319")


def test_what_programs_of_ours_sent_is_known_already() -> None:
    event = payload("message_reply")
    del event["object"]["admin_author_id"]
    assert reading(event) == Reading()


@pytest.mark.parametrize(("name", "refused"), [("message_deny", True), ("message_allow", False)])
def test_permission(name: str, refused: bool) -> None:
    touch = touch_of(name)
    assert (touch.kind, touch.fields, touch.automatic) == (Kind.NOTE, {"opted_out": refused}, Automatic.AUTO_REPLY)


def test_stop_in_words() -> None:
    event = payload("message_new")
    event["object"]["message"]["text"] = "СТОП"
    assert reading(event).touch.fields == {"opted_out": True}  # type: ignore[union-attr]


def test_what_was_read() -> None:
    receipt = reading(payload("message_read")).receipt
    assert receipt is not None and (receipt.external_id, receipt.state) == ("612444319:45", ReceiptState.READ)


@pytest.mark.parametrize("name", ["message_typing_state", "wall_post_new"])
def test_what_concerns_no_client_is_not_logged(name: str) -> None:
    assert reading(payload(name)) == Reading()


def test_a_message_event_of_no_known_kind_is_kept() -> None:
    touch = reading({**payload("message_allow"), "type": "message_miracle"}).touch
    assert touch is not None and touch.kind is Kind.NOTE and "message_miracle" in touch.remarks[0]


@pytest.mark.parametrize(
    "change", [{"object": None}, {"object": {"message": {"text": 7}}}, {"type": 7}, {"object": {"message": []}}]
)
def test_what_cannot_be_read_is_kept(change: dict[str, Any]) -> None:
    touch = reading({**payload("message_new"), **change}).touch
    assert touch is not None and touch.remarks and touch.raw is not None and SECRET.encode() not in touch.raw.data


def test_what_was_kept_is_read_again(rig: VkRig) -> None:
    first = touch_of("message_new")
    assert first.raw is not None and create("vk", rig.settings(), rig.door.door())
    assert parse_again("vk", rig.settings(), first.raw.data, MEDIA_TYPE, NOW) == first
    assert parse_again("vk", rig.settings(), b"?", MEDIA_TYPE, NOW) is None
    assert parse_again("vk", rig.settings(), first.raw.data, "text/plain", NOW) is None
