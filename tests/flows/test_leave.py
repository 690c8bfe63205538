"""A leave: the deputy has what is open while it lasts; who comes back gets back what is still open, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions import conversations, tasks
from hub.actions.tasks import NewTask
from storage import models
from tests.flows.practice import MAIL, Practice, msk
from tests.hub.office import ANNA, OLGA, VERA

AWAY = """
[operator.anna]
name = "Анна"
email = "anna@example.org"
teams = ["support"]
language = "ru"
[[operator.anna.away]]
from = 2026-09-15
to = 2026-09-16
deputy = "boris"
"""

COURTESY = """
[regulation.courtesy]
title = "Courtesy"
kind = "follow_up"
after = { event = "contract.signed" }
within = "2 hours"
steps = [{ when = "-1 hours", do = ["alert", "task:Ring him"], to = "responsible" }]
"""


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[Practice]:
    opened = Practice.begin(database_url, tmp_path / "files", AWAY, COURTESY)
    opened.clock.at = msk("09-14 10:00")
    yield opened
    opened.store.lane.close()
    opened.close()


def owners(practice: Practice) -> list[list[str | None]]:
    """Who owns the conversations, the promises and the tasks."""
    tables = (models.conversation, models.obligation, models.task)
    return [sorted({one["owner"] or "-" for one in practice.rows(table)}) for table in tables]


async def test_what_was_lent_comes_back(practice: Practice) -> None:
    number = practice.mail(who=MAIL)["conversation_id"]
    practice.act(conversations.take, number, ANNA)
    practice.act(tasks.make, ANNA, NewTask("Позвонить"))
    await practice.until(msk("09-14 18:00"))
    assert owners(practice) == [["anna"]] * 3
    await practice.until(msk("09-15 12:00"))
    assert owners(practice) == [["boris"]] * 3
    await practice.until(msk("09-17 12:00"))
    assert owners(practice) == [["anna"]] * 3
    given = practice.rows(models.journal, action="given_back")
    assert [(one["subject_id"], one["data"]["conversations"]) for one in given] == [("anna", 1)]
    await practice.until(msk("09-18 12:00"))
    assert len(practice.rows(models.journal, action="given_back")) == 1


async def test_without_a_deputy_it_waits_for_the_team_and_comes_back(tmp_path: Path, database_url: str) -> None:
    practice = Practice.begin(database_url, tmp_path / "files", AWAY.replace('deputy = "boris"\n', ""))
    practice.clock.at = msk("09-14 10:00")
    number = practice.mail(who=MAIL)["conversation_id"]
    practice.act(conversations.take, number, ANNA)
    practice.act(tasks.make, ANNA, NewTask("Позвонить"))
    await practice.until(msk("09-15 12:00"))
    assert practice.row(models.conversation, number)["owner"] is None
    assert owners(practice)[1:] == [["-"], ["-", "anna"]]  # what she wrote down for herself stays hers
    await practice.until(msk("09-17 12:00"))
    assert owners(practice) == [["anna"]] * 3
    practice.store.lane.close()
    practice.close()


async def test_what_the_deputy_had_or_gave_away_stays(practice: Practice) -> None:
    lent = practice.mail(who=MAIL)["conversation_id"]
    own = practice.mail(who=OLGA)["conversation_id"]
    practice.act(conversations.take, lent, ANNA)
    practice.act(conversations.hand_over, own, VERA, operator="boris")
    await practice.until(msk("09-15 12:00"))
    practice.act(conversations.hand_over, lent, VERA, operator="vera")
    await practice.until(msk("09-17 12:00"))
    assert practice.row(models.conversation, lent)["owner"] == "vera"
    assert practice.row(models.conversation, own)["owner"] == "boris"


async def test_a_step_tells_who_answers_for_the_client(practice: Practice) -> None:
    who = practice.mail(who=MAIL)["client_id"]
    practice.amend_client(who, responsible="vera")
    practice.report("contract.signed", who)
    await practice.until(msk("09-14 11:30"))
    assert [one["owner"] for one in practice.rows(models.task, title="Ring him")] == ["vera"]
    assert ("vera", "-1 hour alert responsible") in practice.alerts()
