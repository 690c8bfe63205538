"""From a client's VK or MAX to the log, answers back, and what he does not want to hear any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from channels.touch import Webhook
from hub.actions.writing import Letter, reply
from hub.actor import Actor
from storage import models
from tests.channels.max import vendor as max_vendor
from tests.channels.vk import vendor as vk_vendor
from tests.flows.house import House, open_house

ANNA = Actor("operator", "anna", "operator", ("support",))
Row = dict[str, Any]


@dataclass(slots=True)
class Vk:
    """A community, and how its calls look."""

    vendor: vk_vendor.Vendor

    def set_up(self) -> str:
        return (
            f'[line.messenger]\nchannel = "vk"\nteam = "support"\ngroup_id = {vk_vendor.GROUP}\ntimeout_s = 5\n'
            f'token = "{vk_vendor.TOKEN}"\nsecret = "{vk_vendor.SECRET}"\nbase_url = "{self.vendor.base_url}"\n'
        )

    def said(self, text: str) -> Webhook:
        return vk_vendor.call(self.vendor.message(text))

    def forbidden(self) -> Webhook:
        return vk_vendor.call(vk_vendor.payload("message_deny"))

    def heard(self) -> list[str]:
        return [one["message"] for one in self.vendor.taken]

    def forged(self) -> Webhook:
        return vk_vendor.call({**self.vendor.message("Я не я"), "secret": "wrong"})


@dataclass(slots=True)
class Max:
    """A bot, and how its calls look."""

    vendor: max_vendor.Vendor

    def set_up(self) -> str:
        return (
            '[line.messenger]\nchannel = "max"\nteam = "support"\ntimeout_s = 5\n'
            f'token = "{max_vendor.TOKEN}"\nsecret = "{max_vendor.SECRET}"\nbase_url = "{self.vendor.base_url}"\n'
        )

    def said(self, text: str) -> Webhook:
        return max_vendor.call(self.vendor.message(text))

    def forbidden(self) -> Webhook:
        return max_vendor.call(max_vendor.payload("bot_stopped"))

    def heard(self) -> list[str]:
        return [one["text"] for one in self.vendor.taken]

    def forged(self) -> Webhook:
        return max_vendor.call(self.vendor.message("Я не я"), "wrong")


@dataclass(slots=True)
class Office:
    """A house with one messenger, whose calls come over HTTP."""

    house: House
    messenger: Vk | Max

    async def call(self, webhook: Webhook) -> int:
        """The vendor calls the house's own web server."""
        address = f"{self.house.address}/hooks/messenger"
        async with self.house.http.post(address, data=webhook.body, headers=dict(webhook.headers)) as answer:
            return answer.status

    async def answer(self, conversation: int, text: str) -> Row:
        """Anna answers; the delivery, once it is sent."""
        setup = self.house.hub.setup.current
        number = await self.house.store.write(lambda unit: reply(unit, setup, conversation, ANNA, Letter(text)))
        return await self.house.wait_for_row(models.delivery, id=number, state="sent")


@asynccontextmanager
async def messenger_called(name: str) -> AsyncIterator[Vk | Max]:
    if name == "vk":
        async with vk_vendor.Vendor() as community:
            yield Vk(community)
        return
    async with max_vendor.Vendor() as bot:
        yield Max(bot)


@pytest.fixture(params=["vk", "max"])
async def office(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with messenger_called(request.param) as messenger:
        public = {"public_url": "https://hub.example"}
        async with open_house(tmp_path, database_url, messenger.set_up(), **public) as house:
            await house.line_runs("messenger")
            yield Office(house, messenger)


async def test_a_message_is_answered_where_it_came_from(office: Office) -> None:
    house, messenger = office.house, office.messenger
    call = messenger.said("Где мой заказ 4711?")
    assert [await office.call(call) for _ in range(3)] == [200] * 3
    asked = await house.inbound()
    assert len(await house.rows(models.interaction)) == 1
    assert (asked["text"], asked["line"], asked["team"]) == ("Где мой заказ 4711?", "messenger", "support")
    assert (await house.row(models.client))["name"] == "Иван Петров"
    await office.answer(asked["conversation_id"], "Он уже едет к вам.")
    assert messenger.heard() == ["Он уже едет к вам."]
    await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")
    assert await house.search("едет") != []


async def test_a_forged_call_leaves_nothing(office: Office) -> None:
    assert await office.call(office.messenger.forged()) == 401
    assert await office.house.rows(models.interaction) == []


async def test_who_forbids_it_is_left_alone(office: Office) -> None:
    house, messenger = office.house, office.messenger
    await office.call(messenger.said("Где заказ?"))
    asked = await house.inbound(kind="message")
    assert await office.call(messenger.forbidden()) == 200
    note = await house.inbound(kind="note")
    assert note["client_id"] == asked["client_id"] and note["fields"] == {"opted_out": True}
    assert (await house.row(models.obligation))["started_by"] == asked["id"]
