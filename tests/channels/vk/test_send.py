"""What goes out: words, files, buttons, answers; what VK refuses; and that nothing goes out twice."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from channels.contract import ReadMarker
from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain
from channels.touch import Attachment, Button, Identity, Thread
from channels.vk.adapter import random_id
from tests.channels.vk.rig import VkRig
from tests.channels.vk.vendor import CLIENT, Vendor, call


async def test_files_go_along_with_the_last_words(rig: VkRig, vendor: Vendor) -> None:
    files = (Attachment("a.png", "image/png", b"png"), Attachment("б.pdf", "application/pdf", b"pdf"))
    await rig.channel().send(rig.message("слово " * 800, "ref", attachments=files))
    assert vendor.uploads == [("photo", "a.png", b"png"), ("file", "б.pdf", b"pdf")]
    assert [one.get("attachment") for one in vendor.taken] == [None, "photo-214167102_71_k1,doc-214167102_72"]


async def test_more_than_ten_files_are_two_messages(rig: VkRig, vendor: Vendor) -> None:
    files = tuple(Attachment(f"{n}.pdf", "application/pdf", b"x") for n in range(12))
    await rig.channel().send(rig.message("", "ref", attachments=files))
    assert [one["attachment"].count("doc") for one in vendor.taken] == [10, 2]


async def test_an_answer_shows_what_it_answers_and_buttons_come_last(rig: VkRig, vendor: Vendor) -> None:
    message = rig.message("слово " * 800, "ref", replies_to=f"{CLIENT}:41", buttons=(Button("Пять", "rate:5"),))
    await rig.channel().send(message)
    first, last = vendor.taken
    assert json.loads(first["forward"]) == {"peer_id": CLIENT, "conversation_message_ids": [41], "is_reply": True}
    (row,) = json.loads(last["keyboard"])["buttons"]
    assert (row[0]["action"]["label"], row[0]["action"]["payload"]) == ("Пять", '{"button": "rate:5"}')
    assert "keyboard" not in first and "forward" not in last


async def test_who_wrote_in_a_talk_of_many_is_answered_there(rig: VkRig, vendor: Vendor) -> None:
    await rig.channel().send(rig.message("Да", "ref", replies_to="2000000066:7"))
    (sent,) = vendor.taken
    assert sent["peer_ids"] == "2000000066"
    assert json.loads(sent["forward"])["conversation_message_ids"] == [7]


async def test_what_was_said_in_another_talk_is_not_quoted(rig: VkRig, vendor: Vendor) -> None:
    await rig.channel().send(rig.message("Да", "ref", replies_to=f"{CLIENT + 1}:7"))
    assert vendor.taken[0]["peer_ids"] == str(CLIENT) and "forward" not in vendor.taken[0]


async def test_an_answer_to_any_part_is_to_the_message(rig: VkRig, vendor: Vendor) -> None:
    channel = rig.channel()
    sent = await channel.send(rig.message("слово " * 800, "ref"))
    second = vendor.taken[1]["conversation_message_id"]
    await channel.receive(call(vendor.message("Понятно", reply_message={"conversation_message_id": second})))
    assert rig.door.touches[0].thread == Thread(answers=(f"{CLIENT}:{second}", sent.external_id))


async def test_what_may_be_out_is_looked_for_and_not_sent_twice(rig: VkRig, vendor: Vendor) -> None:
    vendor.loses = 1
    channel, message = rig.channel(), rig.message("Да", "ref")
    with pytest.raises(Uncertain):
        await channel.send(message)
    assert await channel.was_sent(message) is False
    sent = await rig.channel().send(message)
    assert [sent.external_id] == rig.external_ids() and vendor.asked.count("messages.send") == 1
    assert await channel.was_sent(message) == sent


async def test_a_crash_between_two_parts_goes_on_where_it_was(rig: VkRig, vendor: Vendor) -> None:
    vendor.loses = 1
    message = rig.message("слово " * 800, "ref")
    with pytest.raises(Uncertain):
        await rig.channel().send(message)
    await rig.channel().send(message)
    assert "".join("".join(await rig.outgoing()).split()) == "слово" * 800


@pytest.mark.parametrize(
    ("code", "error"),
    [(5, BadSettings), (15, BadSettings), (6, Throttled), (9, Throttled), (902, OptedOut), (914, Rejected)],
)
async def test_what_refusals_mean(rig: VkRig, vendor: Vendor, code: int, error: type[ChannelError]) -> None:
    vendor.refusals.append(code)
    with pytest.raises(error) as caught:
        await rig.channel().send(rig.message("Да", "ref"))
    assert caught.value.reason


async def test_what_cannot_go_out_is_refused_before_it_does(rig: VkRig, vendor: Vendor) -> None:
    message = rig.message("Да", "ref")
    for one in (replace(message, to=(Identity("email", "a@b.pl"),)), replace(message, text=" ")):
        with pytest.raises(Rejected):
            await rig.channel().send(one)
    assert vendor.asked == []


def test_random_ids_fit_and_differ() -> None:
    found = {random_id(f"ref-{one}", part) for one in range(500) for part in range(2)}
    assert len(found) == 1000 and all(0 < one < 2**31 for one in found)


async def test_what_was_looked_at_is_told_so_unless_the_line_says_otherwise(rig: VkRig, vendor: Vendor) -> None:
    assert isinstance(rig.channel(), ReadMarker)
    await rig.channel().mark_read(f"{CLIENT}:41")
    await rig.channel(read_marks=False).mark_read(f"{CLIENT}:42")
    assert vendor.read == [str(CLIENT)]
