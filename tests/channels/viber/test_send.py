"""What goes out: texts, files by our own addresses, a keyboard; and what every status of Viber's means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.touch import Attachment, Button, Identity, Webhook
from channels.viber.compose import MOST_FILE, MOST_PICTURE
from channels.viber.shelf import GOOD_FOR
from tests.channels.viber.rig import ViberRig
from tests.peers.viber import IVAN, Viber

PNG = Attachment("кран.png", "image/png", b"\x89PNG")
PDF = Attachment("Рахунок.pdf", "application/pdf", b"%PDF-1.7")


async def test_a_text_is_signed_with_a_name(rig: ViberRig, viber: Viber) -> None:
    channel = rig.channel(sender="Крани та труби")
    await channel.send(rig.message("Завтра", "ref-1", sender_name="Анна Соколова, відділ доставки"))
    await channel.send(rig.message("Дякуємо", "ref-2", sender_name="Анна", automatic=True))
    await rig.channel().send(rig.message("Так", "ref-3"))
    assert [one["sender"]["name"] for one in viber.taken] == [
        "Анна Соколова, відділ достав",
        "Крани та труби",
        "Touchline",
    ]
    assert (viber.taken[0]["receiver"], viber.taken[0]["tracking_data"]) == (IVAN["id"], "ref-1")


async def test_a_long_text_goes_out_in_parts(rig: ViberRig, viber: Viber) -> None:
    text = "слово " * 2500
    sent = await rig.channel().send(rig.message(text, "ref"))
    assert "".join("".join(viber.texts()).split()) == "".join(text.split()) and len(viber.taken) == 3
    assert sent.external_id == viber.taken[0]["token"]


async def test_viber_fetches_files_from_us(rig: ViberRig, viber: Viber) -> None:
    clip = Attachment("ролик.mp4", "video/mp4", b"mp4")
    await rig.channel().send(rig.message("Ось рахунок", "ref", attachments=(PNG, PDF, clip)))
    picture, file, video = viber.taken
    assert (picture["type"], picture["text"]) == ("picture", "Ось рахунок")
    assert (file["type"], file["file_name"], file["size"]) == ("file", "Рахунок.pdf", 8)
    assert (video["type"], video["size"]) == ("video", 3)
    assert viber.fetched == [
        ("image/png", b"\x89PNG"),
        ("application/octet-stream", b"%PDF-1.7"),
        ("video/mp4", b"mp4"),
    ]


async def test_what_a_browser_would_run_is_not_handed_out_as_such(rig: ViberRig, viber: Viber) -> None:
    page = Attachment("page.html", "text/html", b"<script>alert(1)</script>")
    await rig.channel().send(rig.message("", "ref", attachments=(page,)))
    assert viber.fetched == [("application/octet-stream", page.data)]


async def test_addresses_of_files_are_signed_and_do_not_last(rig: ViberRig, viber: Viber) -> None:
    rig.door.time = datetime(2026, 11, 21, 9, tzinfo=UTC)
    channel = rig.channel()
    await channel.send(rig.message("", "ref", attachments=(PDF,)))
    path = urlsplit(viber.taken[0]["media"]).path.partition("/hooks/vb/")[2]
    call = Webhook("GET", path, {}, {}, b"", "203.0.113.5")
    assert (await channel.receive(call)).body == PDF.data
    files, name, expires, signature, called = path.split("/")
    for forged in (
        "files",
        f"{files}/{name}/{expires}/{'0' * 20}/{called}",
        f"{files}/{name}/{int(expires) + 1}/{signature}/{called}",
        f"{files}/{'0' * 64}/{expires}/{signature}/{called}",
        f"{files}/{name}/never/{signature}/{called}",
        f"others/{name}/{expires}/{signature}/{called}",
    ):
        assert (await channel.receive(replace(call, path=forged))).status == 404
    rig.door.time += GOOD_FOR + timedelta(seconds=1)
    assert (await channel.receive(call)).status == 404
    rig.door.time -= timedelta(days=1)
    rig.door.files.kept.clear()
    assert (await channel.receive(call)).status == 404


async def test_without_a_public_address_no_file_goes_out(rig: ViberRig, viber: Viber) -> None:
    rig.site.hook = None
    channel, message = rig.channel(), rig.message("", "ref", attachments=(PDF,))
    with pytest.raises(BadSettings):
        await channel.send(message)
    assert await channel.was_sent(message) is False


@pytest.mark.parametrize(
    ("media_type", "name", "size", "kind"),
    [
        ("image/jpeg", "a.jpg", 10, "picture"),
        ("image/jpeg", "a", 10, "picture"),
        ("image/jpeg", "a.jpg", MOST_PICTURE + 1, "file"),
        ("image/gif", "a.gif", 10, "file"),
        ("video/quicktime", "a.mov", 10, "file"),
        ("text/plain", "б" * 300 + ".txt", 10, "file"),
    ],
)
async def test_a_file_goes_as_what_it_may_be(
    rig: ViberRig, viber: Viber, media_type: str, name: str, size: int, kind: str
) -> None:
    await rig.channel().send(rig.message("", "ref", attachments=(Attachment(name, media_type, b"x" * size),)))
    assert [one["type"] for one in viber.taken] == [kind]
    assert "." in viber.taken[0]["media"].rpartition("/")[2]


async def test_buttons_are_a_keyboard_under_the_last_part(rig: ViberRig, viber: Viber) -> None:
    buttons = tuple(Button(f"{number} ★", f"rate:{number}") for number in range(1, 4))
    await rig.channel().send(rig.message("слово " * 1300, "ref", buttons=buttons))
    first, last = viber.taken
    assert "keyboard" not in first
    keys = last["keyboard"]["Buttons"]
    assert [(key["ActionType"], key["ActionBody"], key["Text"], key["Columns"]) for key in keys] == [
        ("reply", "rate:1", "1 ★", 2),
        ("reply", "rate:2", "2 ★", 2),
        ("reply", "rate:3", "3 ★", 2),
    ]


async def test_a_label_is_no_html(rig: ViberRig, viber: Viber) -> None:
    await rig.channel().send(rig.message("Що?", "ref", buttons=(Button("<b>A & B</b>", "x"),)))
    assert viber.taken[0]["keyboard"]["Buttons"][0]["Text"] == "&lt;b&gt;A &amp; B&lt;/b&gt;"


@pytest.mark.parametrize(
    "more",
    [
        {"text": " "},
        {"attachments": (Attachment("a.txt", "text/plain", b""),)},
        {"attachments": (Attachment("setup.EXE", "application/octet-stream", b"MZ"),)},
        {"attachments": (Attachment("a.zip", "application/zip", bytes(MOST_FILE + 1)),)},
        {"text": "слово " * 30_000},
        {"buttons": (Button("", "x"),)},
        {"buttons": tuple(Button(str(number), str(number)) for number in range(25))},
        {"to": (Identity("phone", "+380671234567"),)},
        {"to": ()},
    ],
)
async def test_what_cannot_go_out_is_refused_before_any_of_it_does(
    rig: ViberRig, viber: Viber, more: dict[str, Any]
) -> None:
    with pytest.raises(Rejected):
        await rig.channel().send(replace(rig.message("Да", "ref"), **more))
    assert viber.taken == [] and viber.fetched == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (1, Rejected),
        (2, BadSettings),
        (3, Rejected),
        (4, Rejected),
        (5, Rejected),
        (6, OptedOut),
        (7, BadSettings),
        (8, BadSettings),
        (9, BadSettings),
        (10, Unreachable),
        (11, Rejected),
        (12, Throttled),
        (13, Rejected),
        (15, BadSettings),
        (21, Rejected),
        (24, BadSettings),
        (999, Rejected),
    ],
)
async def test_every_status_has_its_meaning(
    rig: ViberRig, viber: Viber, status: int, error: type[ChannelError]
) -> None:
    viber.refuse(status, "words of Viber's")
    channel, message = rig.channel(), rig.message("Да", "ref")
    with pytest.raises(ChannelError) as caught:
        await channel.send(message)
    assert type(caught.value) is error and await channel.was_sent(message) is False
    if error in (BadSettings, OptedOut):
        assert caught.value.remedy


async def test_a_bare_500_and_a_lost_answer_leave_it_open(rig: ViberRig, viber: Viber) -> None:
    viber.refusals.append(None)
    channel = rig.channel()
    with pytest.raises(Uncertain):
        await channel.send(rig.message("Да", "ref-1"))
    viber.vanish = 1
    with pytest.raises(Uncertain):
        await channel.send(rig.message("Ні", "ref-2"))
    assert await rig.channel().was_sent(rig.message("Ні", "ref-2")) is None
    assert viber.texts() == ["Ні"]


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(rig: ViberRig, viber: Viber) -> None:
    viber.silent = True
    with pytest.raises(Uncertain):
        await rig.channel(timeout_s=0.2, sender="Touchline").send(rig.message("Да", "ref"))
