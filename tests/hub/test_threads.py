"""Which conversation, and who waits in it since when: whatever the order in which touches arrive."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.touch import Direction, Identity, Kind, Thread, Touch
from hub.actions import conversations, writing
from hub.actions.writing import Letter
from storage import models
from tests.hub.intaking import at, call, form, mail, message_id, sent, take_in, talk_of, wipe
from tests.hub.office import ANNA, IVANS_PHONE, OLGA, Office


def test_a_proved_token_beats_what_is_referred_to(office: Office) -> None:
    first, other = take_in(office, mail("1"), mail("2", who=OLGA))
    number = talk_of(office, first)["id"]
    touch = mail("3", 1, who=OLGA, thread=Thread(number, (message_id("2"),), None))
    (reply,) = take_in(office, touch)
    assert talk_of(office, reply)["id"] == number != talk_of(office, other)["id"]


@pytest.mark.parametrize("together", [True, False])
def test_a_reply_joins_what_it_answers_also_within_one_batch(office: Office, together: bool) -> None:
    stranger = Identity("email", "private@example.org")
    touches = [mail("1"), mail("2", 1, who=stranger, answers=["1"])]
    for batch in [touches] if together else [[one] for one in touches]:
        take_in(office, *batch)
    assert {row["conversation_id"] for row in office.rows(models.interaction)} == {1}
    assert len(office.rows(models.client)) == 1, "who answers in a conversation is taken for its client"


def test_a_reply_to_our_own_message(office: Office) -> None:
    talk, delivery = office.act(writing.write_first, ANNA, Letter("Предложение"), identity="ivan@example.org")
    office.send(delivery)
    (reply,) = take_in(office, mail("9", thread=Thread(answers=(f"<out{delivery}@office.example>",))))
    assert talk_of(office, reply)["id"] == talk


def test_a_tag_is_obeyed_only_for_the_same_client(office: Office) -> None:
    (first,) = take_in(office, mail("1"))
    number = talk_of(office, first)["id"]
    same, other = take_in(
        office, mail("2", 60, thread=Thread(tag=number)), mail("3", 60, who=OLGA, thread=Thread(tag=number))
    )
    assert talk_of(office, same)["id"] == number != talk_of(office, other)["id"]


@pytest.mark.parametrize("thread", [Thread(), Thread(4711), Thread(None, ("<unknown@x>", "")), Thread(tag=4711)])
def test_what_nobody_knows_begins_anew(office: Office, thread: Thread) -> None:
    (first,) = take_in(office, mail("1"))
    (second,) = take_in(office, mail("2", 1, thread=thread))
    assert talk_of(office, first)["id"] != talk_of(office, second)["id"]


def test_an_id_of_another_line_is_another_message_but_for_mail(office: Office) -> None:
    (first,) = take_in(office, Touch("bot", "1", Kind.MESSAGE, Direction.INBOUND, at(0), (IVANS_PHONE,), "77"))
    other = Touch("bot-2", "2", Kind.MESSAGE, Direction.INBOUND, at(1), (OLGA,), "78", thread=Thread(answers=("77",)))
    (second,) = take_in(office, other)
    assert talk_of(office, first)["id"] != talk_of(office, second)["id"]


def test_touches_close_in_time_are_one_conversation_mails_never(office: Office) -> None:
    first, rung = take_in(office, form("a", 0, who=IVANS_PHONE), call("c", "ended", 20, IVANS_PHONE, outcome="missed"))
    assert talk_of(office, first)["id"] == talk_of(office, rung)["id"]
    (late,) = take_in(office, form("b", 51, who=IVANS_PHONE))
    assert talk_of(office, late)["id"] != talk_of(office, first)["id"]
    one, two = take_in(office, mail("1", 0), mail("2", 1))
    assert talk_of(office, one)["id"] != talk_of(office, two)["id"]
    (old,) = take_in(office, form("c", -60, who=IVANS_PHONE))
    assert talk_of(office, old)["id"] not in {talk_of(office, first)["id"], talk_of(office, late)["id"]}


@pytest.mark.parametrize("how", ["answered", "no_answer_needed", "junk"])
def test_a_reply_opens_what_was_closed(office: Office, how: str) -> None:
    """Junk too: what a person marked by mistake must not swallow a client."""
    take_in(office, mail("1"))
    if how == "answered":
        take_in(office, sent("2", 1, answers=["1"]))
    office.clock.move(minutes=2)
    office.act(conversations.close, 1, ANNA, how)
    (again,) = take_in(office, mail("3", 3, answers=["1"]))
    talk = talk_of(office, again)
    assert (talk["id"], talk["state"], talk["closed_at"], talk["waiting_since"]) == (1, "open", None, at(3))


def test_he_waits_since_his_oldest_unanswered_question(office: Office) -> None:
    take_in(office, mail("1"), mail("2", 10, answers=["1"]))
    assert office.rows(models.conversation)[0]["waiting_since"] == at(0)
    office.clock.move(minutes=30)
    take_in(office, sent("3", 5, answers=["1"]))
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_since"], talk["waiting_id"]) == ("open", at(10), 2)
    assert sorted(one["state"] for one in office.rows(models.obligation)) == ["met", "running"]
    take_in(office, sent("4", 20, answers=["2"]))
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_since"], talk["answered_at"]) == ("waiting_client", None, at(20))


def test_an_answer_that_was_written_before_the_second_question_is_out_does_not_answer_it(office: Office) -> None:
    first = office.mail()
    office.clock.move(minutes=5)
    delivery = office.act(writing.reply, first["conversation_id"], ANNA, Letter("Ответ"))
    office.clock.move(minutes=5)
    second = office.mail(thread=Thread(answers=(first["external_id"],)))
    assert second["conversation_id"] == first["conversation_id"]
    office.clock.move(minutes=10)
    office.send(delivery)
    (talk,) = office.rows(models.conversation)
    assert (talk["waiting_since"], talk["waiting_id"]) == (at(10), second["id"])
    assert sorted(one["state"] for one in office.rows(models.obligation)) == ["met", "running"]


def test_an_answer_in_sent_may_be_read_before_its_question(office: Office) -> None:
    office.clock.move(minutes=10)
    take_in(office, sent("2", 5, answers=["1"]))
    (question,) = take_in(office, mail("1"))
    talk = talk_of(office, question)
    assert (talk["id"], talk["state"], talk["waiting_since"]) == (1, "waiting_client", None)
    assert {one["state"] for one in office.rows(models.obligation)} <= {"met"}


def test_a_question_that_comes_late_is_seen_though_it_was_answered_since(office: Office) -> None:
    take_in(office, mail("1"))
    office.clock.move(minutes=30)
    take_in(office, sent("2", 20, answers=["1"]))
    take_in(office, mail("3", 15, answers=["1"]))
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["last_inbound_at"]) == ("open", at(15))


def test_a_talk_answers_what_came_before_it(office: Office) -> None:
    take_in(office, form("a", 0, who=IVANS_PHONE), form("b", 20, who=IVANS_PHONE))
    office.clock.move(minutes=30)
    facts = {"outcome": "answered", "answered_at": at(10).isoformat(), "talk_s": 60}
    take_in(office, call("c", "ended", 11, IVANS_PHONE, **facts))
    (talk,) = office.rows(models.conversation)
    assert talk["waiting_since"] == at(20)


def test_a_missed_call_opens_again_but_nobody_waits_for_words(office: Office) -> None:
    take_in(office, form("a", 0, who=IVANS_PHONE))
    office.clock.move(minutes=1)
    office.act(conversations.postpone, 1, ANNA, at(600))
    take_in(office, call("c", "ended", 2, IVANS_PHONE, outcome="missed", reason="abandoned"))
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["postponed_until"], talk["waiting_since"]) == ("open", None, at(0))


def test_every_change_raises_the_version(office: Office) -> None:
    take_in(office, mail("1"))
    before = office.rows(models.conversation)[0]["version"]
    take_in(office, mail("2", 1, answers=["1"]))
    assert office.rows(models.conversation)[0]["version"] == before + 1


@st.composite
def threads(draw: st.DrawFn) -> list[Touch]:
    """Some threads of one client each; every mail names all its ancestors, as References does."""
    touches: list[Touch] = []
    for thread in range(draw(st.integers(1, 3))):
        ancestors: dict[str, list[str]] = {}
        who = Identity("email", f"client{draw(st.integers(0, 1))}@example.org")
        for number in range(draw(st.integers(1, 4))):
            name = f"{thread}.{number}"
            parent = draw(st.sampled_from(sorted(ancestors))) if ancestors else None
            ancestors[name] = [parent, *ancestors[parent]] if parent else []
            make = mail if parent is None or draw(st.booleans()) else sent
            touches.append(make(name, number + 10 * thread, who=who, answers=ancestors[name]))
    return touches


Shape = set[frozenset[str]]


def shape(office: Office) -> tuple[Shape, Shape]:
    """Which mails are together in a conversation, and with one client."""
    talks: dict[int, set[str]] = {}
    people: dict[int, set[str]] = {}
    for row in office.rows(models.interaction):
        talks.setdefault(row["conversation_id"], set()).add(row["external_id"])
        people.setdefault(row["client_id"], set()).add(row["external_id"])
    return {frozenset(one) for one in talks.values()}, {frozenset(one) for one in people.values()}


def outcome(office: Office, batches: Sequence[Sequence[Touch]]) -> tuple[Shape, Shape]:
    wipe(office)
    office.clock.move(hours=1)
    for batch in batches:
        take_in(office, *batch)
    return shape(office)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(touches=threads(), data=st.data())
def test_any_order_and_any_batches_end_in_the_same_conversations(
    plain_office: Office, touches: list[Touch], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations([*touches, *data.draw(st.lists(st.sampled_from(touches), max_size=3))]))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(shuffled)), max_size=4)) | {0, len(shuffled)})
    batches = [shuffled[start:end] for start, end in pairwise(cuts)]
    assert outcome(plain_office, batches) == outcome(plain_office, [[one] for one in touches])
