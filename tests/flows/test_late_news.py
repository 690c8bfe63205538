"""What we hear of late: at one instant, after the due, or before what it answers; breaches and alerts are corrected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hub.actions import clients, events, interactions
from hub.actions.events import Report
from hub.actions.interactions import HandMade
from storage import models
from storage.repositories import coverage
from tests.flows.practice import Practice, msk
from tests.hub.office import ANNA, PROGRAM

NOVELTY = """
[regulation.pump]
title = { ru = "Новый насос", en = "The new pump" }
kind = "broadcast"
after = { event = "product.published" }
action = { send = ["email"] }
within = "4 working hours"
calendar = "office-moscow"
reach = "60%"
storm = { more_than = 2, within = "10 min" }
"""


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[Practice]:
    opened = Practice.begin(database_url, tmp_path / "files", NOVELTY)
    opened.clock.at = msk("09-14 10:00")
    yield opened
    opened.store.lane.close()
    opened.close()


def make(practice: Practice, count: int) -> list[int]:
    return [
        practice.act(clients.create, PROGRAM, {"name": f"C{number}"}, (f"email:c{number}@example.org",))
        for number in range(count)
    ]


def log(practice: Practice, client: int, at: datetime, direction: str = "outbound", **more: Any) -> int:
    made = HandMade("message", direction, client=client, channel="email", operator="anna", text="…", at=at, **more)
    number: int = practice.act(interactions.log_by_hand, ANNA, made)
    return number


def report(practice: Practice, event: str, at: datetime, client: int | None = None) -> None:
    practice.act(events.report, PROGRAM, Report(f"e{next(practice.keys)}", event, client, at))


@pytest.mark.parametrize("answered", [True, False])
def test_of_a_question_and_an_answer_at_one_second_the_later_in_the_log_counts(
    practice: Practice, *, answered: bool
) -> None:
    (client,) = make(practice, 1)
    at = msk("09-14 09:50")
    first = log(practice, client, at, "inbound" if answered else "outbound", team="support")
    talk = practice.row(models.interaction, first)["conversation_id"]
    log(practice, client, at, "outbound" if answered else "inbound", conversation=talk)
    (promise,) = practice.promises("service-reaction")
    waits = practice.row(models.conversation, talk)["waiting_since"]
    assert (promise["state"], waits) == (("met", None) if answered else ("running", at))


def test_what_was_done_before_we_heard_why_is_done(practice: Practice) -> None:
    """The contract is reported a day late, when the quality sheet is out already."""
    (client,) = make(practice, 1)
    practice.clock.at = msk("09-16 12:00")
    sheet = log(practice, client, msk("09-15 15:00"))
    report(practice, "contract.closed", msk("09-15 12:00"), client)
    (promise,) = practice.promises("quality-sheet")
    assert (promise["state"], promise["met_by"], promise["met_at"]) == ("met", sheet, msk("09-15 15:00"))
    report(practice, "contract.closed", msk("09-15 16:00"), client)
    assert practice.states("quality-sheet") == ["met", "running"], "the sheet was of the contract before"


async def test_a_mailing_logged_after_its_due_takes_every_breach_back(practice: Practice) -> None:
    people = make(practice, 5)
    report(practice, "product.published", practice.clock())
    await practice.until(msk("09-14 14:30"))
    assert practice.states("pump") == ["breached"] * 5
    assert practice.alerts(to="vera") == [("vera", "digest")]
    for client in people[:2]:
        log(practice, client, msk("09-14 13:00"))
    await practice.until(msk("09-14 14:35"))
    assert sorted(practice.states("pump")) == ["breached"] * 3 + ["met"] * 2, "two of five are not enough"
    (digest,) = practice.rows(models.alert, step="digest")
    assert (digest["data"]["count"], digest["withdrawn_at"]) == (3, None)
    log(practice, people[2], msk("09-14 14:00"))
    await practice.until(msk("09-14 14:40"))
    promises = practice.promises("pump")
    assert sorted(one["state"] for one in promises) == ["cancelled"] * 2 + ["met"] * 3
    assert {one["breached_at"] for one in promises} == {None}
    assert {one["closed_why"] for one in promises if one["state"] == "cancelled"} == {coverage.REACHED}
    assert not [one for one in practice.rows(models.alert) if one["withdrawn_at"] is None]
    told = [one["body"]["subject"] for one in practice.rows(models.job, kind="notify")]
    assert len([each for each in told if each.startswith("Виправлення")]) == 1, told


async def test_a_novelty_reported_late_knows_who_was_told(practice: Practice) -> None:
    people = make(practice, 3)
    practice.clock.at = msk("09-15 12:00")
    for client in people[:2]:
        log(practice, client, msk("09-14 12:00"))
    report(practice, "product.published", msk("09-14 10:00"))
    await practice.until(msk("09-15 12:05"))
    assert sorted(practice.states("pump")) == ["cancelled", "met", "met"]
    assert practice.alerts() == []
