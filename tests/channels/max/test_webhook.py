"""What calls us: the subscription, the secret, files that come later, presses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.contract import LineState
from channels.errors import BadSettings
from channels.max.parse import ASKED_FOR
from tests.channels.door import until
from tests.channels.kit import listening
from tests.channels.max.rig import HOOK, MaxRig
from tests.channels.max.vendor import SECRET, Vendor, call, payload


async def test_updates_are_asked_for_with_the_secret_of_the_line(rig: MaxRig, vendor: Vendor) -> None:
    vendor.subscriptions = [{"url": HOOK, "update_types": list(ASKED_FOR), "secret": "of yesterday"}]
    async with listening(rig.channel()):
        await rig.door.wait_for_health()
    (known,) = vendor.subscriptions
    assert known == {"url": HOOK, "update_types": list(ASKED_FOR), "secret": SECRET}


async def test_a_subscription_that_was_let_go_is_asked_for_again(rig: MaxRig, vendor: Vendor) -> None:
    async with listening(rig.channel(look_s=0.05)):
        await rig.door.wait_for_health()
        vendor.subscriptions.clear()
        await until(lambda: bool(vendor.subscriptions), 5, lambda: "nobody asked again")


async def test_an_address_that_max_does_not_take_needs_a_person(rig: MaxRig, vendor: Vendor) -> None:
    vendor.takes_subscriptions = False
    with pytest.raises(BadSettings) as caught:
        async with asyncio.timeout(60):
            await rig.channel().listen()
    assert "Invalid URL" in caught.value.reason and "public_url" in str(caught.value.remedy)


async def test_a_hub_without_a_public_address_needs_a_person(rig: MaxRig) -> None:
    rig.hook = None
    assert (await rig.channel().check()).state is LineState.NEEDS_PERSON


async def test_a_ca_file_that_is_none_needs_a_person(rig: MaxRig, tmp_path: Path) -> None:
    health = await rig.channel(ca_file=str(tmp_path / "none.pem")).check()
    assert (health.state, "ca_file" in health.reason) == (LineState.NEEDS_PERSON, True)


@pytest.mark.parametrize("secret", [None, "", "wrong", "нет"])
async def test_a_forged_call_is_refused_and_told(
    rig: MaxRig, secret: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await rig.channel().receive(call(payload("message_created"), secret))
    assert answer.status == 401 and rig.door.touches == []
    logged = "".join(capsys.readouterr())
    assert "webhook_with_wrong_secret" in logged and "203.0.113.5" in logged and SECRET not in logged


def with_image(vendor: Vendor) -> dict[str, Any]:
    return vendor.message("", attachments=[{"type": "image", "payload": {"url": f"{vendor.base_url}/files/a.jpg"}}])


async def test_a_file_is_fetched_and_one_that_is_missing_asked_for_again(rig: MaxRig, vendor: Vendor) -> None:
    channel, update = rig.channel(), with_image(vendor)
    assert (await channel.receive(call(update))).status == 503
    assert "could not be fetched" in rig.door.touches[0].remarks[-1]
    vendor.files["a.jpg"] = b"picture"
    assert (await channel.receive(call(update))).status == 200
    assert rig.door.touches[-1].phase == "fetched" and rig.door.touches[-1].attachments[0].data == b"picture"


async def test_a_file_is_fetched_from_max_only(rig: MaxRig, vendor: Vendor) -> None:
    update = with_image(vendor)
    update["message"]["body"]["attachments"][0]["payload"]["url"] = "http://169.254.169.254/secret"
    assert (await rig.channel().receive(call(update))).status == 200
    assert rig.door.touches[0].attachments == () and "not one of MAX's" in rig.door.touches[0].remarks[-1]


async def test_who_presses_a_button_is_told_that_it_was_heard(rig: MaxRig, vendor: Vendor) -> None:
    channel = rig.channel()
    assert (await channel.receive(call(payload("message_callback")))).status == 200
    await channel.close()
    assert vendor.answered == ["f9LHodD0cOJZOniECmtvwY8"]


async def test_a_press_counts_though_nobody_can_be_told(rig: MaxRig, vendor: Vendor) -> None:
    await vendor.stop()
    channel = rig.channel()
    assert (await channel.receive(call(payload("message_callback")))).status == 200
    await channel.close()
    assert rig.door.touches[0].fields == {"rating": 5}


async def test_only_posts(rig: MaxRig, vendor: Vendor) -> None:
    assert (await rig.channel().receive(replace(call(vendor.message("?")), method="GET"))).status == 405
