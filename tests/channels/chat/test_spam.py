"""What looks like a robot's: marked and kept, answered as ever; and that he types is handed on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.chat import Settings, parse_again
from channels.touch import Direction
from tests.channels.chat.rig import Browser, FakeTalks, open_channel
from tests.channels.door import FakeDoor

OFFER = "Раскрутим ваш сайт недорого, пишите нам https://seo.example сегодня же"


async def says_later(visitor: Browser, hub: FakeDoor, text: str, number: int = 1, **more: str) -> str | None:
    """A message of somebody who had the time to write it; what it is suspected of."""
    if not visitor.token:
        await visitor.open()
    hub.time = hub.door().now() + timedelta(seconds=30)
    status, told = await visitor.say(text, number, **more)
    assert (status, told["again"]) == (200, False), "a robot must not learn that it was found out"
    return hub.touches[-1].suspicion


@pytest.mark.parametrize(
    ("text", "more", "suspicion"),
    [
        ("Здравствуйте", {}, None),
        ("Вот макет: https://a.example/1 и www.b.example", {}, None),
        (" ".join(f"https://a.example/{n}" for n in range(5)), {}, "links"),
        ("[url=https://a.example]дёшево[/url]", {}, "links"),
        ('<a href="https://a.example">дёшево</a>', {}, "links"),
        ("Здравствуйте", {"website": "https://a.example"}, "honeypot"),
    ],
)
async def test_what_looks_like_a_robot(
    visitor: Browser, hub: FakeDoor, text: str, more: dict[str, str], suspicion: str | None
) -> None:
    assert await says_later(visitor, hub, text, **more) == suspicion


async def test_a_link_at_once_is_a_robots_a_greeting_at_once_is_not(hub: FakeDoor, talks: FakeTalks) -> None:
    for text, suspicion in (("Здравствуйте", None), ("Смотрите https://a.example", "too_fast")):
        fresh = await Browser(open_channel(hub, talks)).open()
        await fresh.say(text, 1)
        assert hub.touches[-1].suspicion == suspicion


async def test_the_same_words_by_many_browsers_are_one_robot(hub: FakeDoor, talks: FakeTalks) -> None:
    channel = open_channel(hub, talks)
    found = [await says_later(Browser(channel), hub, OFFER, number) for number in range(1, 6)]
    assert found == [None, None, None, "repeated", "repeated"]
    short = [await says_later(Browser(channel), hub, "Добрый день!", number) for number in range(6, 12)]
    assert short == [None] * 6, "what everybody says is no robot's"
    hub.time = hub.door().now() + timedelta(minutes=11)
    assert await says_later(Browser(channel), hub, OFFER, 20) is None, "it was long ago"


async def test_a_message_that_is_sent_again_is_not_counted_again(hub: FakeDoor, talks: FakeTalks) -> None:
    visitor = await Browser(open_channel(hub, talks)).open()
    hub.time = hub.door().now() + timedelta(seconds=30)
    for _ in range(6):
        await visitor.say(OFFER, 1)
    assert {touch.suspicion for touch in hub.touches} == {None}


async def test_whom_we_have_answered_may_send_what_he_likes(visitor: Browser, hub: FakeDoor, talks: FakeTalks) -> None:
    await says_later(visitor, hub, "Здравствуйте")
    talks.add(visitor.session, Direction.OUTBOUND, "Пришлите ссылки", "ours")
    assert await says_later(visitor, hub, " ".join(f"https://a.example/{n}" for n in range(9)), 2) is None


async def test_how_many_links_is_the_set_ups_to_say(hub: FakeDoor, talks: FakeTalks) -> None:
    many = " ".join(f"https://a.example/{n}" for n in range(9))
    for most, suspicion in ((0, None), (8, "links"), (9, None)):
        assert await says_later(Browser(open_channel(hub, talks, most_links=most)), hub, many) == suspicion


async def test_what_is_kept_remembers_the_suspicion(visitor: Browser, hub: FakeDoor) -> None:
    await says_later(visitor, hub, "[url=https://a.example]x[/url]")
    raw = hub.touches[-1].raw
    assert raw is not None
    again = parse_again("site", Settings(), raw.data, raw.media_type, hub.touches[-1].at)
    assert again is not None and again.suspicion == "links"


async def test_that_he_types_is_handed_on(visitor: Browser, talks: FakeTalks) -> None:
    await visitor.open()
    for on in (True, False):
        assert (await visitor.ask("typing", on=on))[0] == 200
    assert talks.typed == [(visitor.session, True), (visitor.session, False)]
    visitor.token = "forged"
    assert (await visitor.ask("typing", on=True))[0] == 401
