"""Occupancy, worked out by hand: what telephones did becomes pieces, pieces become shares of the interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import OperatorPresence, OperatorState, Presence
from hub.metrics.counting import Tally, TimeCounts
from hub.metrics.figures import figures_of
from hub.metrics.reading import Part, Report, read_report
from hub.metrics.service_level import Norm
from hub.telephony.keeping import keep_time
from hub.telephony.spent import Piece, Spent
from storage import models
from storage.repositories.figures import Span
from tests.hub.office import Office
from tests.hub.telephony.exchange import with_exchange

VERA_SELLS = """
[operator.vera]
name = "Віра Шевченко"
email = "vera@office.example"
role = "supervisor"
teams = ["sales"]
extension = "103"
"""
NINE = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)


def at(clock: str) -> datetime:
    """09:05 or 09:05:30 of that Monday."""
    return datetime.fromisoformat(f"2026-09-14T{clock}+00:00")


def picture(clock: str, *phones: tuple[str, str], **more: Any) -> Presence:
    """`("101", "talking")`; his state began then."""
    operators = {"101": "anna", "102": "boris"}
    shown = tuple(
        OperatorPresence(
            extension,
            operators.get(extension),
            OperatorState(state.partition(":")[0]),
            at(clock),
            () if state.endswith(":out") else ("support",),
            paused=state.startswith("paused"),
            reason=state.partition(":")[2],
        )
        for extension, state in phones
    )
    return Presence("pbx", at(clock), shown, **more)


DAY = (
    ("09:00", "free"),
    ("09:10", "ringing"),
    ("09:10:20", "talking"),  # 4 min 40 s, over the quarter
    ("09:15:00", "talking"),
    ("09:16:00", "paused:wrap-up"),
    ("09:17:00", "free"),
    ("09:30:00", "paused:обед"),
    ("10:00:00", "offline"),
    ("10:30:00", "free:out"),
    ("10:40:00", "talking"),
    ("10:44:00", "offline"),
)
"""Ready 10:20 + 13:00, talked 5:40 + 4:00, wrap-up 1:00, paused 30:00. What is free in no queue is not ready."""


def spend(*changes: tuple[str, str]) -> list[Piece]:
    spent = Spent()
    return [piece for clock, state in changes for piece in spent.see(picture(clock, ("101", state)))]


def test_a_morning_by_hand() -> None:
    pieces = spend(*DAY)
    total = {
        kind: sum(one.seconds for one in pieces if one.kind == kind) for kind in ("talk", "wrap_up", "ready", "pause")
    }
    assert total == {"talk": 580, "wrap_up": 60, "ready": 1400, "pause": 1800}
    assert [(one.kind, one.since, one.seconds) for one in pieces[:4]] == [
        ("ready", at("09:00"), 620),
        ("talk", at("09:10:20"), 280),
        ("talk", at("09:15"), 60),
        ("wrap_up", at("09:16"), 60),
    ]


def test_what_lasts_is_told_again_and_again_and_counts_once() -> None:
    spent = Spent()
    spent.see(picture("09:00", ("101", "free")))
    told = [piece for clock in ("09:01", "09:16", "09:17") for piece in spent.tell(at(clock))]
    told += spent.end(at("09:20"))
    last = {one.since: one.seconds for one in told}
    assert last == {at("09:00"): 900, at("09:15"): 300}
    assert spent.end(at("09:30")) == []


def test_a_clock_that_is_ahead_or_behind_makes_no_time() -> None:
    spent = Spent()
    spent.see(picture("09:00", ("101", "free")))
    ahead = OperatorPresence("101", "anna", OperatorState.TALKING, at("09:30"), ("support",))
    assert [one.seconds for one in spent.see(Presence("pbx", at("09:02"), (ahead,)))] == [120]
    behind = OperatorPresence("101", "anna", OperatorState.FREE, at("08:00"), ("support",))
    assert spent.see(Presence("pbx", at("09:03"), (behind,))) == []
    assert [one.kind for one in spent.end(at("09:04"))] == ["ready"]


def test_nobodys_telephone_counts_for_nobody() -> None:
    spent = Spent()
    spent.see(picture("09:00", ("999", "free")))
    assert spent.end(at("10:00")) == []


@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(["free", "talking", "paused", "offline"])), min_size=1))
def test_no_second_counts_twice(steps: list[tuple[int, str]]) -> None:
    spent, now, pieces, seen = Spent(), NINE, [], []
    for seconds, state in steps:
        now += timedelta(seconds=seconds)
        one = OperatorPresence("101", "anna", OperatorState(state), now, ("support",))
        pieces += spent.see(Presence("pbx", now, (one,)))
        pieces += spent.tell(now)
        seen.append(now)
    pieces += spent.end(now)
    by_start = {one.since: one for one in pieces}
    assert sum(one.seconds for one in by_start.values()) <= (now - NINE).total_seconds()
    ordered = sorted(by_start.values(), key=lambda one: one.since)
    ends = [one.since + timedelta(seconds=one.seconds) for one in ordered]
    assert all(end <= later.since for end, later in zip(ends, ordered[1:], strict=False))
    assert all(one.seconds <= 900 - one.since.timestamp() % 900 for one in ordered)


def test_occupancy_is_a_share_of_the_time_one_could_have_been_rung() -> None:
    found = {one.name: one for one in figures_of(Tally(time=TimeCounts(580, 60, 1400, 1800)), Norm())}
    occupancy = found["occupancy"]
    assert (occupancy.numerator, occupancy.denominator, occupancy.value) == (640, 2040, 31.37)
    assert (found["time_talking_s"].value, found["time_paused_s"].value) == (580, 1800)
    assert {one.value for name, one in found.items() if name.startswith("time_")} == {580, 60, 1400, 1800}


def report(office: Office, by: Part | None = None, **narrowed: Any) -> Report:
    span = Span(NINE - timedelta(hours=2), NINE + timedelta(hours=2), **narrowed)
    return office.store.read_now(lambda connection: read_report(connection, office.setup, span, by, office.clock()))


def write(office: Office, *pieces: Piece) -> None:
    office.store.write_now(lambda unit: keep_time(unit, office.setup, "pbx", pieces))


def boris(kind: Any, clock: str, seconds: float) -> Piece:
    return Piece("102", "boris", kind, at(clock), seconds)


def test_each_part_of_the_report_has_its_share(office: Office) -> None:
    with_exchange(office)
    pieces = spend(*DAY)
    write(office, *pieces[:3])
    write(office, *pieces)  # told again
    write(office, boris("talk", "09:00", 90), boris("ready", "10:00", 10))
    assert _occupancy(report(office)) == (730, 2140)
    parts = report(office, "operator").parts
    assert (parts["anna"].time, parts["boris"].time) == (TimeCounts(580, 60, 1400, 1800), TimeCounts(90, 0, 10, 0))
    hours = {name: one.time.talk_s for name, one in report(office, "hour").parts.items()}
    assert hours["2026-09-14T09:00:00Z"] == 430 and hours["2026-09-14T10:00:00Z"] == 240
    assert report(office, "day").parts["2026-09-14"].time.wrap_up_s == 60
    assert report(office, "line").parts["pbx"].time.pause_s == 1800
    assert report(office, operator="boris").total.time == TimeCounts(90, 0, 10, 0)
    assert report(office, team="sales").total.time == TimeCounts(90, 0, 10, 0), "boris is in two teams"
    assert report(office, "team").parts["support"].time.busy_s == 730, "and counts once where all teams are shown"
    for found in (report(office, queue="support"), report(office, channel="asterisk")):
        assert _occupancy(found) == (0, 0), "time has no queue"
    assert report(office, "queue").total.time == TimeCounts()


def test_who_goes_home_without_logging_out_is_not_ready(office: Office) -> None:
    """The shop of the team is closed at seven in the evening; support never is."""
    with_exchange(office, VERA_SELLS)
    ready, talk = Piece("103", "vera", "ready", at("19:00"), 60), Piece("103", "vera", "talk", at("19:15"), 60)
    write(office, ready, talk, Piece("101", "anna", "ready", at("19:30"), 60))
    rows = office.rows(models.phone_time)
    assert [(row["operator"], row["kind"]) for row in rows] == [("anna", "ready"), ("vera", "talk")]


def _occupancy(found: Report) -> tuple[float | None, float | None]:
    one = next(one for one in found.figures() if one.name == "occupancy")
    assert one.value == (pytest.approx(100 * one.numerator / one.denominator, abs=0.01) if one.denominator else None)  # type: ignore[operator]
    return one.numerator, one.denominator
