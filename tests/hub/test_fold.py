"""An interaction is the fold of its touches: the same rows whether they come alone or in batches."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.touch import Attachment, Automatic, Direction, Identity, Kind, Touch
from hub import fold
from storage import models
from tests.hub.intaking import at, call, form, mail, sent, take_in, wipe
from tests.hub.office import IVAN, IVANS_PHONE, OLGA, Office

Row = dict[str, Any]


def test_the_newest_word_wins_and_nothing_is_forgotten() -> None:
    first = Touch("x", "1", Kind.CALL, Direction.INBOUND, at(0), fields={"a": 1}, call={"from": "1"}, text="one")
    row = fold.begin(first, "asterisk", "support", None)
    row |= fold.grow(row, call("c", "answered", 1, IVANS_PHONE, outcome="answered"), "anna")
    later = Touch(
        "x", "3", Kind.CALL, Direction.INBOUND, at(2), fields={"b": 2}, call={"ended_at": at(2).isoformat()},
        attachments=(Attachment("r.wav", "audio/wav", b""),), remarks=("noisy",),
    )  # fmt: skip
    row |= fold.grow(row, later, None)
    assert row["call"] == {"from": "1", "outcome": "answered", "ended_at": at(2).isoformat()}
    assert (row["fields"], row["text"], row["operator"]) == ({"a": 1, "b": 2}, "one", "anna")
    assert (row["has_files"], row["ended_at"], row["remarks"]) == (True, at(2), ["noisy"])


def test_what_changes_nothing_changes_no_column() -> None:
    touch = call("c", "ringing", 0, IVANS_PHONE, **{"from": "1"})
    row = fold.begin(touch, "asterisk", None, None)
    assert fold.grow(row, touch, None) == {}


def test_a_call_lasts_until_it_says_that_it_ended() -> None:
    assert fold.begin(call("c", "ringing", 0, IVANS_PHONE), "asterisk", None, None)["ended_at"] is None
    assert fold.begin(mail("1"), "email", None, None)["ended_at"] == at(0)


PEOPLE = st.sampled_from([IVAN, OLGA, IVANS_PHONE, Identity("email", "third@example.org")])


@st.composite
def histories(draw: st.DrawFn) -> list[Touch]:
    """What happens to an office: mails, answers, forms, repeats, calls by phase, machines."""
    touches: list[Touch] = []
    for number in range(draw(st.integers(2, 9))):
        who, minute = draw(PEOPLE), number * draw(st.sampled_from([1, 7]))
        kind = draw(st.sampled_from(["mail", "reply", "form", "call", "machine", "spam"]))
        earlier = [one for one in touches if one.external_id and one.line == "support-mail"]
        if kind == "reply" and earlier:
            answered = draw(st.sampled_from(earlier))
            make = draw(st.sampled_from([mail, sent]))
            name = (answered.external_id or "").strip("<>").partition("@")[0]
            touches.append(make(str(number), minute, who=answered.party[0], answers=[name]))
        elif kind == "form":
            touches.append(form(draw(st.sampled_from("ab")), minute, who=who, event_key=f"form{number}"))
        elif kind == "spam":
            touches.append(form("a", minute, who=who, event_key=f"form{number}", suspicion="too fast"))
        elif kind == "call":
            facts = draw(st.sampled_from([{"outcome": "missed"}, {"outcome": "answered", "talk_s": 30}]))
            touches.append(call(f"c{number}", "ringing", minute, IVANS_PHONE))
            touches.append(call(f"c{number}", "ended", minute + 0.5, IVANS_PHONE, **facts))
        else:
            touches.append(mail(str(number), minute, who=who, automatic=Automatic.BULK if kind == "machine" else None))
    return touches


COMPARED = (models.interaction, models.touch, models.conversation, models.client, models.identity, models.obligation)
PASSING = {"version", "candidates"}
"""How often a conversation was written is no part of what is known."""


def rows_after(office: Office, batches: list[list[Touch]]) -> dict[str, list[Row]]:
    wipe(office)
    office.clock.move(minutes=64)
    for batch in batches:
        take_in(office, *batch)
    return {table.name: [_known(row) for row in office.rows(table)] for table in COMPARED}


def _known(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in PASSING}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(touches=histories(), data=st.data())
def test_batches_give_the_same_rows_as_touches_alone(
    plain_office: Office, touches: list[Touch], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(touches)), max_size=3)) | {0, len(touches)})
    batches = [touches[start:end] for start, end in pairwise(cuts)]
    together, alone = rows_after(plain_office, batches), rows_after(plain_office, [[one] for one in touches])
    assert not differences(together, alone)


def differences(left: dict[str, list[Row]], right: dict[str, list[Row]]) -> list[str]:
    """What is not the same, in words that fit a failure's message."""
    found = []
    for table, rows in left.items():
        others = right[table]
        if len(rows) != len(others):
            found.append(f"{len(rows)} rows of {table}, not {len(others)}")
        for one, other in zip(rows, others, strict=False):
            found += [
                f"{table} {one['id']}.{name}: {one[name]!r}, not {other[name]!r}"
                for name in one
                if one[name] != other[name]
            ]
    return found
