"""The live board and the report: who sees what, figures with their formulas, drawn, and as a table."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import insert

from channels.contract import OperatorPresence, OperatorState, Presence, QueuePresence
from channels.touch import Direction, Identity, Kind, Touch
from hub.desk.language import load_speeches
from hub.desk.tiles import NAMES, Tiles, clock
from hub.metrics.counting import Tally
from hub.metrics.figures import figures_of
from hub.metrics.service_level import Norm
from hub.telephony.keeping import keep
from storage import models
from storage.unit import Unit
from tests.hub.desk.office import Office, open_office
from tests.hub.desk.test_browser import at_desk
from tests.hub.desk.visits import visit


def test_every_figure_is_said_in_every_language() -> None:
    known = figures_of(Tally(), Norm())
    assert {one.name for one in known} == set(NAMES)
    for code, speech in load_speeches().items():
        tiles = Tiles(speech)
        for one in known:
            assert tiles.name(one)
            for text in (one.formula, one.over, *one.exclusions):
                letters = text.startswith(("SL", "(Ab"))
                assert letters or tiles.words(text) != text or code == "en", (code, text)


def test_seconds_are_read_like_a_clock() -> None:
    assert [clock(seconds) for seconds in (0, 65.4, 3723)] == ["0:00", "1:05", "1:02:03"]


async def ring(office: Office, number: int, **call: object) -> None:
    at = office.store.now() - timedelta(minutes=3)
    facts = {"queue": "support", "wait_s": 10.0, "ended_at": (at + timedelta(minutes=1)).isoformat(), **call}
    caller = (Identity("phone", f"+44207946{number:04}"),)
    await office.hear(Touch("pbx", f"c{number}", Kind.CALL, Direction.INBOUND, at, caller, call=facts))


async def test_the_report_shows_counts_and_says_how(any_office: Office) -> None:
    office = any_office
    await ring(office, 1, outcome="answered", talk_s=65.0)
    await ring(office, 2, outcome="missed", reason="abandoned", wait_s=30.0)
    await ring(office, 3, outcome="missed", reason="timeout", wait_s=60.0, queue="=cmd()")
    async with visit(office, "vera") as vera:
        page = await vera.get("/desk/report?span=7&by=queue")
        assert page.status == 200
        for text in ("SL4 = An_T / (An + Ab - Ab_T), T = 20 s, s = 5 s", "50 %", "1:05", 'class="answered"'):
            assert text in page.text, text
        assert (await vera.get("/desk/report?from=2026-11-31&to=x&by=moon&team=none")).status == 200
        table = await vera.get("/desk/report.csv?span=7&by=queue")
        assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert ".csv" in table.headers["Content-Disposition"]
        heads, formulas, left_out, total, *parts = list(csv.reader(io.StringIO(table.text.lstrip("\ufeff"))))
        whole = dict(zip(heads, total, strict=True))
        assert (whole["queue"], whole["service_level"], whole["missed_timeout"]) == ("total", "50", "1")
        assert formulas[heads.index("service_level")].startswith("SL4 = ")
        assert "calls still going on" in left_out[heads.index("service_level")]
        assert {row[0] for row in parts} == {"support", "'=cmd()"}
        hours = await vera.get("/desk/report.csv?span=today&by=hour")
        assert len(hours.text.splitlines()) >= 4 + 23
    async with visit(office, "anna") as anna:
        assert (await anna.get("/desk/report")).status == 403
        assert (await anna.get("/desk/report.csv")).status == 403


async def test_operators_see_the_board_of_their_teams(office: Office) -> None:
    async with visit(office, "anna") as anna:
        page = await anna.get("/desk/board?team=nobodys")
        assert page.status == 200
        assert "/desk/report" not in page.text
        part = await anna.get("/desk/board?part=now")
        assert "<html" not in part.text and "tile-waiting" in part.text and "tile-service_level" not in part.text
        assert "tile-service_level" in (await anna.get("/desk/board?part=today")).text
    async with visit(office, "vera") as vera:
        assert "/desk/report" in (await vera.get("/desk/board?wall=on&team=support")).text


PBX = """
[line.pbx]
channel = "asterisk"
team = "support"
host = "127.0.0.1"
username = "hub"
secret = "x"
queues = { support = "support" }
"""


def hear_the_exchange(unit: Unit) -> None:
    """As if a process listened on the line, and the exchange had said how it is."""
    now = unit.now
    health = {"line": "pbx", "state": "running", "since": now, "seen_at": now, "held_until": now + timedelta(hours=1)}
    unit.connection.execute(insert(models.line_health).values(**health))
    keep(unit, Presence("pbx", now, (), (QueuePresence("support"),)))


def calls_wait(unit: Unit) -> None:
    """Two callers wait, and Anna talks."""
    since = unit.now - timedelta(seconds=75)
    anna = OperatorPresence("101", "anna", OperatorState.TALKING, unit.now, ("support",))
    keep(unit, Presence("pbx", unit.now, (anna,), (QueuePresence("support", 2, since),)))


@pytest.mark.parametrize("phone", [False, True])
async def test_the_board_lives(browser: Browser, tmp_path: Path, phone: bool) -> None:
    async with open_office(tmp_path / "home", f"sqlite:///{tmp_path / 'touchline.db'}", PBX) as office:
        await office.store.write(hear_the_exchange)
        async with at_desk(browser, office, "vera", phone=phone) as page:
            await page.goto(f"{office.address}/desk/board")
            await page.wait_for_selector("html[data-live=on]", state="attached")
            waiting = page.locator("#tile-waiting")
            await expect(waiting.locator(".value")).to_have_text("0")
            await waiting.locator("summary").click()
            await office.store.write(calls_wait)
            await expect(waiting.locator(".value")).to_have_text("2")
            await expect(waiting.locator("dl")).to_be_visible()  # what was unfolded stays so
            await expect(page.locator("#tile-talking .value")).to_have_text("1")
            longest = page.locator("#tile-longest time-since")
            await expect(longest).to_have_text(re.compile(r"^[12]:\d\d$"))
            before = await longest.inner_text()
            await expect(longest).not_to_have_text(before)
            await expect(page.locator(".phones .talking")).to_contain_text("Анна Соколова")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            await page.goto(f"{office.address}/desk/board?wall=on")
            await expect(page.locator(".rail")).to_be_hidden()
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            await page.goto(f"{office.address}/desk/report?span=30")
            await expect(page.locator("svg.bars-by-time").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
