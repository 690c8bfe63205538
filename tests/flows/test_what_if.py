"""What a deadline would be, and what is in force: through the API and at the desk."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest

from storage import models
from tests.flows.house import open_house
from tests.flows.test_clock_screens import bearer, signed_in

RULES = """
[calendar.office-moscow]
zone = "Europe/Moscow"
week.mon = ["09:00-18:00"]
week.tue = ["09:00-18:00"]
week.wed = ["09:00-18:00"]
week.thu = ["09:00-18:00"]
week.fri = ["09:00-18:00"]
holidays = "RU"

[regulation.thanks]
title = { ru = "Спасибо после встречи", uk = "Подяка після зустрічі", en = "Thanks after a meeting" }
kind = "follow_up"
after = { event = "meeting.ended" }
action = { send = ["email"] }
within = "1 working days"
calendar = "office-moscow"

[regulation.patient]
title = "Patient"
kind = "respond"
slot = "patient"
within = "4 working hours"
calendar = "always"
pause_while = ["waiting_client"]
"""
ASKED = {"calendar": "office-moscow", "target": "4 working hours", "from": "2026-09-18T13:15:00Z"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'touchline.db'}"


async def test_a_deadline_is_asked_for(tmp_path: Path, url: str) -> None:
    async with open_house(tmp_path, url, RULES) as house, signed_in(house, "vera") as (browser, _):
        key = await bearer(house)

        async def ask(**more: str) -> tuple[int, dict[str, Any]]:
            path = f"{house.address}/api/v1/deadline"
            async with house.http.get(path, params={**ASKED, **more}, headers=key) as answer:
                return answer.status, await answer.json()

        status, told = await ask()
        assert (status, told["due"], told["zone"], told["calendar"]["version"]) == (
            200,
            "2026-09-21T08:15:00Z",
            "Europe/Moscow",
            1,
        )
        assert [day["counted"] for day in told["days"]] == [6300, 0, 0, 8100]
        assert (await ask(pause="2026-09-18T14:00Z/2026-09-21T07:00Z"))[1]["due"] == "2026-09-21T10:15:00Z"
        assert (await ask(pause="2026-09-18T14:00Z/"))[1]["left_s"] == 4 * 3600 - 45 * 60
        assert (await ask(target="14 days", roll="back", **{"from": "2026-12-24T08:00:00Z"}))[1]["due"] == (
            "2026-12-30T15:00:00Z"
        )
        for more, field in (
            ({"target": "4 workin hours"}, "target"),
            ({"target": "90 years"}, "target"),
            ({"calendar": "office"}, "calendar"),
            ({"pause": "yesterday"}, "pause"),
        ):
            status, told = await ask(**more)
            assert (status, told["error"]["field"]) == (422, field), told
        page = await browser.get(
            f"{house.address}/desk/regulations", params={**ASKED, "from": "2026-09-18T16:15", "roll": "none"}
        )
        text = html.unescape(await page.text())
        assert "2026-09-21T08:15:00Z" in text
        assert any(title in text for title in ("Подяка після зустрічі", "Спасибо после встречи"))
        page = await browser.get(f"{house.address}/desk/regulations", params={**ASKED, "target": "soon"})
        assert 'class="fault"' in await page.text()
    async with open_house(tmp_path, url) as house, signed_in(house, "anna") as (browser, _):
        assert (await browser.get(f"{house.address}/desk/regulations")).status == 403


async def test_why_says_what_is_left_while_the_clock_stands_still(tmp_path: Path, url: str) -> None:
    async with open_house(tmp_path, url, RULES) as house, signed_in(house, "vera") as (browser, _):
        key = await bearer(house)
        told = await house.post("contact", {"phone": "+79161234567", "message": "Здравствуйте"})
        promise = await house.row(models.obligation, regulation="patient", started_by=told["interaction"])
        talk = f"{house.address}/api/v1/conversations/{promise['conversation_id']}"
        async with house.http.patch(talk, json={"state": "waiting_client"}, headers=key) as answer:
            assert answer.status == 200
        page = await (await browser.get(f"{house.address}/desk/obligations/{promise['id']}/why")).text()
        assert any(words in page for words in ("часы стоят, осталось", "the clock stands still, ")), page
        assert "no due time" not in page
