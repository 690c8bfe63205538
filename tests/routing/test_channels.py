"""Which channels a table means: by name, by group, and messengers that nobody had heard of when this was written."""

from __future__ import annotations

import pytest

from routing.conditions import Action, For
from routing.matching import compile_action, compile_for
from tests.routing.world import book_of, call, facts_of, message

BOOK = book_of(
    """
[regulation.reaction]
title = "Answer"
kind = "respond"
within = "4 working hours"
calendar = "office"
"""
)
WHEN = "2026-09-15 18:00"


@pytest.mark.parametrize(
    ("named", "channel", "fits"),
    [
        (("messenger",), "telegram", True),
        (("messenger",), "viber", True),
        (("messenger",), "a-channel-of-next-year", True),
        (("messenger",), "email", False),
        (("messenger",), "sms", False),
        (("messenger",), "webform", False),
        (("messenger",), "desk", False),
        (("messenger", "email"), "email", True),
        (("sms",), "telegram", False),
        (("phone",), "asterisk", True),
    ],
)
def test_a_group_means_its_channels(named: tuple[str, ...], channel: str, fits: bool) -> None:
    touch = message(1, WHEN, channel=channel)
    chosen = compile_for(For.model_validate({"channel": list(named)}))
    assert chosen(facts_of(BOOK, WHEN, interaction=touch)) is fits


@pytest.mark.parametrize(("channel", "fits"), [("whatsapp", True), ("sms", False)])
def test_what_is_sent_by_a_messenger_keeps_such_a_promise(channel: str, fits: bool) -> None:
    sent = compile_action(Action.model_validate({"send": ["messenger"]}))
    touch = message(1, WHEN, "outbound", channel=channel)
    assert sent(touch, facts_of(BOOK, WHEN, interaction=touch)) is fits


def test_a_call_is_sent_by_no_messenger() -> None:
    sent = compile_action(Action.model_validate({"send": ["messenger"]}))
    touch = call(1, WHEN, direction="outbound", outcome="answered", talk_s=60)
    assert not sent(touch, facts_of(BOOK, WHEN, interaction=touch))
