"""Tasks, promises and alerts in people's hands, and what other programs report."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.actions import alerts, events, obligations, tasks
from hub.actions.events import Report
from hub.actions.tasks import NewTask
from hub.errors import BadInput, Conflict, Forbidden, NotFound
from routing import timers
from storage import models
from tests.hub.office import ANNA, BORIS, PROGRAM, START, VERA, Office


def test_a_task_is_for_whoever_asks_unless_it_says_otherwise(office: Office) -> None:
    came = office.mail()
    mine = office.act(tasks.make, ANNA, NewTask("Позвонить", conversation=came["conversation_id"]))
    his = office.act(tasks.make, ANNA, NewTask("Проверить", owner="boris", due=START + timedelta(hours=1)))
    theirs = office.act(tasks.make, ANNA, NewTask("Разобрать", team="sales"))
    owners = [office.row(models.task, number)["owner"] for number in (mine, his, theirs)]
    assert owners == ["anna", "boris", None]
    assert office.row(models.task, mine)["client_id"] == came["client_id"]


def test_closed_and_reopened(office: Office) -> None:
    number = office.act(tasks.make, ANNA, NewTask("Позвонить"))
    office.act(tasks.close, number, BORIS)
    row = office.row(models.task, number)
    assert (row["state"], row["closed_by"]) == ("done", "operator:boris")
    office.act(tasks.reopen, number, ANNA)
    assert office.row(models.task, number)["closed_by"] is None
    with pytest.raises(Conflict):
        office.act(tasks.reopen, number, ANNA)
    with pytest.raises(BadInput):
        office.act(tasks.close, number, ANNA, "lost")
    with pytest.raises(BadInput):
        office.act(tasks.amend, number, ANNA, {"title": " "})
    with pytest.raises(BadInput):
        office.act(tasks.amend, number, ANNA, {"made_by": "x"})
    office.act(tasks.amend, number, ANNA, {"owner": "boris", "due": START})
    assert office.row(models.task, number)["due"] == START
    with pytest.raises(NotFound):
        office.act(tasks.close, 99, ANNA)


def test_a_pinned_due_stays_and_only_a_supervisor_pins(office: Office) -> None:
    office.mail()
    (promise,) = office.rows(models.obligation)
    due = START + timedelta(days=2)
    with pytest.raises(Forbidden):
        office.act(obligations.pin, promise["id"], ANNA, due)
    with pytest.raises(BadInput):
        office.act(obligations.pin, promise["id"], VERA, START - timedelta(hours=1))
    office.act(obligations.pin, promise["id"], VERA, due)
    (promise,) = office.rows(models.obligation)
    assert (promise["due"], promise["pinned"], promise["state"]) == (due, True, "running")
    assert office.rows(models.journal, action="pinned")[0]["who"] == "operator:vera"
    office.act(obligations.pin, promise["id"], VERA, None)
    (promise,) = office.rows(models.obligation)
    assert (promise["due"], promise["pinned"]) == (START + timedelta(hours=4), False)


def test_a_later_due_withdraws_the_breach(office: Office) -> None:
    office.mail()
    office.clock.move(hours=5)
    sweep(office)
    (promise,) = office.rows(models.obligation)
    assert promise["state"] == "breached"
    office.act(obligations.pin, promise["id"], VERA, office.clock() + timedelta(hours=1))
    (promise,) = office.rows(models.obligation)
    assert (promise["state"], promise["breached_at"]) == ("running", None)
    assert all(one["withdrawn_at"] for one in office.rows(models.alert) if one["data"].get("what") != "warning")


def test_a_breach_is_excused_with_a_reason_and_nothing_else_is(office: Office) -> None:
    office.mail()
    (promise,) = office.rows(models.obligation)
    with pytest.raises(Conflict):
        office.act(obligations.excuse, promise["id"], VERA, "связь")
    office.clock.move(hours=5)
    sweep(office)
    with pytest.raises(BadInput):
        office.act(obligations.excuse, promise["id"], VERA, " ")
    office.act(obligations.excuse, promise["id"], VERA, "связи не было")
    (promise,) = office.rows(models.obligation)
    assert promise["excuse"]["reason"] == "связи не было"
    assert promise["breached_at"] is not None


def test_an_alert_is_acknowledged_by_whoever_was_told(office: Office) -> None:
    office.mail()
    office.clock.move(hours=5)
    sweep(office)
    alert = next(one for one in office.rows(models.alert) if one["to"] == "vera")
    with pytest.raises(Forbidden):
        office.act(alerts.acknowledge, alert["id"], ANNA)
    office.act(alerts.acknowledge, alert["id"], VERA)
    row = office.row(models.alert, alert["id"])
    assert row["acknowledged_by"] == "operator:vera"
    office.act(alerts.acknowledge, alert["id"], VERA)
    assert len(office.rows(models.journal, subject="alert")) == 1


def test_an_event_counts_once(office: Office) -> None:
    client = office.mail()["client_id"]
    told = Report("1c-77", "contract.closed", client, START)
    assert office.act(events.report, PROGRAM, told)
    assert not office.act(events.report, PROGRAM, told)
    started = [one["regulation"] for one in office.rows(models.obligation)]
    assert started.count("quality") == 1


def test_an_event_may_name_the_client_by_identity(office: Office) -> None:
    client = office.mail()["client_id"]
    assert office.act(events.report, PROGRAM, Report("1", "contract.closed", "ivan@example.org"))
    assert office.rows(models.journal, subject="event")[0]["data"]["client"] == client
    with pytest.raises(BadInput):
        office.act(events.report, PROGRAM, Report("2", "contract.closed", "nobody@example.org"))
    with pytest.raises(BadInput):
        office.act(events.report, PROGRAM, Report("3", "contract.closed", 99))
    assert office.act(events.report, PROGRAM, Report("4", "product.published"))


def sweep(office: Office) -> None:
    """Let the clock look."""
    book = office.setup.book
    office.store.write_now(lambda unit: timers.sweep(unit, book, book.roster, 100))
