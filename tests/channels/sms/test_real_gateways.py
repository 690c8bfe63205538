"""Against software that is not ours: smpp34's SMSC, and Kannel between the hub and an SMSC."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import smpp34
from aiohttp import web

from channels.contract import LineState
from channels.errors import ChannelError, Unreachable
from channels.sms.http import HttpChannel
from channels.sms.settings import HttpSettings, Settings
from channels.touch import ReceiptState, Webhook
from tests.channels.door import FakeDoor, until
from tests.channels.kit import listening
from tests.channels.sms.rig import SmppRig, message_to
from tests.peers.kannel import Kannel
from tests.peers.missing import PeerMissing, do_without
from tests.peers.smsc import CLIENT, Smsc, in_parts, report
from tests.peers.workshop import free_port

SECRET = "a-secret-of-the-tests"
LONG = "Здравствуйте! " * 12


@dataclass(slots=True)
class Centre:
    """smpp34's server with somebody who answers: `esmes` are the binds, `got` the messages."""

    port: int
    esmes: list[smpp34.Esme] = field(default_factory=list)
    got: list[smpp34.SubmitSmEvent] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)
    early: bool = False
    _reports: list[asyncio.Future[smpp34.DeliverSmResp]] = field(default_factory=list)
    _server: smpp34.Server | None = None
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._server = smpp34.Server("127.0.0.1", self.port)
        await self._server.start()
        self._task = asyncio.create_task(self._answer(self._server))

    async def stop(self) -> None:
        assert self._server is not None and self._task is not None
        self._task.cancel()
        for esme in self.esmes:
            with contextlib.suppress(smpp34.SmppError, TimeoutError):
                await asyncio.wait_for(esme.unbind(), 1)
        await self._server.stop()
        self.esmes.clear()

    async def _answer(self, server: smpp34.Server) -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self.esmes.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                await self._accept(event)

    async def _accept(self, event: smpp34.SubmitSmEvent) -> None:
        if self.refuse:
            event.reject(self.refuse.pop(0))
            return
        self.got.append(event)
        number = f"id-{len(self.got)}"
        if self.early:
            asyncio.get_running_loop().call_later(0.1, event.accept, number)
            await self.report(number)
        else:
            event.accept(number)

    async def report(self, number: str) -> None:
        text = f"id:{number} sub:001 dlvrd:001 submit date:2611211200 done date:2611211200 stat:DELIVRD err:000 text:a"
        esme = next(one for one in self.esmes if one.can_receive)
        told = esme.deliver_sm("7000", text.encode(), source_addr=CLIENT, esm_class=4)
        self._reports.append(asyncio.ensure_future(told))


@pytest.fixture
async def centre() -> AsyncIterator[Centre]:
    one = Centre(free_port())
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
def rig(centre: Centre) -> SmppRig:
    return SmppRig(Smsc(port=centre.port))


async def test_smpp34_takes_our_parts_and_we_take_its_messages(centre: Centre, rig: SmppRig) -> None:
    channel = rig.channel()
    async with listening(channel):
        await rig.door.wait_for_health()
        await until(lambda: bool(centre.esmes), 3, lambda: "no bind")
        assert (await channel.send(message_to("Hello €", "r1"))).external_id == "id-1"
        assert (await channel.send(message_to(LONG, "r2"))).external_id == "id-2"
        esme = centre.esmes[0]
        for told in ("Где мой заказ? 😀".encode("utf-16-be"),):
            answer = await esme.deliver_sm("7000", told, source_addr=CLIENT, source_addr_ton=1, data_coding=8)
            assert answer.is_success
        long = [bytes((5, 0, 3, 9, 2, n)) + ("я" * 60).encode("utf-16-be") for n in (1, 2)]
        answers = [
            await esme.deliver_sm("7000", one, source_addr=CLIENT, source_addr_ton=1, data_coding=8, esm_class=0x40)
            for one in long
        ]
        assert all(one.is_success for one in answers)
        await rig.door.wait_for(2)
    assert centre.got[0].short_message == b"Hello \x1be"
    assert [(one.data_coding, one.esm_class) for one in centre.got[1:]] == [(8, 0x40)] * 3
    assert "".join(one.short_message[6:].decode("utf-16-be") for one in centre.got[1:]) == LONG.strip()
    assert [touch.text for touch in rig.door.touches] == ["Где мой заказ? 😀", "я" * 120]


async def test_smpp34_gets_a_passing_refusal_while_we_cannot_store(centre: Centre, rig: SmppRig) -> None:
    def away(_: object) -> None:
        raise OSError("the database is away")

    async with listening(rig.channel()):
        await until(lambda: bool(centre.esmes), 3, lambda: "no bind")
        rig.door.before_deliver = away
        answer = await centre.esmes[0].deliver_sm("7000", b"Hello", source_addr=CLIENT, source_addr_ton=1)
        assert answer.command_status == 0x64
        rig.door.before_deliver = None
        answer = await centre.esmes[0].deliver_sm("7000", b"Hello", source_addr=CLIENT, source_addr_ton=1)
        assert answer.is_success
    assert len(rig.door.logged) == 1


async def test_smpp34_refuses_and_reports_early(centre: Centre, rig: SmppRig) -> None:
    channel = rig.channel()
    async with listening(channel):
        await until(lambda: bool(centre.esmes), 3, lambda: "no bind")
        centre.refuse = [0x58]
        with pytest.raises(ChannelError) as caught:
            await channel.send(message_to("Hello", "r1"))
        assert caught.value.retryable
        centre.early = True
        sent = await channel.send(message_to(LONG, "r1"))
        (receipt,) = await rig.door.wait_for_receipts()
    assert (receipt.external_id, receipt.state) == (sent.external_id, ReceiptState.DELIVERED)


async def test_smpp34_restarts(centre: Centre, rig: SmppRig) -> None:
    channel = rig.channel()
    async with listening(channel) as task:
        await until(lambda: bool(centre.esmes), 3, lambda: "no bind")
        await centre.stop()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(task, 60)
        with pytest.raises(Unreachable):
            await channel.send(message_to("Hello", "r1"))
    await centre.start()
    after = rig.channel()
    async with listening(after):
        await until(lambda: bool(centre.esmes), 5, lambda: "no bind")
        await after.send(message_to("Hello", "r1"))
    assert [one.short_message for one in centre.got] == [b"Hello"]


@dataclass(slots=True)
class Hub:
    """The webhook of one line over real HTTP, without the rest of the hub. `deaf`: it answers 503."""

    door: FakeDoor = field(default_factory=FakeDoor)
    port: int = field(default_factory=free_port)
    channel: HttpChannel | None = None
    deaf: bool = False
    calls: int = 0
    _runner: web.AppRunner | None = None

    @property
    def hook(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/sms"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/hooks/sms/{rest}", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        self.calls += 1
        if self.deaf or self.channel is None:
            return web.Response(status=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        body, rest = await request.read(), request.match_info["rest"]
        answer = await self.channel.receive(
            Webhook(request.method, rest, dict(request.query), headers, body, request.remote or "")
        )
        return web.Response(status=answer.status, body=answer.body, content_type=answer.media_type)


@dataclass(slots=True)
class Between:
    """Hub, Kannel, SMSC."""

    hub: Hub
    kannel: Kannel
    smsc: Smsc

    def channel(self, **more: Any) -> HttpChannel:
        told = {
            "gateway": "http",
            "template": "kannel",
            "url": self.kannel.url,
            "user": "hub",
            "password": "secret",
            "secret": SECRET,
            "sender": "Touchline",
            "timeout_s": 5,
            **more,
        }
        settings = Settings.model_validate(told)
        assert isinstance(settings, HttpSettings)
        door = self.hub.door.door()
        object.__setattr__(door, "hook", lambda: self.hub.hook)
        self.hub.channel = HttpChannel("sms", settings, door)
        return self.hub.channel


@pytest.fixture
async def between() -> AsyncIterator[Between]:
    hub, smsc = Hub(), Smsc()
    await hub.start()
    await smsc.start()
    try:
        kannel = await asyncio.to_thread(Kannel, smsc.port, hub.hook, SECRET)
    except PeerMissing as problem:
        await hub.stop()
        await smsc.stop()
        do_without(problem)
    await until(lambda: bool(smsc.binds), 5, lambda: "Kannel does not sign in")
    yield Between(hub, kannel, smsc)
    await asyncio.to_thread(kannel.close)
    await hub.stop()
    await smsc.stop()


async def test_kannel_both_ways(between: Between) -> None:
    channel, smsc, door = between.channel(), between.smsc, between.hub.door
    assert (await channel.check()).state is LineState.RUNNING
    wrong = between.channel(password="wrong")
    assert (await wrong.check()).state is LineState.NEEDS_PERSON
    await wrong.close()
    between.hub.channel = channel
    sent = await channel.send(message_to("Привет & 😀", "r1"))
    await channel.send(message_to("Price: 5 € [net]", "r2"))
    await channel.send(message_to(LONG, "r3"))
    await until(lambda: len(smsc.submitted) == 5, 5, lambda: str(smsc.texts()))
    assert smsc.texts()[0] == "Привет & 😀" and smsc.texts()[2] == LONG.strip()
    assert smsc.submitted[1].payload == b"Price: 5 \x1be \x1b<net\x1b>" and smsc.submitted[1].coding == 0
    assert smsc.submitted[0].source == "Touchline"
    smsc.push(report(smsc.submitted[0].id))
    await until(lambda: any(one.state is ReceiptState.DELIVERED for one in door.receipts), 5, lambda: "no report")
    delivered = next(one for one in door.receipts if one.state is ReceiptState.DELIVERED)
    assert delivered.external_id == sent.external_id
    smsc.push(report(smsc.submitted[1].id, "UNDELIV"))
    await until(lambda: any(one.state is ReceiptState.FAILED for one in door.receipts), 5, lambda: "no report")
    smsc.say("Где мой заказ? 😀 Café")
    smsc.push(*in_parts(LONG))
    smsc.say("get Hello")
    smsc.say("get Привет")
    await door.wait_for(4)
    texts = {touch.text for touch in door.touches}
    assert {"Где мой заказ? 😀 Café", LONG, "get Hello", "get Привет"} == texts
    assert {str(touch.party[0]) for touch in door.touches} == {f"phone:+{CLIENT}"}
    assert len({touch.event_key for touch in door.touches}) == 4
    await channel.close()


async def test_kannel_calls_until_it_is_heard(between: Between) -> None:
    channel = between.channel()
    between.hub.deaf = True
    between.smsc.say("Не потеряйте")
    await until(lambda: between.hub.calls >= 1, 5, lambda: "Kannel never called")
    assert between.hub.door.touches == []
    between.hub.deaf = False
    await between.hub.door.wait_for(1, 10)
    assert between.hub.door.touches[0].text == "Не потеряйте"
    await channel.close()
