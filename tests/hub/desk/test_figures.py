"""The live board and the report: who sees what, figures with their formulas, drawn, and as a table."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from channels.touch import Direction, Identity, Kind, Touch
from hub.desk.language import load_speeches
from hub.desk.tiles import NAMES, Tiles, clock
from hub.metrics.counting import Tally
from hub.metrics.figures import figures_of
from hub.metrics.service_level import Norm
from tests.hub.desk.office import Office
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
