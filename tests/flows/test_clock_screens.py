"""Over HTTP: presence by the live stream, the calendar feed, rehearsal, handing over, explanations, commands."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar
from icalendar import Calendar

from hub.access import tickets, tokens
from storage import models
from tests.flows.house import House, open_house
from tests.flows.processes import touchline

DRAFT = """
[regulation.strict]
title = "One hour"
kind = "respond"
within = "1 hours"
warn = ["50%"]
"""


@asynccontextmanager
async def signed_in(house: House, operator: str) -> AsyncIterator[tuple[ClientSession, str]]:
    """A browser without scripts, and the token of its forms."""
    secret = await house.store.write(lambda unit: tickets.make_ticket(unit, "sign_in", operator))
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        address = f"{house.address}{tickets.sign_in_path(secret)}"
        page = await (await browser.get(address)).text()
        if "/sign-out" not in page and (form := re.search(r'name="csrf" value="([^"]+)"', page)):
            await browser.post(address, data={"csrf": form.group(1)})
        page = await (await browser.get(f"{house.address}/desk")).text()
        token = re.search(r'<meta name="csrf" content="([^"]+)"', page)
        assert token is not None, page[:500]
        yield browser, token.group(1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'touchline.db'}"


async def bearer(house: House) -> dict[str, str]:
    secret = await house.store.write(lambda unit: tokens.make_token(unit, "test", "admin"))
    return {"Authorization": f"Bearer {secret}"}


async def test_who_has_the_desk_open_is_here(tmp_path: Path, url: str) -> None:
    async with open_house(tmp_path, url) as house, signed_in(house, "anna") as (browser, csrf):
        key = await bearer(house)

        async def state() -> str:
            async with house.http.get(f"{house.address}/api/v1/operators", headers=key) as answer:
                items = (await answer.json())["items"]
            return str(next(one["state"] for one in items if one["operator"] == "anna"))

        assert await state() == "gone"
        async with browser.get(f"{house.address}/desk/events") as stream:
            await stream.content.readline()
            assert await state() == "here"
            body = {"csrf": csrf, "state": "away"}
            await browser.post(f"{house.address}/desk/settings/presence", data=body)
            assert await state() == "away"
            await browser.post(f"{house.address}/desk/settings/presence", data={**body, "state": "here"})
            assert await state() == "here"
            call = {"state": "on_call", "telephone": "101"}
            async with house.http.put(
                f"{house.address}/api/v1/operators/anna/presence", json=call, headers=key
            ) as done:
                assert await done.json() == {"operator": "anna", "state": "on_call"}
        async with house.http.put(f"{house.address}/api/v1/operators/nobody/presence", json=call, headers=key) as done:
            assert done.status == 404


async def test_the_calendar_is_read_by_its_secret_alone_and_closed_by_a_new_one(tmp_path: Path, url: str) -> None:
    async with open_house(tmp_path, url) as house, signed_in(house, "anna") as (browser, csrf):
        key = await bearer(house)
        task = {"title": "Позвонить", "owner": "anna", "due": "2026-12-01T09:00:00Z"}
        async with house.http.post(f"{house.address}/api/v1/tasks", json=task, headers=key) as answer:
            assert answer.status == 201, await answer.text()
        page = await (
            await browser.post(f"{house.address}/desk/settings/calendar", data={"csrf": csrf, "act": "new"})
        ).text()
        address = re.search(r'value="([^"]+\.ics)"', page).group(1)  # type: ignore[union-attr]
        async with house.http.get(address) as answer:
            assert answer.content_type == "text/calendar"
            found = Calendar.from_ical(await answer.text())
        (event,) = found.walk("VEVENT")
        assert str(event["summary"]) == "Позвонить"
        assert event.decoded("dtend") == datetime(2026, 12, 1, 9, tzinfo=UTC)
        async with house.http.get(f"{address}?as=todo") as answer:
            (todo,) = Calendar.from_ical(await answer.text()).walk("VTODO")
        assert todo.decoded("due") == datetime(2026, 12, 1, 9, tzinfo=UTC)
        await browser.post(f"{house.address}/desk/settings/calendar", data={"csrf": csrf, "act": "new"})
        for closed in (address, address.replace("anna", "vera"), f"{house.address}/calendar/anna/x.ics"):
            async with house.http.get(closed) as answer:
                assert answer.status == 404, closed


async def test_a_draft_is_rehearsed_on_the_desk(tmp_path: Path, url: str) -> None:
    async with open_house(tmp_path, url) as house, signed_in(house, "vera") as (browser, csrf):
        await house.post("contact", {"phone": "+79161234567", "message": "Здравствуйте"})
        address = f"{house.address}/desk/rehearsal"
        wrong = await browser.post(address, data={"csrf": csrf, "draft": DRAFT.replace("respond", "respnd")})
        assert (wrong.status, "Did you mean respond?" in await wrong.text()) == (422, True)
        shown = await browser.post(address, data={"csrf": csrf, "draft": DRAFT, "days": "7"})
        while "Refresh" in shown.headers:
            await asyncio.sleep(0.1)
            shown = await browser.get(str(shown.url))
        page = await shown.text()
        assert 'class="bars"' in page, page[:3000]
        assert await house.rows(models.obligation, regulation="strict") == []
        page = await (await browser.get(f"{address}?regulation=reaction")).text()
        assert "[regulation.reaction]" in page
    async with open_house(tmp_path, url) as house, signed_in(house, "anna") as (browser, _):
        assert (await browser.get(f"{house.address}/desk/rehearsal")).status == 403


async def test_everything_of_one_operator_is_handed_over_on_the_desk_and_by_the_api(tmp_path: Path, url: str) -> None:
    async with open_house(tmp_path, url) as house, signed_in(house, "vera") as (browser, csrf):
        key = await bearer(house)
        for number in range(2):
            await house.post("contact", {"phone": f"+7916123456{number}", "message": "Здравствуйте"})
        for row in await house.rows(models.conversation):
            await house.http.patch(
                f"{house.address}/api/v1/conversations/{row['id']}", json={"owner": "anna"}, headers=key
            )
        page = await (await browser.get(f"{house.address}/desk/people")).text()
        assert "/desk/hand-over" in page
        done = await browser.post(f"{house.address}/desk/hand-over", data={"csrf": csrf, "who": "anna", "to": "vera"})
        assert done.status == 200
        assert {row["owner"] for row in await house.rows(models.conversation)} == {"vera"}
        assert {row["owner"] for row in await house.rows(models.obligation)} == {"vera"}
        path = f"{house.address}/api/v1/operators/vera/hand-over"
        async with house.http.post(path, json={"to": "anna"}, headers=key) as answer:
            assert await answer.json() == {"conversations": 2, "obligations": 2, "tasks": 2, "clients": 0}


async def test_an_explanation_says_the_rule_the_zone_and_the_due_in_both_clocks(tmp_path: Path, url: str) -> None:
    async with open_house(tmp_path, url) as house, signed_in(house, "vera") as (browser, _):
        key = await bearer(house)
        told = await house.post("contact", {"phone": "+79161234567", "message": "Здравствуйте"})
        promise = await house.row(models.obligation, started_by=told["interaction"])
        path = f"{house.address}/api/v1/obligations/{promise['id']}/explain"
        async with house.http.get(path, headers=key) as answer:
            shown = await answer.json()
        assert (shown["zone"], shown["calendar"]) == ("UTC", "always")
        assert shown["tzdata"]
        assert datetime.fromisoformat(shown["due_local"]) == datetime.fromisoformat(shown["due"])
        assert shown["sentence"].endswith(".")
        page = await (await browser.get(f"{house.address}/desk/obligations/{promise['id']}/why")).text()
        assert "tzdata" in page
        assert "рабочих часа" in page
    draft = tmp_path / "draft.toml"
    draft.write_text(DRAFT, encoding="utf-8")

    def ask(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(touchline(tmp_path, *arguments, "--json", database_url=url))
        return found

    assert ask("explain", str(promise["id"]), "--language", "pl")["sentence"]
    report = ask("rehearse", str(draft), "--since", "1d")
    assert (report["total"]["started"], report["regulations"]["strict"]["running"]) == (1, 1)
    assert ask("rebuild")["differences"] == []
