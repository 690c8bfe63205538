"""Consents, ways, templates, costs and ratings through the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.touch import Kind, Thread
from hub import ratings
from hub.actions import clients
from storage import models
from tests.hub.api.caller import Caller, open_caller
from tests.hub.office import VERA, Office
from tests.hub.test_doors import CHAT, LINES, PHONE, learn, says

TEMPLATE = """
[template.late]
title = { ru = "Задержка", en = "Late" }
text = { ru = "{{ client }}, заказ {{ field.order }} едет.", en = "{{ client }}, {{ field.order }} is coming." }
"""


@pytest.fixture
async def caller(office: Office, tmp_path: Path) -> AsyncIterator[Caller]:
    learn(office, LINES + TEMPLATE)
    async with open_caller(office, tmp_path) as opened:
        yield opened


def begin(office: Office) -> dict[str, Any]:
    """Somebody without a name writes by SMS and by Telegram."""
    office.act(clients.create, VERA, {}, (str(PHONE), str(CHAT)))
    asked = says(office, "Где заказ?", "sms")
    says(office, "Тук-тук", "bot")
    return asked


async def test_consents_are_noted_listed_and_obeyed(caller: Caller, office: Office) -> None:
    asked = begin(office)
    address = f"/api/v1/clients/{asked['client_id']}/consents"
    made = await caller.call("POST", address, {"state": "refused", "channel": "sms", "reason": "сказал по телефону"})
    assert (made.status, made.body["source"], made.body["purpose"]) == (201, "api", "all")
    reply = f"/api/v1/conversations/{asked['conversation_id']}/replies"
    refused = await caller.call("POST", reply, {"text": "Едет", "line": "sms"})
    assert (refused.status, refused.error["code"], refused.error["field"]) == (409, "not_wanted", "line")
    assert "START" in refused.error["remedy"]
    ways = (await caller.call("GET", f"/api/v1/conversations/{asked['conversation_id']}/ways")).body["items"]
    barred = next(one for one in ways if one["line"] == "sms")
    assert barred["open"] is False and barred["why"] == refused.error["message"]
    caller.become("operator")
    lifted = {"state": "given", "channel": "sms", "reason": "попросил снова"}
    assert (await caller.call("POST", address, lifted)).status == 403
    caller.become("supervisor")
    office.clock.move(minutes=1)
    assert (await caller.call("POST", address, {**lifted, "reason": None})).error["field"] == "reason"
    assert (await caller.call("POST", address, lifted)).status == 201
    assert (await caller.call("POST", reply, {"text": "Едет", "line": "sms"})).status == 201
    listed = (await caller.call("GET", address)).body
    assert [one["state"] for one in listed["items"]] == ["given", "refused"] and len(listed["current"]) == 1
    assert (await caller.call("POST", address, {"state": "given", "channel": "pigeon"})).error["field"] == "channel"
    assert (await caller.call("GET", "/api/v1/clients/4711/consents")).status == 404


async def test_a_mailing_needs_a_consent_and_the_preferred_channel_is_kept(caller: Caller, office: Office) -> None:
    asked = begin(office)
    mailing = {"text": "Новинки", "line": "bot", "purpose": "marketing"}
    reply = f"/api/v1/conversations/{asked['conversation_id']}/replies"
    assert (await caller.call("POST", reply, mailing)).error["code"] == "not_wanted"
    client = f"/api/v1/clients/{asked['client_id']}"
    agreed = {"state": "given", "channel": "telegram", "purpose": "marketing", "text": "Да, пишите", "version": "1"}
    assert (await caller.call("POST", f"{client}/consents", agreed)).status == 201
    assert (await caller.call("POST", reply, mailing)).status == 201
    changed = await caller.call("PATCH", client, {"preferred_channel": "telegram"})
    assert changed.body["preferred_channel"] == "telegram"
    assert (await caller.call("PATCH", client, {"preferred_channel": "asterisk"})).error["field"] == "preferred_channel"


async def test_templates_are_listed_filled_and_sent(caller: Caller, office: Office) -> None:
    asked = begin(office)
    listed = (await caller.call("GET", "/api/v1/templates")).body["items"]
    assert [(one["key"], one["blanks"]) for one in listed] == [
        ("late", ["client", "field.order"]), ("rate", ["company"]),
    ]  # fmt: skip
    talk = asked["conversation_id"]
    filled = (await caller.call("GET", f"/api/v1/templates/late?conversation={talk}&language=ru")).body
    assert filled["missing"] == ["client", "field.order"] and "{{ field.order }}" in filled["text"]
    reply = f"/api/v1/conversations/{talk}/replies"
    unfinished = await caller.call("POST", reply, {"template": "late"})
    assert (unfinished.status, unfinished.error["field"]) == (422, "text")
    assert "{{ field.order }}" in unfinished.error["message"]
    named = {"name": "Иван Петров", "fields": {"order": "4711"}, "language": "ru"}
    assert (await caller.call("PATCH", f"/api/v1/clients/{asked['client_id']}", named)).status == 200
    sent = await caller.call("POST", reply, {"template": "late"})
    row = office.row(models.delivery, sent.body["delivery"])
    assert office.row(models.interaction, row["interaction_id"])["text"] == "Иван Петров, заказ 4711 едет."
    assert (await caller.call("POST", reply, {"template": "lat"})).error["remedy"] == "Did you mean late?"
    assert (await caller.call("POST", reply, {"text": ""})).error["field"] == "text"
    assert (await caller.call("GET", "/api/v1/templates/nothing")).status == 404


async def test_a_text_is_measured_where_it_costs_something(caller: Caller, office: Office) -> None:
    begin(office)
    found = (await caller.call("POST", "/api/v1/lines/sms/measure", {"text": "Ж" * 71})).body
    assert found == {"parts": 2, "units": 71, "left": 63, "foreign": "Ж"}
    free = (await caller.call("POST", "/api/v1/lines/bot/measure", {"text": "x"})).body
    assert free["parts"] is None
    assert (await caller.call("POST", "/api/v1/lines/none/measure", {"text": "x"})).status == 404


async def test_the_rating_stands_on_the_conversation(caller: Caller, office: Office) -> None:
    asked = begin(office)
    talk = asked["conversation_id"]
    address = f"/api/v1/conversations/{talk}"
    assert (await caller.call("GET", address)).body["rating"] is None
    sent = await caller.call("POST", f"{address}/replies", {"text": "Едет", "close": "answered"})
    office.send(sent.body["delivery"])
    assert office.act(ratings.ask, talk) is not None
    assert (await caller.call("GET", address)).body["rating"]["score"] is None
    says(office, "5 ★", "bot", kind=Kind.NOTE, fields={"rating": 5}, thread=Thread(conversation=talk))
    assert (await caller.call("GET", address)).body["rating"]["score"] == 5
    (one,) = (await caller.call("GET", f"/api/v1/conversations?client={asked['client_id']}")).body["items"]
    assert (one["rating"]["score"], one["rating"]["most"]) == (5, 5)
