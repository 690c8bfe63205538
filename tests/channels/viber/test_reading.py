"""Every documented callback, as touches and receipts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.contents import Linked
from channels.touch import Automatic, Kind, ReceiptState, Touch
from channels.viber import Settings, parse_again
from channels.viber.parse import MEDIA_TYPE, Reading, read
from tests.channels.viber.rig import PAYLOADS, payload
from tests.house.source import ROOT

NOW = datetime(2025, 11, 21, 12, tzinfo=UTC)
AT = datetime.fromtimestamp(1763715600.627, UTC)


def reading_of(event: Any) -> Reading:
    return read(event if isinstance(event, bytes) else json.dumps(event).encode(), "vb", NOW)


def touch_of(name: str) -> Touch:
    touch = reading_of(payload(name)).touch
    assert touch is not None
    return touch


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_every_payload_says_from_which_page_it_is(path: Any) -> None:
    source = json.loads(path.read_text("utf-8"))["source"]
    assert source.startswith("https://developers.viber.com/docs/api/rest-bot-api/#")


def test_a_text_says_who_wrote_when_and_what() -> None:
    touch = touch_of("text")
    assert touch.text == "Доброго дня, скільки коштує доставка?" and touch.kind is Kind.MESSAGE
    assert [(str(one), one.name) for one in touch.party] == [("viber:01234567890A=", "Иван Петров")]
    assert (touch.at, touch.language) == (AT, "uk")
    assert touch.event_key == touch.external_id == str(payload("text")["message_token"])
    assert touch.origin == {"tracking_data": "ref-of-ours"} and touch.thread is None


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("picture", "Ось такий кран", ("picture-", ".jpg", "image/jpeg")),
        ("video", "", ("video-", ".mp4", "video/mp4")),
        ("file", "", ("Рахунок 4711", ".pdf", "application/pdf")),
    ],
)
def test_files_are_named_and_their_captions_read(name: str, text: str, wanted: tuple[str, str, str]) -> None:
    found = reading_of(payload(name))
    assert found.touch is not None and found.touch.text == text
    (file,) = found.files
    assert isinstance(file, Linked) and file.url == payload(name)["message"]["media"]
    assert file.name.startswith(wanted[0]) and file.name.endswith(wanted[1]) and file.media_type == wanted[2]


def test_a_file_that_is_too_large_is_a_remark() -> None:
    found = reading_of(payload("file_too_large"))
    assert found.files == () and found.touch is not None and "кіно.mov (25 MB)" in found.touch.remarks[0]


@pytest.mark.parametrize(
    ("name", "kind", "text", "fields"),
    [
        ("sticker", Kind.MESSAGE, "🖼", {"sticker": "46105"}),
        ("location", Kind.MESSAGE, "📍 50.450001, 30.523333", {"location": "50.450001, 30.523333"}),
        ("url", Kind.MESSAGE, "https://example.com/krany/4711", {}),
        ("contact_own", Kind.MESSAGE, "☎ Иван Петров +380671234567", {"phone": "+380671234567"}),
        ("contact_of_somebody", Kind.MESSAGE, "☎ Ольга +380501112233", {"contact": "Ольга +380501112233"}),
        ("contact_forged", Kind.MESSAGE, "☎ Иван Петров +380501112233", {"contact": "Иван Петров +380501112233"}),
        ("pressed", Kind.NOTE, "5", {"rating": 5}),
    ],
)
def test_every_kind_is_shown(name: str, kind: Kind, text: str, fields: dict[str, Any]) -> None:
    touch = touch_of(name)
    assert (touch.kind, touch.text, dict(touch.fields), touch.remarks) == (kind, text, fields, ())


def test_only_an_own_number_joins() -> None:
    assert [str(one) for one in touch_of("contact_own").party] == ["viber:01234567890A=", "phone:+380671234567"]
    for name in ("contact_of_somebody", "contact_forged"):
        assert [one.scheme for one in touch_of(name).party] == ["viber"]


def test_a_kind_that_is_not_known_is_said() -> None:
    assert touch_of("unknown_type").remarks == ("a message of a kind that is not read: hologram",)


@pytest.mark.parametrize(("name", "out"), [("subscribed", False), ("unsubscribed", True)])
def test_who_subscribes_or_goes_is_noted(name: str, out: bool) -> None:
    touch = touch_of(name)
    assert (touch.kind, touch.fields, touch.automatic) == (Kind.NOTE, {"opted_out": out}, Automatic.AUTO_REPLY)
    assert str(touch.party[0]) == "viber:01234567890A="


def test_who_only_opens_the_chat_is_greeted_and_not_noted() -> None:
    found = reading_of(payload("conversation_started"))
    assert (found.touch, found.welcome) == (None, True)


def test_a_link_that_tells_something_is_noted() -> None:
    touch = touch_of("conversation_started_by_link")
    assert (touch.kind, touch.fields, touch.automatic) == (Kind.NOTE, {"start": "promo-11"}, Automatic.AUTO_REPLY)


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("delivered", ReceiptState.DELIVERED, None),
        ("seen", ReceiptState.READ, None),
        ("failed", ReceiptState.FAILED, "failure description"),
    ],
)
def test_reports_are_receipts(name: str, state: ReceiptState, reason: str | None) -> None:
    found = reading_of(payload(name))
    assert found.touch is None and found.receipt is not None
    assert found.receipt.external_id == str(payload(name)["message_token"])
    assert (found.receipt.state, found.receipt.reason, found.receipt.at) == (state, reason, AT)
    assert found.receipt.recipient == "viber:01234567890A="


def test_a_trial_call_is_nothing() -> None:
    assert reading_of(payload("webhook")) == Reading()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff\xfe", b"no json", b"[]", b"7", b"{}", b'{"event":7}', b'{"event":"message"}'),
        b'{"event":"message","sender":{"id":7},"message":{"type":"text"},"message_token":1,"timestamp":1}',
        b'{"event":"message","sender":{"id":"A="},"message":7,"message_token":1,"timestamp":1}',
        b'{"event":"message","sender":{"id":"A="},"message":{"type":"text"},"message_token":1,"timestamp":"x"}',
        b'{"event":"message","sender":{"id":"A="},"message":{"type":"text"},"message_token":1,"timestamp":9e99}',
        b'{"event":"delivered","message_token":"x"}',
        b'{"event":"unsubscribed","timestamp":1,"message_token":1}',
    ],
)
def test_what_cannot_be_read_is_kept(body: bytes) -> None:
    touch = reading_of(body).touch
    assert touch is not None and touch.remarks[0].startswith("this event could not be read")
    assert touch.raw is not None and touch.raw.data == body
    if b'"A="' in body:
        assert str(touch.party[0]) == "viber:A="


def test_an_event_of_no_known_kind_is_a_note() -> None:
    touch = reading_of({"event": "poll", "message_token": 7, "timestamp": 1}).touch
    assert touch is not None and touch.kind is Kind.NOTE and "poll" in touch.remarks[0]


def test_huge_and_broken_texts_are_taken() -> None:
    event = payload("text")
    event["message"]["text"] = "а\0б\ud800" + "в" * 100_000
    touch = reading_of(event).touch
    assert touch is not None and touch.text.startswith("аб?в") and len(touch.text) == 100_003


@pytest.mark.parametrize("name", ["text", "file", "contact_own", "unsubscribed", "conversation_started_by_link"])
def test_what_was_kept_is_read_again(name: str) -> None:
    touch, settings = touch_of(name), Settings.model_validate({"token": "t"})
    assert touch.raw is not None
    assert parse_again("vb", settings, touch.raw.data, MEDIA_TYPE, NOW) == touch
    assert parse_again("vb", settings, touch.raw.data, "text/plain", NOW) is None
    assert parse_again("vb", settings, b"?", MEDIA_TYPE, NOW) is None


def test_every_key_is_in_the_readme() -> None:
    text = (ROOT / "channels" / "viber" / "README.md").read_text("utf-8")
    assert [key for key in Settings.model_fields if f"| `{key}` |" not in text] == []


def test_the_button_of_a_mailing_stops_mailings_only() -> None:
    event = payload("text")
    event["message"]["text"] = "stop:marketing"
    touch = reading_of(event).touch
    assert touch is not None
    assert (touch.kind, touch.fields) == (Kind.NOTE, {"opted_out": True, "opted_out_of": "marketing"})
