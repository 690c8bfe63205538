"""From a client's Telegram to the log, and answers back into his Telegram; by poll and by webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from channels.touch import Identity
from hub.actions.writing import Letter, reply
from hub.actor import Actor
from hub.app import open_hub
from hub.errors import NotWanted
from hub.outbound import Outgoing, write_down
from hub.settings import Settings
from storage import models
from tests.flows.house import EVERYTHING, OFFICE, House, bring, open_house
from tests.peers.telegram import BOT, CLIENT, BotApi
from tests.peers.workshop import free_port

ANNA = Actor("operator", "anna", "operator", ("support",))
SECRET = "s3cret_of-the-flow"
Row = dict[str, Any]


def bot_line(api: BotApi, **more: str) -> str:
    extra = "".join(f"{name} = {value}\n" for name, value in more.items())
    return (
        f'[line.bot]\nchannel = "telegram"\nteam = "support"\ntoken = "{api.token}"\n'
        f'base_url = "{api.base_url}"\ntimeout_s = 5\n{extra}'
    )


@dataclass(slots=True)
class Office:
    """A house with one bot, and Telegram."""

    house: House
    api: BotApi

    async def ask(self, text: str, **more: Any) -> Row:
        """A client writes; the interaction, once it is in the log."""
        message = self.api.say(text, **more)
        return await self.house.inbound(external_id=f"{message['chat']['id']}:{message['message_id']}")

    async def answer(self, conversation: int, text: str) -> Row:
        """Anna answers; the delivery, once it is sent."""
        setup = self.house.hub.setup.current
        number = await self.house.store.write(lambda unit: reply(unit, setup, conversation, ANNA, Letter(text)))
        return await self.house.wait_for_row(models.delivery, id=number, state="sent")

    async def inbound(self) -> list[Row]:
        return await self.house.rows(models.interaction, direction="inbound")


@asynccontextmanager
async def open_office(home: Path, url: str, **more: str) -> AsyncIterator[Office]:
    async with BotApi() as api, open_house(home, url, bot_line(api, **more)) as house:
        await house.line_runs("bot")
        yield Office(house, api)


@pytest.fixture
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with open_office(tmp_path, database_url) as opened:
        yield opened


async def test_a_message_is_in_the_log_and_its_answer_in_the_clients_telegram(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Где мой заказ 4711?")
    assert (asked["channel"], asked["line"], asked["team"], asked["language"]) == ("telegram", "bot", "support", "ru")
    client = await house.row(models.client, id=asked["client_id"])
    assert client["name"] == "Иван Петров"
    promise = await house.row(models.obligation, started_by=asked["id"])
    assert promise["state"] == "running"
    assert await house.search("заказ 4711") == [asked["id"]]
    sent = await office.answer(asked["conversation_id"], "Он уже едет к вам.")
    assert api.texts() == ["Он уже едет к вам."]
    assert f"55:{api.calls[0].params['reply_parameters']['message_id']}" == asked["external_id"]
    assert sent["external_id"] == f"55:{api.calls[0].message_id}"
    await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")


async def test_messages_close_together_are_one_conversation(office: Office) -> None:
    first = await office.ask("Здравствуйте")
    second = await office.ask("Где мой заказ?")
    assert second["conversation_id"] == first["conversation_id"] and second["client_id"] == first["client_id"]
    assert len(await office.house.rows(models.obligation)) == 1


async def test_an_edit_grows_its_message_and_asks_nothing_anew(office: Office) -> None:
    message = office.api.say("Где закас?")
    office.api.edit(message, "Где заказ?")
    row = await office.house.inbound(text="Где заказ?")
    assert [one["id"] for one in await office.inbound()] == [row["id"]]
    touches = await office.house.rows(models.touch, interaction_id=row["id"])
    assert [(one["phase"], one["text"]) for one in touches] == [(None, "Где закас?"), ("edited", "Где заказ?")]
    assert len(await office.house.rows(models.obligation)) == 1


async def test_a_caption_that_changes_brings_no_second_file(office: Office) -> None:
    photo = [{**office.api.keep_file(b"jpeg"), "width": 9, "height": 9}]
    message = office.api.say(None, photo=photo, caption="Вот кран")
    await office.house.inbound(text="Вот кран")
    office.api.happen("edited_message", {**message, "caption": "Вот такой кран", "edit_date": message["date"] + 1})
    row = await office.house.inbound(text="Вот такой кран")
    assert len(await office.house.rows(models.attachment, interaction_id=row["id"])) == 1


async def test_an_answer_to_our_message_belongs_to_its_conversation_even_when_closed(office: Office) -> None:
    house = office.house
    asked = await office.ask("Где заказ?")
    await office.answer(asked["conversation_id"], "Едет.")
    ours = office.api.calls[0]
    await house.store.write(lambda unit: _close(unit, asked["conversation_id"]))
    quoted = {"message_id": ours.message_id, "from": BOT, "chat": {"id": 55, "type": "private"}, "date": 1}
    again = await office.ask("Так и не приехал", reply_to_message=quoted)
    fresh = await office.ask("И ещё вопрос")
    assert again["conversation_id"] == asked["conversation_id"] == fresh["conversation_id"]
    talk = await house.row(models.conversation, id=asked["conversation_id"])
    assert (talk["state"], talk["waiting_id"]) == ("open", again["id"])


def _close(unit: Any, number: int) -> None:
    table = models.conversation
    unit.connection.execute(table.update().where(table.c.id == number).values(state="solved"))


async def test_a_rating_reopens_nothing_and_the_last_press_counts(office: Office) -> None:
    house, api = office.house, office.api
    asked = await office.ask("Спасибо!")
    setup = house.hub.setup.current
    stars = [{"text": f"{number} ★", "value": f"rate:{number}"} for number in range(1, 6)]
    question = Outgoing(
        line="bot",
        client=asked["client_id"],
        conversation=asked["conversation_id"],
        to=(Identity("telegram", "55"),),
        text="Как мы справились?",
        operator=None,
        automatic=True,
        options={"buttons": stars},
    )
    _, delivery = await house.store.write(lambda unit: write_down(unit, setup, question))
    await house.wait_for_row(models.delivery, id=delivery, state="sent")
    await house.store.write(lambda unit: _close(unit, asked["conversation_id"]))
    api.press(api.calls[0].message_id, "rate:3")
    api.press(api.calls[0].message_id, "rate:5")
    note = await house.wait_for_row(models.interaction, kind="note", text="5 ★")
    assert note["fields"] == {"rating": 5} and note["conversation_id"] == asked["conversation_id"]
    assert len(await house.rows(models.interaction, kind="note")) == 1
    assert (await house.row(models.conversation))["state"] == "solved"
    assert len(await house.rows(models.obligation)) == 1


async def test_stop_is_a_note_that_makes_nobody_wait(office: Office) -> None:
    note = await office.ask("/stop")
    assert (note["kind"], note["fields"]) == ("note", {"opted_out": True})
    assert (await office.house.row(models.conversation))["waiting_since"] is None
    assert await office.house.rows(models.obligation) == []


async def test_who_blocks_the_bot_is_noted_and_not_written_to(office: Office) -> None:
    house = office.house
    asked = await office.ask("Где заказ?")
    office.api.block()
    note = await house.wait_for_row(models.interaction, kind="note")
    assert (note["fields"], note["automatic"], note["client_id"]) == (
        {"opted_out": True},
        "auto_reply",
        asked["client_id"],
    )
    setup = house.hub.setup.current
    with pytest.raises(NotWanted):
        await house.store.write(lambda unit: reply(unit, setup, asked["conversation_id"], ANNA, Letter("Едет.")))
    refused = await house.row(models.consent, client_id=asked["client_id"])
    assert (refused["channel"], refused["state"], refused["source"]) == ("telegram", "refused", "channel")
    promise = await house.row(models.obligation, started_by=asked["id"])
    assert promise["state"] == "running"


async def test_what_telegram_says_while_sending_is_a_refusal_too(office: Office) -> None:
    """He blocks the bot, and the update about it is lost: sending finds out."""
    house = office.house
    asked = await office.ask("Где заказ?")
    office.api.blocked.add(55)
    setup = house.hub.setup.current
    number = await house.store.write(lambda unit: reply(unit, setup, asked["conversation_id"], ANNA, Letter("Едет.")))
    failed = await house.wait_for_row(models.delivery, id=number, state="failed")
    assert "blocked" in failed["reason"]
    refused = await house.wait_for_row(models.consent, client_id=asked["client_id"])
    assert (refused["identity"], refused["source"], refused["state"]) == ("telegram:55", "channel", "refused")


async def test_how_did_we_do_is_asked_with_buttons_once_and_kept(tmp_path: Path) -> None:
    async with open_office(tmp_path, f"sqlite:///{tmp_path / 'touchline.db'}", rate='"Как мы справились?"') as office:
        house, api = office.house, office.api
        asked = await office.ask("Где заказ?")
        setup = house.hub.setup.current
        letter = Letter("Едет.", close="answered")
        await house.store.write(lambda unit: reply(unit, setup, asked["conversation_id"], ANNA, letter))
        question = await house.wait_for_row(models.rating, seconds=60, conversation_id=asked["conversation_id"])
        await house.wait_for_row(models.delivery, interaction_id=question["asked_id"], state="sent")
        assert api.texts() == ["Едет.", "Как мы справились?"]
        api.press(api.calls[-1].message_id, "rate:4")

        async def rated() -> bool:
            return bool((await house.row(models.rating))["score"] == 4)

        await house.wait_until("the rating is kept", rated)
        assert (await house.row(models.conversation))["state"] == "solved"


async def test_a_shared_phone_makes_the_caller_and_the_writer_one_client(office: Office) -> None:
    house = office.house
    asked = await office.ask("Перезвоните мне")
    contact = {"phone_number": "79161234567", "first_name": "Иван", "user_id": CLIENT["id"]}
    office.api.say(contact=contact)
    await house.inbound(text="☎ Иван +79161234567")
    identity = await house.wait_for_row(models.identity, scheme="phone", value="+79161234567")
    assert identity["client_id"] == asked["client_id"]
    await house.post("contact", {"phone": "8 916 123-45-67", "message": "А теперь с сайта"})
    form = await house.inbound(kind="form")
    assert form["client_id"] == asked["client_id"]


async def test_files_are_kept_with_their_message(office: Office) -> None:
    document = {**office.api.keep_file(b"%PDF-1.7"), "file_name": "Счёт.pdf", "mime_type": "application/pdf"}
    asked = await office.ask("", caption="Мой счёт", document=document)
    kept = await office.house.row(models.attachment, interaction_id=asked["id"])
    assert (kept["name"], kept["media_type"], kept["size"]) == ("Счёт.pdf", "application/pdf", 8)
    assert office.house.store.files.read(kept["path"]) == b"%PDF-1.7"


async def test_updates_that_come_again_are_one_row(office: Office) -> None:
    message = office.api.say("Один раз")
    office.api.happen("message", message)
    office.api.say("Последнее")
    await office.house.inbound(text="Последнее")
    assert [row["text"] for row in await office.inbound()] == ["Один раз", "Последнее"]


async def test_malformed_updates_are_rows_that_somebody_looks_at(office: Office) -> None:
    office.api.happen("message", {"from": CLIENT, "date": "вчера", "text": "?"})
    row = await office.house.inbound()
    assert row["remarks"] == ["this update could not be read: KeyError"]
    assert (await office.house.row(models.raw))["media_type"] == "application/vnd.telegram.update+json"
    assert (await office.ask("Живы?"))["client_id"] == row["client_id"]


async def test_an_outage_of_telegram_is_told_and_over(office: Office) -> None:
    house, api = office.house, office.api
    await api.stop()
    await house.wait_for_row(models.line_health, line="bot", state="will_retry")
    await api.start()
    await house.line_runs("bot")
    assert (await office.ask("Снова здесь"))["line"] == "bot"


async def test_by_webhook_the_hub_is_called_at_its_public_address(tmp_path: Path, database_url: str) -> None:
    """Pushed by our Bot API through the hub's web server, with the secret from the set-up; a forged push is refused."""
    port = free_port()
    settings = Settings(
        home=tmp_path, database_url=database_url, listen=f"127.0.0.1:{port}", public_url=f"http://127.0.0.1:{port}"
    )
    async with BotApi() as api:
        line = bot_line(api, webhook="true", webhook_secret=f'"{SECRET}"')
        await asyncio.to_thread(bring, settings, "\n".join((OFFICE, line)))
        async with open_hub(settings, EVERYTHING) as (hub, address), ClientSession() as http:
            house = House(hub, address, http)
            await house.line_runs("bot")
            message = api.say("По вебхуку")
            row = await house.inbound(text="По вебхуку")
            assert api.webhook["url"] == f"http://127.0.0.1:{port}/hooks/bot" and api.polls == []
            update = {"update_id": 999999, "message": message}
            for secret, status in ((SECRET, 200), ("forged", 401)):
                headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
                async with http.post(f"{address}/hooks/bot", json=update, headers=headers) as answer:
                    assert answer.status == status
            assert [one["id"] for one in await house.rows(models.interaction)] == [row["id"]]
