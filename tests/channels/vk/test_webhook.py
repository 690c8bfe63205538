"""What calls us: the handshake, the secret, names, files that come later, nonsense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from channels.errors import BadSettings
from tests.channels.vk.rig import VkRig
from tests.channels.vk.vendor import GROUP, SECRET, Vendor, call, payload


@pytest.mark.parametrize("confirmation", ["", "from-the-settings"])
async def test_the_handshake(rig: VkRig, confirmation: str) -> None:
    answer = await rig.channel(confirmation=confirmation).receive(call(payload("confirmation")))
    assert (answer.status, answer.body.decode()) == (200, confirmation or "a1b2c3d4")


async def test_the_handshake_of_another_community_is_not_ours(rig: VkRig) -> None:
    assert (await rig.channel().receive(call({**payload("confirmation"), "group_id": 1}))).status == 404


async def test_a_handshake_that_cannot_be_answered_says_what_to_do(rig: VkRig) -> None:
    with pytest.raises(BadSettings) as caught:
        await rig.channel(wrong_credentials=True).receive(call(payload("confirmation")))
    assert "confirmation" in str(caught.value.remedy)


@pytest.mark.parametrize("secret", [None, "", "wrong", 7, "нет", ["x"]])
async def test_a_forged_call_is_refused_and_told(rig: VkRig, secret: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = await rig.channel().receive(call({**payload("message_new"), "secret": secret}))
    assert answer.status == 401 and rig.door.touches == []
    logged = "".join(capsys.readouterr())
    assert "webhook_with_wrong_secret" in logged and "203.0.113.5" in logged and SECRET not in logged


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"7", b'{"type": "message_new"}', b"\xff\xfe", b"[" * 9999])
async def test_nonsense_is_nobody_we_know(rig: VkRig, body: bytes) -> None:
    assert (await rig.channel().receive(call(body))).status == 401


async def test_another_communitys_events_are_heard_and_left(rig: VkRig) -> None:
    answer = await rig.channel().receive(call({**payload("message_new"), "group_id": GROUP + 1}))
    assert (answer.body, rig.door.touches) == (b"ok", [])


async def test_the_sender_is_called_by_his_name_and_asked_for_once(rig: VkRig, vendor: Vendor) -> None:
    channel = rig.channel()
    for text in ("Раз", "Два"):
        assert (await channel.receive(call(vendor.message(text)))).body == b"ok"
    assert [touch.party[0].name for touch in rig.door.touches] == ["Иван Петров"] * 2
    assert vendor.asked.count("users.get") == 1


async def test_a_name_that_cannot_be_had_holds_nothing_up(rig: VkRig, vendor: Vendor) -> None:
    await vendor.stop()
    assert (await rig.channel().receive(call(vendor.message("Раз")))).body == b"ok"
    assert rig.door.touches[0].party[0].name is None


def with_photo(vendor: Vendor) -> dict[str, Any]:
    size = {"width": 1, "height": 1, "type": "x", "url": vendor.address("files/a.jpg")}
    return vendor.message("", attachments=[{"type": "photo", "photo": {"id": 1, "owner_id": 2, "sizes": [size]}}])


async def test_a_file_is_fetched(rig: VkRig, vendor: Vendor) -> None:
    vendor.files["a.jpg"] = b"picture"
    assert (await rig.channel().receive(call(with_photo(vendor)))).body == b"ok"
    (file,) = rig.door.touches[0].attachments
    assert (file.name, file.data) == ("photo-1.jpg", b"picture")


async def test_a_file_that_is_missing_is_asked_for_again(rig: VkRig, vendor: Vendor) -> None:
    channel, event = rig.channel(), with_photo(vendor)
    assert (await channel.receive(call(event))).status == 503
    assert "could not be fetched" in rig.door.touches[0].remarks[-1]
    vendor.files["a.jpg"] = b"picture"
    assert (await channel.receive(call(event))).status == 200
    assert rig.door.touches[-1].phase == "fetched" and rig.door.touches[-1].attachments[0].data == b"picture"


async def test_a_file_is_fetched_from_vk_only(rig: VkRig, vendor: Vendor) -> None:
    event = with_photo(vendor)
    event["object"]["message"]["attachments"][0]["photo"]["sizes"][0]["url"] = "http://169.254.169.254/secret"
    assert (await rig.channel().receive(call(event))).status == 200
    assert rig.door.touches[0].attachments == () and "not one of VK's" in rig.door.touches[0].remarks[-1]


async def test_only_posts(rig: VkRig, vendor: Vendor) -> None:
    assert (await rig.channel().receive(replace(call(vendor.message("?")), method="GET"))).status == 405


async def test_a_token_of_another_community_needs_a_person(rig: VkRig) -> None:
    health = await rig.channel(group_id=1).check()
    assert (health.state, str(GROUP) in health.reason) == ("needs_person", True)
