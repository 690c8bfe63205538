"""Updates pushed to us: the secret, repeats, both ways at once, an address that Telegram cannot reach."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from channels.contract import LineState
from channels.errors import BadSettings
from channels.telegram import create
from channels.telegram.adapter import TelegramChannel
from channels.touch import Webhook
from tests.channels.door import sign, until
from tests.channels.kit import listening
from tests.channels.telegram.rig import TelegramRig
from tests.peers.telegram import BotApi

SECRET = "s3cret_of-the-tests"
HEADER = "x-telegram-bot-api-secret-token"


class Site:
    """The hub's web server, as far as a webhook needs one."""

    def __init__(self, rig: TelegramRig) -> None:
        self.rig = rig
        self.address: str | None = None
        self.channel: TelegramChannel | None = None

    def open(self, **more: Any) -> TelegramChannel:
        """A channel in webhook mode with this site as its address."""
        settings = self.rig.settings(webhook=True, **{"webhook_secret": SECRET, **more})
        door = replace(self.rig.door.door(), hook=lambda: self.address)
        self.channel = TelegramChannel(self.rig.line, settings, door, look_s=0.05)
        self.rig.opened.append(self.channel)
        return self.channel

    async def answer(self, request: web.Request) -> web.Response:
        assert self.channel is not None
        headers = {name.lower(): value for name, value in request.headers.items()}
        webhook = Webhook(request.method, "", dict(request.query), headers, await request.read(), "127.0.0.1")
        answer = await self.channel.receive(webhook)
        return web.Response(status=answer.status, body=answer.body)


@pytest.fixture
async def site(rig: TelegramRig) -> AsyncIterator[Site]:
    site = Site(rig)
    app = web.Application()
    app.router.add_route("*", "/hooks/bot", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.address = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/bot"
    yield site
    await runner.cleanup()


def push(body: bytes = b"{}", *, method: str = "POST", secret: str | None = SECRET) -> Webhook:
    return Webhook(method, "", {}, {HEADER: secret} if secret is not None else {}, body, "203.0.113.5")


async def test_pushed_updates_are_received(rig: TelegramRig, api: BotApi, site: Site) -> None:
    async with listening(site.open()):
        api.say("Здравствуйте")
        touches = await rig.door.wait_for()
        await until(lambda: not api.updates, 3, lambda: "never confirmed")
    assert [touch.text for touch in touches] == ["Здравствуйте"]
    assert api.webhook["secret_token"] == SECRET
    assert api.webhook["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
    assert api.polls == []


async def test_what_is_not_committed_is_pushed_again(rig: TelegramRig, api: BotApi, site: Site) -> None:
    failures = [RuntimeError("the database is away")]

    def refuse(_: object) -> None:
        if failures:
            raise failures.pop()

    rig.door.before_deliver = refuse
    async with listening(site.open()):
        api.say("Не потеряйте")
        await rig.door.wait_for()
    assert api.webhook_answers == [500, 200]


async def test_the_same_message_by_poll_and_by_webhook_is_one(rig: TelegramRig, api: BotApi, site: Site) -> None:
    message = api.say("Один раз")
    async with listening(rig.channel()):
        await rig.door.wait_for()
    api.happen("message", message)
    async with listening(site.open()):
        await rig.door.wait_for(2)
    assert len(rig.door.logged) == 1
    async with listening(rig.channel()):
        await until(lambda: api.webhook["url"] == "", 3, lambda: "still pushed")
        api.say("И снова по-старому")
        await rig.door.wait_for(3)


@pytest.mark.parametrize("secret", [None, "", "wrong", "s3cret_of-the-test", "с3cret"])
async def test_a_wrong_secret_is_refused_and_told(
    rig: TelegramRig, site: Site, secret: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = site.open()
    answer = await channel.receive(push(b'{"update_id":1}', secret=secret))
    assert answer.status == 401 and rig.door.touches == []
    logged = "".join(capsys.readouterr())
    assert "webhook_with_wrong_signature" in logged and "203.0.113.5" in logged and SECRET not in logged


async def test_without_a_secret_of_its_own_the_hub_makes_one(rig: TelegramRig, api: BotApi, site: Site) -> None:
    async with listening(site.open(webhook_secret=None)):
        api.say("Здравствуйте")
        await rig.door.wait_for()
    assert api.webhook["secret_token"] == sign("telegram webhook bot")


async def test_only_posts_and_only_in_webhook_mode(rig: TelegramRig, site: Site) -> None:
    pushed, polled = site.open(), create("bot", rig.settings(), rig.door.door())
    assert (await pushed.receive(push(method="GET"))).status == 405
    assert (await polled.receive(push())).status == 404
    await pushed.close()


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"update_id":5}', b'{"update_id":5,"message":7}'])
async def test_nonsense_with_the_right_secret_is_kept_and_not_pushed_again(
    rig: TelegramRig, site: Site, body: bytes
) -> None:
    channel = site.open()
    assert (await channel.receive(push(body))).status == 200
    assert rig.door.touches[0].remarks and rig.door.touches[0].raw is not None
    assert rig.door.touches[0].raw.data == body


async def test_the_web_process_knows_the_name_of_the_bot_without_listening(
    rig: TelegramRig, api: BotApi, site: Site
) -> None:
    group = {"id": -5, "type": "group", "title": "Дачники"}
    channel = site.open()
    for text in ("Болтаем", "@touchline_bot, вы тут?"):
        update = {"update_id": 1, "message": api.message(text, chat=group)}
        assert (await channel.receive(push(json.dumps(update).encode()))).status == 200
    assert [touch.text for touch in rig.door.touches] == ["@touchline_bot, вы тут?"]


async def test_without_a_public_address_it_needs_a_person(rig: TelegramRig, site: Site) -> None:
    site.address = None
    channel = site.open()
    with pytest.raises(BadSettings) as caught:
        await channel.listen()
    assert caught.value.remedy and "public_url" in caught.value.remedy
    assert (await channel.check()).state is LineState.NEEDS_PERSON


async def test_an_address_that_telegram_does_not_take_needs_a_person(rig: TelegramRig, site: Site) -> None:
    site.address = "http://hub.example/hooks/bot"
    channel = site.open()
    with pytest.raises(BadSettings, match=r"(?i)an https url"):
        await channel.listen()


async def test_a_webhook_that_does_not_work_is_told_and_one_that_was_changed_is_set_again(
    rig: TelegramRig, api: BotApi, site: Site
) -> None:
    broken = True

    def refuse(_: object) -> None:
        if broken:
            raise RuntimeError("the database is away")

    rig.door.before_deliver = refuse
    async with listening(site.open()):
        await rig.door.wait_for_health()
        api.say("Не доходит")
        await until(lambda: rig.door.healths[-1].state is LineState.WILL_RETRY, 3, lambda: str(rig.door.healths))
        assert "500" in rig.door.healths[-1].reason and rig.door.healths[-1].remedy
        broken = False
        await until(lambda: rig.door.healths[-1].state is LineState.RUNNING, 3, lambda: str(rig.door.healths))
        api.webhook = {"url": "https://elsewhere.example"}
        await until(lambda: api.webhook["url"] == site.address, 3, lambda: str(api.webhook))
    assert len(rig.door.logged) == 1
    await asyncio.sleep(0)
