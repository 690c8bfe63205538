"""Notes of calls: kept as typed, gates, what goes into the log, and what happens to those that are forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels.touch import Direction, Identity, Kind, Touch
from hub.actions import call_notes
from hub.actions.call_notes import CallNote
from hub.asked import find_asked
from hub.errors import BadInput, Conflict, Forbidden
from hub.rebuilding import compare_interactions
from storage import models
from tests.hub.office import ANNA, BORIS, SETUP, Office

GATES = """
[regulation.source]
title = "Ask for the source"
kind = "gate"
for = { kind = ["call"], first_contact = true }
require = ["source"]

[regulation.competitor]
title = "Whom did they choose"
kind = "gate"
for = { kind = ["call"], disposition = ["refused"] }
require = ["competitor"]

[line.pbx]
channel = "asterisk"
team = "support"
host = "127.0.0.1"
username = "hub"
secret = "x"
"""
Row = dict[str, Any]


@pytest.fixture
def gated(tmp_path: Any, database_url: str) -> Any:
    office = Office.open(database_url, tmp_path / "files", SETUP + GATES)
    yield office
    office.close()


def talk(office: Office, *, over: bool = True, operator: str = "anna", number: str = "+79261234567") -> Row:
    """A call that was answered; ended half a minute later."""
    key = next(office.keys)
    leg = {"operator": operator, "extension": "101", "rang_at": _iso(office), "answered_at": _iso(office)}
    call = {
        "outcome": "answered",
        "answered_at": _iso(office),
        "legs": [{**leg, "ended_at": None, "result": "answered"}],
    }
    first = Touch(
        line="pbx",
        event_key=f"c{key}|answered",
        kind=Kind.CALL,
        direction=Direction.INBOUND,
        at=office.clock(),
        party=(Identity("phone", number),),
        external_id=f"c{key}",
        operator=operator,
        phase="answered",
        call=call,
    )
    row = office.hear(first)
    office.act(lambda unit, setup: call_notes.open_note(unit, row["id"], operator))
    return end(office, row) if over else row


def end(office: Office, row: Row) -> Row:
    """Both hang up."""
    office.clock.move(seconds=30)
    legs = [{**leg, "ended_at": _iso(office)} for leg in row["call"]["legs"]]
    touch = Touch(
        line="pbx",
        event_key=f"{row['external_id']}|ended",
        kind=Kind.CALL,
        direction=Direction.INBOUND,
        at=office.clock(),
        external_id=row["external_id"],
        operator=row["operator"],
        phase="ended",
        call={"ended_at": _iso(office), "talk_s": 30.0, "legs": legs},
    )
    return office.hear(touch)


def _iso(office: Office) -> str:
    return office.clock().isoformat()


def asked(office: Office, row: Row) -> dict[str, frozenset[str]]:
    found = office.store.read_now(lambda connection: find_asked(connection, office.setup, row, office.clock()))
    return {one.name: one.dispositions for one in found}


def note_of(office: Office, row: Row, operator: str = "anna") -> Row:
    return office.rows(models.call_note, interaction_id=row["id"], operator=operator)[0]


def test_what_is_typed_is_kept_and_then_written_into_the_log(gated: Office) -> None:
    row = talk(gated, over=False)
    at = gated.clock() + timedelta(days=1)
    gated.act(
        call_notes.save, row["id"], ANNA, CallNote("Хочет двести штук", "call_back", {"source": "ярмарка"}, "", at)
    )
    assert CallNote.from_json(note_of(gated, row)["body"]) == CallNote(
        "Хочет двести штук", "call_back", {"source": "ярмарка"}, "", at
    )
    with pytest.raises(Conflict, match="goes on"):
        gated.act(call_notes.finish, row["id"], ANNA, CallNote())
    end(gated, row)
    typed = CallNote("Хочет двести штук", "call_back", {"source": "ярмарка"}, "", at)
    gated.act(call_notes.finish, row["id"], ANNA, typed, task_title="Перезвонить")
    after = gated.row(models.interaction, row["id"])
    assert (after["text"], after["disposition"]) == ("Хочет двести штук", "call_back")
    assert gated.row(models.client, row["client_id"])["source"] == "ярмарка"
    task = gated.rows(models.task, title="Перезвонить")[0]
    assert (task["owner"], task["due"], task["client_id"]) == ("anna", at, row["client_id"])
    assert note_of(gated, row)["finished_at"] == gated.clock()
    with pytest.raises(Conflict, match="done with"):
        gated.act(call_notes.save, row["id"], ANNA, CallNote("more"))
    assert gated.store.read_now(compare_interactions) == [], "the log adds up to it"


def test_gates_ask_before_they_refuse(gated: Office) -> None:
    row = talk(gated, over=False)
    assert asked(gated, row) == {"source": frozenset(), "competitor": frozenset({"refused"})}
    row = end(gated, row)
    with pytest.raises(Conflict) as refused:
        gated.act(call_notes.finish, row["id"], ANNA, CallNote("x", "sale"))
    assert (refused.value.field, refused.value.remedy) == ("source", "Ask for the source")
    assert gated.row(models.interaction, row["id"])["disposition"] is None, "nothing was written"
    told = CallNote("x", "refused", {"source": "реклама"}, "дорого")
    with pytest.raises(Conflict) as refused:
        gated.act(call_notes.finish, row["id"], ANNA, told)
    assert refused.value.field == "competitor"
    gated.act(call_notes.finish, row["id"], ANNA, told, anyway=True)
    after = gated.row(models.interaction, row["id"])
    assert (after["disposition"], after["fields"]) == ("refused", {"refusal_reason": "дорого"})
    (promise,) = gated.rows(models.obligation, regulation="competitor")
    assert promise["state"] == "running", "what was left open stays a promise"
    second = talk(gated)
    assert asked(gated, second) == {"competitor": frozenset({"refused"})}, "the source is known by now"


def test_what_cannot_be_is_refused(gated: Office) -> None:
    row = talk(gated)
    for typed, name in (
        (CallNote(disposition="refused"), "reason"),
        (CallNote(disposition="call_back"), "call_back_at"),
        (CallNote(disposition="call_back", fields={"source": "x"}, call_back_at=gated.clock()), "call_back_at"),
        (CallNote(fields={"source": "x", "category": "Z"}), "category"),
    ):
        with pytest.raises(BadInput) as refused:
            gated.act(call_notes.finish, row["id"], ANNA, typed)
        assert refused.value.field == name
    with pytest.raises(Forbidden):
        gated.act(call_notes.save, row["id"], BORIS, CallNote("mine"))
    with pytest.raises(BadInput):
        gated.act(call_notes.save, row["id"], ANNA, CallNote("x" * 100_001))


def test_the_set_up_may_name_what_can_come_of_a_call(tmp_path: Any) -> None:
    own = SETUP.replace(
        'name = "Office"\n', 'name = "Office"\ndispositions = { won = "Won", lost = { en = "Lost" } }\n', 1
    )
    office = Office.open(f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "files", own + GATES)
    try:
        row = talk(office)
        with pytest.raises(BadInput, match="no such outcome"):
            office.act(call_notes.finish, row["id"], ANNA, CallNote(disposition="sale", fields={"source": "x"}))
        office.act(call_notes.finish, row["id"], ANNA, CallNote(disposition="won", fields={"source": "x"}))
        assert office.row(models.interaction, row["id"])["disposition"] == "won"
    finally:
        office.close()


def test_both_who_talked_leave_their_note(gated: Office) -> None:
    row = talk(gated)
    gated.act(lambda unit, setup: call_notes.open_note(unit, row["id"], "boris"))
    gated.act(call_notes.finish, row["id"], ANNA, CallNote("от Анны", fields={"source": "x"}))
    gated.act(call_notes.finish, row["id"], BORIS, CallNote("от Бориса"))
    assert gated.row(models.interaction, row["id"])["text"] == "от Анны\n\nот Бориса"


def test_a_forgotten_note_goes_into_the_log_by_itself(gated: Office) -> None:
    row = talk(gated)
    gated.act(call_notes.save, row["id"], ANNA, CallNote("забыла закрыть", "sale", {"source": "сайт"}))
    gated.clock.move(minutes=29)
    assert gated.act(call_notes.settle_forgotten) == 0
    gated.clock.move(minutes=2)
    assert gated.act(call_notes.settle_forgotten) == 1
    after = gated.row(models.interaction, row["id"])
    assert (after["text"], after["disposition"], after["fields"]) == ("забыла закрыть", "sale", {"source": "сайт"})
    assert gated.act(call_notes.settle_forgotten) == 0
    assert gated.store.read_now(compare_interactions) == []
