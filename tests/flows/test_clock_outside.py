"""Quiet hours, sticky routing and leave on a running hub, by nothing but its HTTP door and an import."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.access import tokens
from storage import models
from tests.flows.house import House, bring, open_house

RULES = """
[operator.boris]
name = "Boris"
role = "operator"
teams = ["support"]

[route.known]
when = { team = ["support"] }
team = "support"
strategy = "sticky"

[regulation.alarm]
title = "Alarm"
kind = "respond"
slot = "alarm"
for = { words = ["пожар"] }
within = "1 min"
calendar = "always"
steps = [{ when = "due", to = "lead" }]
"""
QUIET = RULES.replace("steps =", 'quiet_hours = ["00:00-24:00"]\nsteps =')
Ask = Callable[..., Awaitable[dict[str, Any]]]


async def door(house: House) -> Ask:
    """The API as a program knows it."""
    secret = await house.store.write(lambda unit: tokens.make_token(unit, "test", "admin"))
    key = {"Authorization": f"Bearer {secret}"}

    async def ask(method: str, path: str, **body: Any) -> dict[str, Any]:
        address = f"{house.address}/api/v1/{path}"
        async with house.http.request(method, address, json=body or None, headers=key) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.status in (200, 201), found
            return found

    return ask


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


async def write_to_us(ask: Ask, client: int, text: str, channel: str = "email", **more: Any) -> dict[str, Any]:
    touch = {"kind": "message", "direction": "inbound", "client": client, "channel": channel, "team": "support"}
    return await ask("POST", "interactions", **{**touch, "text": text, "at": ago(minutes=3), **more})


async def test_who_knows_the_client_gets_him_while_he_is_there(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url, RULES) as house:
        ask = await door(house)
        for operator in ("anna", "boris"):
            await ask("PUT", f"operators/{operator}/presence", state="here")
        client = (await ask("POST", "clients", name="Иван", identities=["email:ivan@example.org"]))["id"]
        talk = (await write_to_us(ask, client, "Здравствуйте"))["conversation"]
        answer = {"direction": "outbound", "conversation": talk, "operator": "boris", "at": ago(minutes=2.5)}
        await write_to_us(ask, client, "Добрый день!", **answer)
        await ask("PATCH", f"conversations/{talk}", state="solved")
        again = (await write_to_us(ask, client, "Ещё вопрос", "telegram", at=ago(minutes=2)))["conversation"]
        assert (await ask("GET", f"conversations/{again}"))["owner"] == "boris"
        await ask("PUT", "operators/boris/presence", state="away")
        await ask("PATCH", f"conversations/{again}", state="solved")
        third = (await write_to_us(ask, client, "И ещё", "sms", at=ago(minutes=1)))["conversation"]
        assert (await ask("GET", f"conversations/{third}"))["owner"] != "boris"


async def test_who_goes_on_leave_lends_his_work_and_gets_it_back(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url, RULES) as house:
        ask = await door(house)
        wanted = {"name": "Иван", "identities": ["email:ivan@example.org"], "responsible": "boris"}
        client = (await ask("POST", "clients", **wanted))["id"]
        talk = (await write_to_us(ask, client, "Здравствуйте"))["conversation"]
        await ask("PATCH", f"conversations/{talk}", owner="boris")

        async def owned_by(operator: str) -> bool:
            promises = (await ask("GET", f"obligations?client={client}&state=open"))["items"]
            tasks = (await ask("GET", f"tasks?client={client}&state=open"))["items"]
            owners = {one["owner"] for one in (*promises, *tasks, await ask("GET", f"conversations/{talk}"))}
            return owners == {operator}

        await house.wait_until("boris has it", lambda: owned_by("boris"))
        leave = f'away = [{{ from = {ago(minutes=1)}, to = {ago(minutes=-60)}, deputy = "anna" }}]\n'
        boris = '[operator.boris]\nname = "Boris"\nrole = "operator"\nteams = ["support"]\n'
        await asyncio.to_thread(bring, house.hub.settings, boris + leave)
        await house.wait_until("his deputy has it", lambda: owned_by("anna"), 40)
        await asyncio.to_thread(bring, house.hub.settings, boris)
        await house.wait_until("it is his again", lambda: owned_by("boris"), 40)


@pytest.mark.parametrize("quiet", [False, True])
async def test_quiet_hours_hold_back_the_mail_and_not_the_alert(tmp_path: Path, url: str, *, quiet: bool) -> None:
    async with open_house(tmp_path, url, QUIET if quiet else RULES) as house:
        ask = await door(house)
        client = (await ask("POST", "clients", name="Иван", identities=["email:ivan@example.org"]))["id"]
        await write_to_us(ask, client, "Пожар!")
        alert = await house.wait_for_row(models.alert, to="vera", title="Alarm")
        assert alert["withdrawn_at"] is None
        assert (await ask("GET", "alerts?limit=5"))["items"][0]["state"] == "open"
        later = [row["run_at"] > alert["at"] for row in await house.rows(models.job, kind="notify")]
        assert all(later) if quiet else not any(later)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'touchline.db'}"
