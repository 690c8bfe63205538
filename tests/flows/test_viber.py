"""From a client's Viber to the log, answers and files back, and that Viber really calls the hub's public address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hub.actions.writing import Letter, reply
from hub.actor import Actor
from hub.app import open_hub
from hub.settings import Settings
from storage import models
from storage.unit import Unit
from tests.flows.house import EVERYTHING, OFFICE, House, bring
from tests.peers.viber import IVAN, TOKEN, Viber, signed
from tests.peers.workshop import free_port

ANNA = Actor("operator", "anna", "operator", ("support",))
Row = dict[str, Any]


@dataclass(slots=True)
class Office:
    """A house with one bot, and Viber."""

    house: House
    viber: Viber

    async def ask(self, text: str, **more: Any) -> Row:
        """A client writes; the interaction, once it is in the log."""
        event = self.viber.said(text, **more)
        self.viber.push(event)
        return await self.house.inbound(external_id=str(event["message_token"]))

    async def answer(self, conversation: int, letter: Letter) -> int:
        """Anna answers; the number of the delivery."""
        setup = self.house.hub.setup.current
        return await self.house.store.write(lambda unit: reply(unit, setup, conversation, ANNA, letter))


@pytest.fixture
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    port = free_port()
    address = f"127.0.0.1:{port}"
    settings = Settings(home=tmp_path, database_url=database_url, listen=address, public_url=f"http://{address}")
    async with Viber() as viber:
        line = f'[line.vb]\nchannel = "viber"\nteam = "support"\ntoken = "{TOKEN}"\nbase_url = "{viber.base_url}"\n'
        await asyncio.to_thread(bring, settings, "\n".join((OFFICE, line)))
        async with open_hub(settings, EVERYTHING) as (hub, address), ClientSession() as http:
            house = House(hub, address, http)
            await house.line_runs("vb")
            yield Office(house, viber)


async def test_a_message_is_in_the_log_and_its_answer_is_seen(office: Office) -> None:
    house, viber = office.house, office.viber
    assert viber.webhook == f"{house.address}/hooks/vb"
    asked = await office.ask("Де моє замовлення 4711?")
    assert (asked["channel"], asked["line"], asked["team"], asked["language"]) == ("viber", "vb", "support", "uk")
    assert (await house.row(models.client, id=asked["client_id"]))["name"] == "Иван Петров"
    number = await office.answer(asked["conversation_id"], Letter("Вже їде до вас."))
    sent = await house.wait_for_row(models.delivery, id=number, state="sent")
    assert viber.texts() == ["Вже їде до вас."] and viber.taken[0]["sender"]["name"] == "Анна Соколова"
    assert sent["external_id"] == viber.taken[0]["token"]
    await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")
    for kind in ("seen", "delivered"):
        viber.push({**viber.event(kind, user_id=IVAN["id"]), "message_token": int(sent["external_id"])})
    await house.wait_for_row(models.delivery, id=number, state="read")


async def test_viber_fetches_the_file_of_an_answer_from_the_hub(office: Office) -> None:
    house, viber = office.house, office.viber
    asked = await office.ask("Надішліть рахунок")
    file = await house.store.write(lambda unit: _upload(unit, house.store.files.keep(b"%PDF-1.7")))
    number = await office.answer(asked["conversation_id"], Letter("Ось він", attachments=(file,)))
    await house.wait_for_row(models.delivery, id=number, state="sent")
    assert [one["type"] for one in viber.taken] == ["text", "file"]
    assert viber.fetched == [("application/octet-stream", b"%PDF-1.7")]


def _upload(unit: Unit, path: str) -> int:
    kept = {"name": "Рахунок.pdf", "media_type": "application/pdf", "size": 8, "path": path}
    made = unit.connection.execute(models.attachment.insert().values(**kept)).inserted_primary_key
    assert made is not None
    return int(made[0])


async def test_a_clients_file_is_kept_with_its_message(office: Office) -> None:
    url = office.viber.keep_media("krany", b"\xff\xd8jpeg")
    asked = await office.ask("Ось такий", type="picture", media=url)
    kept = await office.house.row(models.attachment, interaction_id=asked["id"])
    assert office.house.store.files.read(kept["path"]) == b"\xff\xd8jpeg"


async def test_who_unsubscribes_is_noted_and_what_was_on_its_way_fails(office: Office) -> None:
    house, viber = office.house, office.viber
    asked = await office.ask("Де замовлення?")
    viber.push(viber.event("unsubscribed", user_id=IVAN["id"]))
    note = await house.wait_for_row(models.interaction, kind="note")
    assert (note["fields"], note["client_id"]) == ({"opted_out": True}, asked["client_id"])
    viber.strangers.add(IVAN["id"])
    again = await office.ask("То де воно?")
    number = await office.answer(again["conversation_id"], Letter("Їде."))
    failed = await house.wait_for_row(models.delivery, id=number, state="failed")
    assert "not subscribed" in failed["reason"]


async def test_repeats_forgeries_and_nonsense(office: Office) -> None:
    house, viber = office.house, office.viber
    event = viber.said("Один раз")
    for _ in range(3):
        viber.push(event)
    await house.inbound(text="Один раз")
    body = b'{"event": "message", "message_token": 7}'
    forged = {**signed(body), "X-Viber-Content-Signature": "0" * 64}
    for headers, status in ((forged, 401), ({}, 401), (signed(body), 200)):
        async with house.http.post(viber.webhook, data=body, headers=headers) as answer:
            assert answer.status == status
    odd = await house.wait_for_row(models.interaction, text="")
    assert odd["remarks"] == ["this event could not be read: KeyError"]
    await house.wait_until("all heard", lambda: _heard(viber, 4))
    assert len(await house.rows(models.interaction)) == 2


async def _heard(viber: Viber, count: int) -> bool:
    return [status for status, _ in viber.answers].count(200) >= count
