"""Tasks made by hand that close when the log shows they were done; telephones that keep their owners busy; excuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from hub import presence
from hub.actions import clients, tasks
from hub.actions.tasks import NewTask
from hub.errors import BadInput
from hub.explaining import explain_obligation
from storage import models
from tests.flows.practice import MAIL, PHONE, Practice, msk
from tests.hub.office import ANNA, PROGRAM


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    opened = Practice.begin(f"sqlite:///{tmp_path / 'touchline.db'}", tmp_path / "files")
    opened.clock.at = msk("09-14 12:00")
    yield opened
    opened.store.lane.close()
    opened.close()


def test_a_task_closes_itself_by_the_contact_it_asked_for_and_opens_when_that_proves_void(practice: Practice) -> None:
    client = practice.act(clients.create, PROGRAM, {"name": "Иван"}, (str(MAIL), str(PHONE)))
    letter = practice.act(tasks.make, ANNA, NewTask("Написать", client=client, met_by={"any": ["message"]}))
    call = practice.act(tasks.make, ANNA, NewTask("Позвонить", client=client, met_by={"any": ["call"]}))
    practice.clock.move(minutes=1)
    practice.missed("c0")
    assert practice.row(models.task, call)["state"] == "open"
    sent = practice.letter(client, to=str(MAIL))
    assert practice.row(models.task, letter)["closed_by"] == f"interaction:{sent['interaction_id']}"
    practice.clock.move(minutes=1)
    practice.fail(sent["id"])
    assert practice.row(models.task, letter)["state"] == "open"
    practice.talk("c1", 40, operator="101", outbound=True)
    assert practice.row(models.task, call)["state"] == "done"


def test_a_condition_that_nobody_can_meet_is_refused_with_its_place(practice: Practice) -> None:
    with pytest.raises(BadInput) as refused:
        practice.act(tasks.make, ANNA, NewTask("Позвонить", met_by={"any": ["cal"]}))
    assert (refused.value.field, refused.value.remedy) == ("met_by.any", 'did you mean "call"?')


async def test_a_reminder_is_told_once(practice: Practice) -> None:
    due = practice.clock() + timedelta(hours=2)
    practice.act(tasks.make, ANNA, NewTask("Позвонить", due=due, remind_at=due - timedelta(hours=1)))
    await practice.until(due)
    assert [one["body"]["operator"] for one in practice.rows(models.job, kind="notify")] == ["anna"]


def test_who_talks_is_busy_until_he_hangs_up_or_passes_the_call_on(practice: Practice) -> None:
    def busy() -> set[str]:
        return set(practice.store.read_now(lambda c: presence.read_presence(c, practice.clock())).on_call)

    begun = practice.clock().isoformat()
    practice.call("c1", "ringing")
    assert busy() == set()
    practice.call("c1", "answered", operator="101", outcome="answered", answered_at=begun)
    assert busy() == {"anna"}
    practice.call("c1", "transferred", operator="102", outcome="answered", answered_at=begun)
    assert busy() == {"boris"}
    practice.clock.move(minutes=3)
    ended = practice.clock().isoformat()
    practice.call("c1", "ended", operator="102", outcome="answered", talk_s=180.0, ended_at=ended)
    assert busy() == set()


async def test_an_excuse_suggests_itself_when_the_line_was_down(practice: Practice) -> None:
    practice.mail(who=MAIL)
    row = {
        "line": "support-mail",
        "began_at": msk("09-14 13:00"),
        "ended_at": msk("09-14 15:00"),
        "reason": "сервер недоступен",
    }
    practice.store.write_now(lambda unit: unit.connection.execute(insert(models.outage).values(**row)))
    await practice.until(msk("09-14 17:00"))
    (promise,) = practice.promises("service-reaction")
    found = practice.store.read_now(lambda c: explain_obligation(c, practice.setup, promise["id"], "ru"))
    assert found.excuse == "support-mail: сервер недоступен (2026-09-14T10:00:00Z – 2026-09-14T12:00:00Z)"
