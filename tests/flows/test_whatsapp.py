"""From a client's WhatsApp to the log, answers back, statuses, files that come late, and the window of a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from channels.touch import Approved, Identity
from channels.whatsapp import FREE_TEXT
from hub.access.tickets import make_ticket, sign_in_path
from hub.actions.writing import Letter, reply
from hub.actor import Actor
from hub.errors import Conflict
from hub.outbound import Outgoing, write_down
from storage import models
from tests.channels.whatsapp.rig import told
from tests.flows.house import House, open_house
from tests.peers.whatsapp import CLIENT, OUR_NUMBER, GraphApi, signed

ANNA = Actor("operator", "anna", "operator", ("support",))
Row = dict[str, Any]


def whatsapp_line(api: GraphApi) -> str:
    keys = "".join(f'{name} = "{value}"\n' for name, value in told(api).items() if name != "timeout_s")
    return f'[line.wa]\nchannel = "whatsapp"\nteam = "support"\ntimeout_s = 5\n{keys}'


@dataclass(slots=True)
class Office:
    """A house with one number, and WhatsApp, which calls the house's own web server."""

    house: House
    api: GraphApi

    async def ask(self, text: str, **more: Any) -> Row:
        """A client writes; the interaction, once it is in the log."""
        body = self.api.said(text, **more)
        self.api.push(body)
        message = body["entry"][0]["changes"][0]["value"]["messages"][0]
        return await self.house.inbound(external_id=message["id"])

    async def answer(self, conversation: int, text: str) -> int:
        """Anna answers; the number of the delivery."""
        setup = self.house.hub.setup.current
        return await self.house.store.write(lambda unit: reply(unit, setup, conversation, ANNA, Letter(text)))


@pytest.fixture
async def office(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr("channels.fetching.PAUSES", (0.01, 0.01))
    async with GraphApi() as api, open_house(tmp_path, database_url, whatsapp_line(api)) as house:
        await house.line_runs("wa")
        api.hook = f"{house.address}/hooks/wa"
        yield Office(house, api)


async def test_a_message_is_in_the_log_and_its_answer_is_followed_to_the_blue_ticks(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Где мой заказ 4711?")
    assert (asked["channel"], asked["line"], asked["team"]) == ("whatsapp", "wa", "support")
    client = await house.row(models.client, id=asked["client_id"])
    assert client["name"] == "Иван Петров"
    assert (await house.row(models.identity, scheme="phone"))["value"] == f"+{CLIENT}"
    number = await office.answer(asked["conversation_id"], "Он уже едет к вам.")
    sent = await house.wait_for_row(models.delivery, id=number, state="sent")
    assert api.texts() == ["Он уже едет к вам."] and sent["external_id"] == api.taken[0].id
    assert api.taken[0].said["context"] == {"message_id": asked["external_id"]}
    await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")
    for state in ("delivered", "read", "delivered"):
        api.push(api.status(api.taken[0], state))
        await asyncio.sleep(0)
    await house.wait_for_row(models.delivery, id=number, state="read")


async def test_blue_ticks_come_once_somebody_has_opened_the_conversation(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Где мой заказ?")
    ticket = await house.store.write(lambda unit: make_ticket(unit, "sign_in", "anna"))
    page = f"{house.address}/desk/conversations/{asked['conversation_id']}"
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as desk:
        async with desk.get(f"{house.address}{sign_in_path(ticket)}") as door:
            assert door.status == 200
        async with desk.get(f"{page}?part=messages") as part:
            assert part.status == 200 and api.read == []
        api.refusals.append((500, None))

        async def told() -> bool:
            async with desk.get(page) as shown:
                assert shown.status == 200
            return bool(api.read)

        await house.wait_until("what WhatsApp refused at first is told when the page is opened again", told)
        await told()
    assert api.read == [asked["external_id"]]


async def test_an_answer_in_the_business_app_is_an_answer(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Где заказ?")
    echo = {**api.message(text={"body": "Уже едет"}), "from": OUR_NUMBER, "to": CLIENT}
    body = api.body(contacts=(), message_echoes=[echo])
    body["entry"][0]["changes"][0]["field"] = "smb_message_echoes"
    api.push(body)
    answer = await house.wait_for_row(models.interaction, direction="outbound")
    assert (answer["text"], answer["conversation_id"]) == ("Уже едет", asked["conversation_id"])
    await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")


async def test_an_edit_grows_its_message_and_asks_nothing_anew(office: Office) -> None:
    house, api = office.house, office.api
    image = {"id": api.keep_media(b"jpeg"), "mime_type": "image/jpeg", "caption": "Где закас?"}
    first = api.message("image", image=image)
    api.push(api.body(messages=[first]))
    await house.inbound(external_id=first["id"])
    new = {"context": {"id": "M0"}, "type": "image", "image": {**image, "caption": "Где заказ?"}}
    edit = {"original_message_id": first["id"], "message": new}
    api.push(api.body(messages=[api.message("edit", edit=edit)]))
    row = await house.inbound(text="Где заказ?")
    assert row["external_id"] == first["id"]
    touches = await house.rows(models.touch, interaction_id=row["id"])
    assert [(one["phase"], one["text"]) for one in touches] == [(None, "Где закас?"), ("edited", "Где заказ?")]
    assert len(await house.rows(models.obligation)) == 1


async def test_who_wants_no_marketing_is_answered_all_the_same(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Сколько стоит?")
    stop = {"wa_id": CLIENT, "detail": "User requested to stop marketing messages", "category": "marketing_messages"}
    body = api.body(user_preferences=[{**stop, "value": "stop", "timestamp": int(asked["at"].timestamp())}])
    body["entry"][0]["changes"][0]["field"] = "user_preferences"
    api.push(body)
    said = await house.wait_for_row(models.consent)
    assert (said["channel"], said["purpose"], said["state"]) == ("whatsapp", "marketing", "refused")
    assert said["text"] == stop["detail"] and said["client_id"] == asked["client_id"]
    number = await office.answer(asked["conversation_id"], "Тысячу.")
    await house.wait_for_row(models.delivery, id=number, state="sent")
    body["entry"][0]["changes"][0]["value"]["user_preferences"][0] |= {"value": "resume"}
    api.push(body)
    await house.wait_for_row(models.consent, purpose="marketing", state="given")


async def test_a_caller_and_a_writer_are_one_client(office: Office) -> None:
    asked = await office.ask("Перезвоните мне")
    await office.house.post("contact", {"phone": "8 916 123-45-67", "message": "А теперь с сайта"})
    form = await office.house.inbound(kind="form")
    assert form["client_id"] == asked["client_id"]


async def test_a_failed_message_reopens_what_it_answered(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Где заказ?")
    number = await office.answer(asked["conversation_id"], "Едет.")
    await house.wait_for_row(models.delivery, id=number, state="sent")
    error = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Not on WhatsApp."}}
    api.push(api.status(api.taken[0], "failed", errors=[error]))
    failed = await house.wait_for_row(models.delivery, id=number, state="failed")
    assert failed["reason"] == "131026 Message undeliverable: Not on WhatsApp."
    talk = await house.row(models.conversation, id=asked["conversation_id"])
    assert talk["waiting_id"] == asked["id"]
    assert (await house.row(models.identity, scheme="phone"))["bounced_at"] is None


async def test_an_answer_to_our_message_finds_its_conversation_and_repeats_change_nothing(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Где заказ?")
    number = await office.answer(asked["conversation_id"], "Едет.")
    await house.wait_for_row(models.delivery, id=number, state="sent")
    body = api.said("Так и не приехал", context={"from": "48501234567", "id": api.taken[0].id})
    for _ in range(3):
        api.push(body)
    again = await house.inbound(text="Так и не приехал")
    await house.wait_until("three calls heard", lambda: _heard(api, 4))
    assert again["conversation_id"] == asked["conversation_id"]
    assert len(await house.rows(models.interaction, direction="inbound")) == 2


async def _heard(api: GraphApi, count: int) -> bool:
    return api.statuses.count(200) >= count


async def test_a_file_that_comes_late_joins_its_message_and_asks_nothing_anew(office: Office) -> None:
    house, api = office.house, office.api
    number = api.keep_media(b"%PDF-1.7", "application/pdf")
    document = {"id": number, "mime_type": "application/pdf", "filename": "Счёт.pdf", "caption": "Мой счёт"}
    api.media_refusals += [500] * 4
    api.push(api.body(messages=[api.message("document", document=document)]))
    kept = await house.wait_for_row(models.attachment)
    row = await house.row(models.interaction, direction="inbound")
    assert (kept["interaction_id"], kept["name"], row["text"], row["has_files"]) == (
        row["id"],
        "Счёт.pdf",
        "Мой счёт",
        True,
    )
    assert house.store.files.read(kept["path"]) == b"%PDF-1.7"
    assert [remark.partition(":")[0] for remark in row["remarks"]] == [
        "the file Счёт.pdf could not be fetched",
        "fetched after all",
    ]
    assert len(await house.rows(models.obligation)) == 1


async def test_after_a_day_only_a_template_goes_out(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Где заказ?")
    await house.store.write(lambda unit: _age(unit, asked["id"], timedelta(hours=25)))
    with pytest.raises(Conflict):
        await office.answer(asked["conversation_id"], "Ещё актуально?")
    setup = house.hub.setup.current
    message = Outgoing(
        line="wa",
        client=asked["client_id"],
        conversation=asked["conversation_id"],
        to=(Identity("whatsapp", CLIENT),),
        text="Иван, ваш заказ готов",
        operator="anna",
        template=Approved("order_ready", "ru", ("Иван",)),
    )
    _, number = await house.store.write(lambda unit: write_down(unit, setup, message))
    await house.wait_for_row(models.delivery, id=number, state="sent")
    assert api.taken[0].kind == "template"


def _age(unit: Any, number: int, by: timedelta) -> None:
    table = models.interaction
    unit.connection.execute(table.update().where(table.c.id == number).values(at=unit.now - by))


WINDOW = """
[regulation.whatsapp-window]
title = "WhatsApp: пока ответ свободен"
kind = "respond"
for = { channel = ["whatsapp"] }
within = "24 hours"
slot = "window"
calendar = "always"
steps = [{ when = "-2 hours", do = "alert", to = "lead" }]
"""


async def test_the_window_is_a_second_deadline_with_a_warning_of_its_own(tmp_path: Path, database_url: str) -> None:
    """As the channel's README shows it: an ordinary regulation, beside the one that was there."""
    async with GraphApi() as api, open_house(tmp_path, database_url, whatsapp_line(api), WINDOW) as house:
        await house.line_runs("wa")
        api.hook = f"{house.address}/hooks/wa"
        asked = await Office(house, api).ask("Где заказ?")
        promises = await house.rows(models.obligation, started_by=asked["id"])
        assert {one["regulation"] for one in promises} == {"reaction", "whatsapp-window"}
        (window,) = (one for one in promises if one["regulation"] == "whatsapp-window")
        assert window["due"] - asked["at"] == FREE_TEXT
        assert window["next_at"] == window["due"] - timedelta(hours=2)


async def test_forged_calls_and_malformed_ones(office: Office) -> None:
    house, api = office.house, office.api
    body = b'{"entry": [{"changes": [{"field": "messages", "value": {"messages": [{"id": "wamid.X"}]}}]}]}'
    forged = {**signed(body), "X-Hub-Signature-256": "sha256=" + "0" * 64}
    for headers, status in ((forged, 401), ({}, 401), (signed(body), 200)):
        async with house.http.post(api.hook, data=body, headers=headers) as answer:
            assert answer.status == status
    (row,) = await house.rows(models.interaction)
    assert row["remarks"] == ["this message could not be read: KeyError"]
    raw = await house.row(models.raw)
    assert raw["media_type"] == "application/vnd.whatsapp.message+json"
    assert (await office.ask("Живы?"))["text"] == "Живы?"
