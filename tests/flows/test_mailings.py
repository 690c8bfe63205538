"""Mailings through the API, to a real SMTP server and to Telegram: each has a way out, and whoever takes it is left
alone by mailings and answered further on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.access.tokens import make_token
from storage import models
from tests.flows.house import House, open_house
from tests.peers.smtp import SmtpServer
from tests.peers.telegram import BotApi

Row = dict[str, Any]
ANNA, NEWS = "anna@client.example", "Осенние скидки"


def lines(smtp: SmtpServer, api: BotApi) -> str:
    """Nothing is fetched here, so nobody is at the IMAP end."""
    return (
        '[line.news]\nchannel = "email"\nteam = "support"\naddress = "news@office.example"\n'
        'imap = { host = "127.0.0.1", port = 9, user = "u", password = "p", tls = false, timeout_s = 1 }\n'
        f'smtp = {{ host = "127.0.0.1", port = {smtp.port}, tls = false, timeout_s = 5 }}\n'
        f'[line.bot]\nchannel = "telegram"\nteam = "support"\ntoken = "{api.token}"\nbase_url = "{api.base_url}"\n'
    )


@dataclass(slots=True)
class Office:
    """A house as programs see it."""

    house: House
    smtp: SmtpServer
    api: BotApi
    token: str

    async def call(self, method: str, path: str, body: Row | None = None) -> tuple[int, Row]:
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.house.address}/api/v1{path}"
        async with self.house.http.request(method, address, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def agree(self, client: int, channel: str) -> None:
        said = {"channel": channel, "purpose": "marketing", "state": "given", "text": "Присылайте", "version": "1"}
        status, told = await self.call("POST", f"/clients/{client}/consents", said)
        assert status == 201, told

    async def mail(self, client: int) -> tuple[int, Row]:
        """One mailing by mail."""
        letter = {"client": client, "line": "news", "subject": NEWS, "text": "Всё дешевле", "purpose": "marketing"}
        return await self.call("POST", "/conversations", letter)

    async def received(self, count: int) -> EmailMessage:
        """The last of so many mails that went out."""
        raw = (await self.smtp.wait_for(count))[-1].raw
        found = message_from_bytes(raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def link(self, mail: EmailMessage) -> str:
        """Where its way out leads, by the port that the test's house happens to have."""
        address = str(mail["List-Unsubscribe"])
        assert address.startswith("<https://office.example/unsubscribe/") and address.endswith(">")
        return self.house.address + urlsplit(address[1:-1]).path

    async def wishes(self, client: int) -> list[Row]:
        return [one for one in await self.house.rows(models.consent, client_id=client) if one["state"] == "refused"]


@pytest.fixture
async def office(tmp_path: Path, database_url: str, smtp: SmtpServer) -> AsyncIterator[Office]:
    async with (
        BotApi() as api,
        open_house(tmp_path, database_url, lines(smtp, api), public_url="https://office.example") as house,
    ):
        token = await house.store.write(lambda unit: make_token(unit, "shop", "admin"))
        await house.line_runs("bot")
        yield Office(house, smtp, api, token)


async def test_one_click_in_a_mail_program_stops_mailings_and_nothing_else(office: Office) -> None:
    house = office.house
    await house.post("contact", {"name": "Анна", "email": ANNA, "message": "Где мой заказ?"})
    asked = await house.inbound(kind="form")
    client = asked["client_id"]
    assert (await office.mail(client))[1]["error"]["code"] == "not_wanted", "nobody has agreed yet"
    await office.agree(client, "email")
    assert (await office.mail(client))[0] == 201
    mail = await office.received(1)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = office.link(mail)
    async with house.http.get(link) as page:
        assert page.status == 200 and ANNA in await page.text()
    assert await office.wishes(client) == [], "a scanner that follows links stops nothing"
    for _ in range(2):
        async with house.http.post(link, data={"List-Unsubscribe": "One-Click"}) as answer:
            assert answer.status == 200
    (said,) = await office.wishes(client)
    assert (said["channel"], said["purpose"], said["source"]) == ("email", "marketing", "link")
    assert (said["identity"], said["text"]) == (f"email:{ANNA}", "List-Unsubscribe=One-Click")
    status, refused = await office.mail(client)
    assert (status, refused["error"]["code"]) == (409, "not_wanted")
    answer_to = {"text": "Едет.", "line": "news", "to": [f"email:{ANNA}"]}
    status, told = await office.call("POST", f"/conversations/{asked['conversation_id']}/replies", answer_to)
    assert status == 201, told
    assert (await office.received(2))["List-Unsubscribe"] is None, "an answer is no mailing"


async def test_the_page_stops_them_too_and_other_addresses_are_nobodys(office: Office) -> None:
    house = office.house
    await house.post("contact", {"name": "Анна", "email": ANNA, "message": "Вопрос"})
    client = (await house.inbound(kind="form"))["client_id"]
    await office.agree(client, "email")
    await office.mail(client)
    link = office.link(await office.received(1))
    for other in (link[:-3] + "aaa", link.replace("/unsubscribe/", "/unsubscribe/0")):
        async with house.http.post(other) as answer:
            assert answer.status == 404
    async with house.http.post(link, headers={"Accept-Language": "ru"}) as page:
        assert page.status == 200 and "рассылок" in await page.text()
    (said,) = await office.wishes(client)
    assert said["text"] == "Я больше не хочу рассылок на этот адрес."


async def test_a_mailing_in_a_messenger_has_a_button_that_stops_them(office: Office) -> None:
    house, api = office.house, office.api
    asked = api.say("Здравствуйте")
    talk = await house.inbound(external_id=f"55:{asked['message_id']}")
    client = talk["client_id"]
    await office.agree(client, "telegram")
    letter = {"client": client, "line": "bot", "text": "Скидки!", "purpose": "marketing"}
    assert (await office.call("POST", "/conversations", letter))[0] == 201

    async def sent() -> bool:
        return bool(api.calls)

    await house.wait_until("the mailing is out", sent)
    (keys,) = api.calls[0].params["reply_markup"]["inline_keyboard"]
    assert keys == [{"text": "Без рассылок", "callback_data": "stop:marketing"}]
    api.press(api.calls[0].message_id, "stop:marketing")
    said = await house.wait_for_row(models.consent, state="refused")
    assert (said["channel"], said["purpose"], said["source"]) == ("telegram", "marketing", "message")
    status, refused = await office.call("POST", "/conversations", letter)
    assert (status, refused["error"]["code"]) == (409, "not_wanted")
    answer_to = {"text": "Чем помочь?"}
    assert (await office.call("POST", f"/conversations/{talk['conversation_id']}/replies", answer_to))[0] == 201
