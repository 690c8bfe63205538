"""Every documented kind of message, status and change, as touches and receipts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.touch import Automatic, Direction, Kind, ReceiptState, Thread, Touch
from channels.whatsapp import FREE_TEXT, Settings, parse_again
from channels.whatsapp.contents import Wanted
from channels.whatsapp.parse import MEDIA_TYPE, Batch, Reading, read
from tests.channels.whatsapp.rig import PAYLOADS, payload
from tests.house.source import ROOT
from tests.peers.whatsapp import NUMBER_ID

NOW = datetime(2025, 11, 21, 12, tzinfo=UTC)
SETTINGS = Settings.model_validate({"token": "t", "secret": "s", "verify_token": "v", "phone_number_id": NUMBER_ID})


def batch_of(body: Any) -> Batch:
    return read(body if isinstance(body, bytes) else json.dumps(body).encode(), "wa", NUMBER_ID, NOW)


def reading(name: str) -> Reading:
    found = batch_of(payload(name))
    assert len(found.readings) == 1 and not found.receipts
    return found.readings[0]


def touch_of(name: str) -> Touch:
    return reading(name).touch


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_every_payload_says_from_which_page_it_is(path: Any) -> None:
    source = json.loads(path.read_text("utf-8"))["source"]
    assert source.startswith("https://developers.facebook.com/documentation/business-messaging/whatsapp/")


def test_a_text_says_who_wrote_when_and_what() -> None:
    touch = touch_of("text")
    assert touch.text == "Здравствуйте, сколько стоит доставка?" and touch.kind is Kind.MESSAGE
    assert [str(one) for one in touch.party] == [
        "whatsapp:79161234567",
        "whatsapp:RU.13491208655302741918",
        "phone:+79161234567",
    ]
    assert {one.name for one in touch.party} == {"Иван Петров"}
    assert touch.at == datetime.fromtimestamp(1763715600, UTC)
    assert touch.event_key == touch.external_id and touch.external_id is not None
    assert touch.external_id.startswith("wamid.")


def test_somebody_who_hides_his_number_is_known_by_his_id() -> None:
    touch = touch_of("text_without_number")
    assert [str(one) for one in touch.party] == ["whatsapp:PL.99887766554433221100"]
    assert touch.party[0].name == "Sheena" and touch.origin == {"username": "@sheena"}


def test_an_answer_refers_to_what_it_answers() -> None:
    assert touch_of("text_reply").thread == Thread(answers=("wamid.HBgLOUR0001",))
    assert touch_of("text").thread is None


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("text_forwarded", {"forwarded": True}),
        ("text_about_product", {"product": "di9ozbzfi4"}),
        (
            "text_from_advertisement",
            {
                "referrer": "https://fb.me/3cr4Wqqkv",
                "advertisement": "Окна за неделю",
                "advertisement_id": "120226305854810726",
            },
        ),
    ],
)
def test_where_a_text_came_from(name: str, origin: dict[str, Any]) -> None:
    assert touch_of(name).origin == origin


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("image", "Вот такой кран", Wanted("1003383421387256", "image-21387256.jpg", "image/jpeg")),
        ("video", "Течёт", Wanted("1003383421387257", "video-21387257.mp4", "video/mp4")),
        ("voice", "", Wanted("1003383421387258", "voice-21387258.ogg", "audio/ogg")),
        ("audio", "", Wanted("1003383421387259", "audio-21387259.mp3", "audio/mpeg")),
        ("document", "Счёт", Wanted("1003383421387260", "Счёт 4711.pdf", "application/pdf")),
        ("sticker", "", Wanted("1003383421387261", "sticker-21387261.webp", "image/webp")),
    ],
)
def test_files_are_named_and_their_captions_read(name: str, text: str, wanted: Wanted) -> None:
    found = reading(name)
    assert (found.touch.text, found.files, found.touch.remarks) == (text, (wanted,), ())


@pytest.mark.parametrize(
    ("name", "kind", "text", "fields"),
    [
        (
            "location",
            Kind.MESSAGE,
            "Контора, Невский проспект, 1\n📍 59.936491, 30.314963",
            {"location": "59.936491, 30.314963"},
        ),
        (
            "contacts",
            Kind.MESSAGE,
            "☎ Мария Орлова +7 921 765-43-21 maria@example.org",
            {"contact": "Мария Орлова +7 921 765-43-21 maria@example.org"},
        ),
        ("button", Kind.MESSAGE, "Перезвоните мне", {"button": "CALL_ME"}),
        ("interactive_button_reply", Kind.NOTE, "5 ★", {"rating": 5}),
        ("interactive_list_reply", Kind.MESSAGE, "Курьером\nЗавтра, с 10 до 18", {"button": "courier"}),
        ("interactive_flow", Kind.MESSAGE, "Sent\nsize: 80x120\nfloor: 4", {"size": "80x120", "floor": 4}),
        ("reaction", Kind.NOTE, "👍", {}),
        ("reaction_removed", Kind.NOTE, "", {}),
        (
            "order",
            Kind.MESSAGE,
            "Привезите к вечеру\n🛒 di9ozbzfi4 × 2, 1490.5 RUB\n🛒 nqryix03ez × 1, 300 RUB",
            {"order": "194836987003835"},
        ),
        ("edit", Kind.MESSAGE, "Здравствуйте, где мой заказ 4711?", {}),
        ("edit_caption", Kind.MESSAGE, "Вот такой кран нужен", {}),
        ("revoke", Kind.NOTE, "", {}),
        ("contact_requested", Kind.MESSAGE, "☎ +79161234567", {"phone": "+79161234567"}),
        ("request_welcome", Kind.NOTE, "", {}),
        ("interactive_call_permission", Kind.NOTE, "", {}),
        ("interactive_product", Kind.MESSAGE, "🛒 di9ozbzfi4", {}),
        ("unsupported", Kind.MESSAGE, "", {}),
        ("unknown_type", Kind.MESSAGE, "", {}),
    ],
)
def test_every_kind_is_shown(name: str, kind: Kind, text: str, fields: dict[str, Any]) -> None:
    touch = touch_of(name)
    assert (touch.kind, touch.text, dict(touch.fields)) == (kind, text, fields)
    assert not any("could not be read" in remark for remark in touch.remarks)


def test_an_edit_is_one_more_row_of_its_message_and_its_file_is_here_already() -> None:
    edit, first = touch_of("edit"), touch_of("edit_caption")
    assert (edit.phase, edit.external_id) == ("edited", "wamid.HBgLNzkxNjEyMzQ1NjcVAgASGBQ0001")
    assert edit.event_key not in (edit.external_id, first.event_key)
    assert reading("edit_caption").files == ()


def test_a_deletion_is_a_note_about_what_was_said() -> None:
    touch = touch_of("revoke")
    assert touch.thread == Thread(answers=("wamid.HBgLNzkxNjEyMzQ1NjcVAgASGBQ0001",))
    assert (touch.automatic, touch.remarks) == (Automatic.AUTO_REPLY, ("deleted in WhatsApp",))


def test_a_deletion_in_the_business_app_is_no_answer() -> None:
    body = payload("message_echo")
    echo = body["entry"][0]["changes"][0]["value"]["message_echoes"][0]
    echo |= {"type": "revoke", "revoke": {"original_message_id": "wamid.HBgLOUR0007"}}
    touch = batch_of(body).readings[0].touch
    assert (touch.kind, touch.direction, touch.automatic) == (Kind.NOTE, Direction.OUTBOUND, Automatic.OWN)


def test_a_number_that_we_asked_for_is_his_own() -> None:
    asked, unasked = touch_of("contact_requested"), payload("contact_requested")
    assert [str(one) for one in asked.party] == ["whatsapp:RU.13491208655302741918", "phone:+79161234567"]
    unasked["entry"][0]["changes"][0]["value"]["messages"][0]["origin"] = "other"
    assert [str(one) for one in batch_of(unasked).readings[0].touch.party] == ["whatsapp:RU.13491208655302741918"]


def test_others_contacts_join_nobody() -> None:
    assert [str(one) for one in touch_of("contacts").party if "7654321" in one.value] == []


def test_a_reaction_is_about_its_message() -> None:
    assert touch_of("reaction").thread == Thread(answers=("wamid.HBgLOUR0007",))
    assert touch_of("reaction").event_key != touch_of("reaction_removed").event_key


def test_what_whatsapp_does_not_hand_out_is_said() -> None:
    first, second = touch_of("unsupported").remarks
    assert "poll_creation" in first and "131051" in second
    assert "hologram" in touch_of("unknown_type").remarks[0]


def test_a_new_number_is_the_same_person() -> None:
    touch = touch_of("system_number_changed")
    assert touch.kind is Kind.NOTE and touch.automatic is Automatic.AUTO_REPLY
    values = [one.value for one in touch.party]
    assert "79161234567" in values and "79217654321" in values and "+79217654321" in values


def test_a_new_id_is_the_same_person() -> None:
    values = [one.value for one in touch_of("system_user_id_changed").party]
    assert values == ["RU.13491208655302741918", "RU.20000000000000000001"]


def test_marketing_that_is_switched_off_is_an_opt_out_of_marketing() -> None:
    touch = touch_of("user_preferences")
    assert (touch.kind, touch.automatic) == (Kind.NOTE, Automatic.AUTO_REPLY)
    assert touch.fields == {"opted_out": True, "opted_out_of": "marketing"}
    assert touch.remarks == ("User requested to stop marketing messages",)


def test_metas_own_button_under_marketing_stops_marketing() -> None:
    body = payload("button")
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    message["button"] = {"payload": "Stop promotions", "text": "Stop promotions"}
    touch = batch_of(body).readings[0].touch
    assert touch.kind is Kind.NOTE and touch.fields == {"opted_out": True, "opted_out_of": "marketing"}


def test_what_is_answered_in_the_app_is_an_answer_of_ours() -> None:
    touch = touch_of("message_echo")
    assert (touch.kind, touch.direction, touch.text) == (Kind.MESSAGE, Direction.OUTBOUND, "Уже едет")
    assert [str(one) for one in touch.party] == ["whatsapp:79161234567", "phone:+79161234567"]


def test_a_bare_stop_is_one_and_stays_a_message() -> None:
    body = payload("text")
    body["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] = "СТОП"
    touch = batch_of(body).readings[0].touch
    assert (touch.kind, touch.fields) == (Kind.MESSAGE, {"opted_out": True})


def test_a_batch_is_read_whole_and_everybody_has_his_own_name() -> None:
    found = batch_of(payload("batch"))
    assert [(one.touch.text, one.touch.party[0].name) for one in found.readings] == [
        ("Раз", "Иван Петров"),
        ("Два", "Ольга"),
        ("Три", "Иван Петров"),
    ]
    assert [one.external_id for one in found.receipts] == ["wamid.HBgLOUR0008"]


@pytest.mark.parametrize(
    ("name", "state", "permanent"),
    [
        ("status_sent", ReceiptState.SENT, True),
        ("status_delivered", ReceiptState.DELIVERED, True),
        ("status_read", ReceiptState.READ, True),
        ("status_played", ReceiptState.READ, True),
        ("status_failed", ReceiptState.FAILED, True),
        ("status_failed_for_now", ReceiptState.FAILED, False),
    ],
)
def test_statuses_are_receipts(name: str, state: ReceiptState, permanent: bool) -> None:
    found = batch_of(payload(name))
    assert found.readings == []
    (receipt,) = found.receipts
    assert (receipt.external_id, receipt.state, receipt.permanent) == ("wamid.HBgLOUR0009", state, permanent)
    assert receipt.recipient == "whatsapp:79161234567" and receipt.at == datetime.fromtimestamp(1763715605, UTC)
    if state is ReceiptState.FAILED:
        assert receipt.reason is not None and receipt.reason.startswith("1310")
    else:
        assert receipt.reason is None


def test_what_is_for_another_number_is_not_taken() -> None:
    found = batch_of(payload("another_number"))
    assert (found.readings, found.strangers) == ([], ["999999999999999"])


@pytest.mark.parametrize(("name", "told"), [("account_update", "account_update"), ("errors", "130429 Rate limit hit")])
def test_what_concerns_the_account_is_told(name: str, told: str) -> None:
    found = batch_of(payload(name))
    assert (found.readings, found.receipts) == ([], []) and found.told[0].startswith(told)


@pytest.mark.parametrize(
    "message",
    [
        7,
        {},
        {"id": "wamid.X"},
        {"id": "wamid.X", "from": "79161234567", "type": "text", "timestamp": "вчера", "text": {"body": "?"}},
        {"id": "wamid.X", "from": "79161234567", "type": "text", "timestamp": "1763715600", "text": "?"},
        {"id": "wamid.X", "from": "79161234567", "type": "text", "timestamp": "9" * 40, "text": {"body": "?"}},
        {"id": "wamid.X", "from": "79161234567", "type": "image", "timestamp": "1763715600", "image": {}},
    ],
)
def test_a_malformed_message_sinks_no_other(message: Any) -> None:
    body = payload("text")
    messages = body["entry"][0]["changes"][0]["value"]["messages"]
    messages.insert(0, message)
    bad, good = (one.touch for one in batch_of(body).readings)
    assert bad.remarks[0].startswith("this message could not be read") and bad.raw is not None
    assert good.text == "Здравствуйте, сколько стоит доставка?"
    if isinstance(message, dict) and "from" in message:
        assert str(bad.party[0]) == "whatsapp:79161234567" and bad.event_key == "wamid.X"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"no json", b"[]", b"7", b"{}", b'{"entry":7}', b'{"entry":[7]}'])
def test_a_body_that_is_none_is_kept(body: bytes) -> None:
    (one,) = batch_of(body).readings
    assert one.touch.raw is not None and one.touch.raw.data == body and one.touch.remarks


def test_a_status_that_cannot_be_read_is_told() -> None:
    body = payload("status_read")
    body["entry"][0]["changes"][0]["value"]["statuses"].insert(0, {"status": "read"})
    found = batch_of(body)
    assert len(found.receipts) == 1 and found.told == ["a status that could not be read: KeyError"]


def test_huge_and_broken_texts_are_taken() -> None:
    body = payload("text")
    body["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] = "а\0б\ud800" + "в" * 100_000
    touch = batch_of(json.dumps(body).encode()).readings[0].touch
    assert touch.text.startswith("аб?в") and len(touch.text) == 100_003


@pytest.mark.parametrize("name", ["text", "image", "order", "user_preferences", "text_without_number", "message_echo"])
def test_what_was_kept_is_read_again(name: str) -> None:
    touch = touch_of(name)
    assert touch.raw is not None
    assert parse_again("wa", SETTINGS, touch.raw.data, MEDIA_TYPE, NOW) == touch
    assert parse_again("wa", SETTINGS, touch.raw.data, "text/plain", NOW) is None
    assert parse_again("wa", SETTINGS, b"?", MEDIA_TYPE, NOW) is None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["entry", "changes", "value", "messages", "type", "text", "id", "field"]), inner), max_leaves=8))  # fmt: skip  # noqa: E501
def test_nothing_that_is_json_breaks_it(body: Any) -> None:
    batch_of(json.dumps(body).encode())


def test_free_text_may_be_sent_for_a_day() -> None:
    assert timedelta(hours=24) == FREE_TEXT


def test_every_key_is_in_the_readme() -> None:
    text = (ROOT / "channels" / "whatsapp" / "README.md").read_text("utf-8")
    assert [key for key in Settings.model_fields if f"| `{key}` |" not in text] == []
