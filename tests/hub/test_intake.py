"""Taking touches in: once each, grown, repeated, quarantined, set aside; alone and in batches; on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DataError, OperationalError

from channels.touch import Attachment, Automatic, Direction, Identity, Kind, Raw, Thread, Touch
from hub.actions import conversations, interactions
from hub.intake import Intake, is_outage
from hub.setup.snapshot import SetUp
from storage import models
from storage.lane import LaneClosed
from storage.store import Store
from tests.hub.intaking import at, call, form, mail, running, take_in, talk_of
from tests.hub.office import ANNA, IVAN, IVANS_PHONE, OLGA, Office


def test_what_comes_twice_is_answered_with_what_it_became(office: Office) -> None:
    first, twin = take_in(office, mail("1"), mail("1"))
    (again,) = take_in(office, mail("1"))
    assert not first.again and twin.again and again.again
    assert first.interaction == twin.interaction == again.interaction
    assert len(office.rows(models.touch)) == len(office.rows(models.interaction)) == 1
    assert len(office.rows(models.obligation)) == 1


def test_one_key_on_two_lines_is_two_touches(office: Office) -> None:
    first, second = take_in(office, form("x"), mail("1"))
    take_in(office, form("y", event_key="k-1"))
    assert first.interaction != second.interaction
    assert len(office.rows(models.interaction)) == 3


@pytest.mark.parametrize("together", [True, False])
def test_one_mail_in_two_mailboxes_is_one_interaction(office: Office, together: bool) -> None:
    copy = mail("1", line="archive-mail")
    file = Attachment("offer.pdf", "application/pdf", b"offer")
    for touches in [(mail("1"), copy)] if together else [(mail("1"),), (copy,)]:
        take_in(office, *(replace(touch, attachments=(file,)) for touch in touches))
    (row,) = office.rows(models.interaction)
    assert [touch["line"] for touch in office.rows(models.touch)] == ["support-mail", "archive-mail"]
    assert row["line"] == "support-mail"
    assert len(office.rows(models.obligation)) == len(office.rows(models.conversation)) == 1


@pytest.mark.parametrize("together", [True, False])
def test_the_phases_of_a_call_are_one_row(office: Office, together: bool) -> None:
    phases = [
        call("c1", "ringing", 0, IVANS_PHONE, **{"from": "+78123258351"}),
        call("c1", "answered", 0.5, IVANS_PHONE, outcome="answered", answered_at=at(0.5).isoformat()),
        call("c1", "ended", 3, IVANS_PHONE, talk_s=150, ended_at=at(3).isoformat()),
    ]
    office.clock.move(minutes=3)
    for touches in [phases] if together else [[one] for one in phases]:
        take_in(office, *touches)
    (row,) = office.rows(models.interaction)
    assert (row["call"]["outcome"], row["call"]["talk_s"], row["ended_at"]) == ("answered", 150, at(3))
    assert [touch["phase"] for touch in office.rows(models.touch)] == ["ringing", "answered", "ended"]
    (talk,) = office.rows(models.conversation)
    assert (talk["waiting_since"], talk["answered_at"]) == (None, at(0.5))


def test_the_same_call_id_on_two_lines_is_two_calls(office: Office) -> None:
    take_in(office, call("7", "ringing", 0, IVANS_PHONE))
    take_in(office, replace(call("7", "ringing", 0, OLGA), line="other-pbx"))
    take_in(office, call("7", "ended", 1, IVANS_PHONE, outcome="missed", reason="no_answer"))
    first, second = office.rows(models.interaction)
    assert (first["call"]["outcome"], second["call"]) == ("missed", {})


def test_an_edit_keeps_what_was_said_and_asks_nothing_anew(office: Office) -> None:
    take_in(office, mail("1"))
    office.clock.move(minutes=5)
    office.act(conversations.close, 1, ANNA, "no_answer_needed")
    take_in(office, mail("1", 6, event_key="edit", phase="edited", text="mended", same_as=None))
    (row,) = office.rows(models.interaction)
    assert row["text"] == "mended"
    assert [touch["text"] for touch in office.rows(models.touch)] == ["text of 1", "mended"]
    assert row["content_id"] == office.rows(models.touch)[1]["id"]
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_since"]) == ("solved", None)


@pytest.mark.parametrize("together", [True, False])
def test_a_repeat_is_logged_and_starts_no_second_clock(office: Office, together: bool) -> None:
    touches = [form("help"), form("help", 1)]
    if together:
        accepted = take_in(office, *touches)
    else:
        accepted = [take_in(office, touches[0])[0]]
        office.clock.move(minutes=9)
        accepted += take_in(office, touches[1])
    assert [one.again for one in accepted] == [False, True]
    first, second = office.rows(models.interaction)
    assert second["again_of"] == first["id"]
    assert second["conversation_id"] == first["conversation_id"]
    assert len(office.rows(models.obligation)) == len(office.rows(models.client)) == 1


@pytest.mark.parametrize("together", [True, False])
def test_a_repeat_by_somebody_nobody_can_read_belongs_to_the_first(office: Office, together: bool) -> None:
    odd = Identity("phone", "ask my mother", odd=True)
    for touches in [[form("x", who=odd), form("x", who=odd)]] if together else [[form("x", who=odd)] for _ in "12"]:
        take_in(office, *touches)
    assert len({row["conversation_id"] for row in office.rows(models.interaction)}) == 1
    assert len(office.rows(models.client)) == 1


def test_after_ten_minutes_it_is_a_new_question(office: Office) -> None:
    take_in(office, form("help"))
    office.clock.move(minutes=11)
    (later,) = take_in(office, form("help", 11))
    assert not later.again


def test_what_is_suspicious_has_no_client_no_conversation_and_no_clock_until_released(office: Office) -> None:
    (accepted,) = take_in(office, form("cheap pills", suspicion="filled in too fast"))
    (row,) = office.rows(models.interaction)
    assert (row["client_id"], row["conversation_id"], row["quarantined_at"]) == (None, None, office.clock())
    assert accepted.answer_by is None
    for table in (models.client, models.conversation, models.obligation, models.job):
        assert office.rows(table) == []
    (after,) = take_in(office, form("cheap pills", 1))
    assert not after.again, "what nobody has looked at is not what this repeats"
    office.clock.move(minutes=2)
    office.act(interactions.release, row["id"], ANNA)
    released = office.row(models.interaction, row["id"])
    assert (released["client_id"], released["conversation_id"]) == (1, 1)
    assert released["quarantined_at"] is None


def test_what_is_released_goes_where_it_refers_to(office: Office) -> None:
    (first,) = take_in(office, mail("1"))
    (held,) = take_in(office, mail("2", 1, who=OLGA, answers=["1"], suspicion="marked as spam"))
    assert held.interaction is not None
    office.act(interactions.release, held.interaction, ANNA)
    released = office.row(models.interaction, held.interaction)
    assert released["conversation_id"] == talk_of(office, first)["id"]


@pytest.mark.parametrize("automatic", [Automatic.BULK, Automatic.AUTO_REPLY])
def test_automatic_mail_starts_no_clock_and_does_not_wait(office: Office, automatic: Automatic) -> None:
    take_in(office, mail("1", automatic=automatic))
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["closed_why"], talk["waiting_since"]) == ("solved", "automatic", None)
    assert office.rows(models.obligation) == []


def test_an_auto_reply_leaves_a_conversation_as_it_is(office: Office) -> None:
    take_in(office, mail("1"))
    take_in(office, mail("2", 1, answers=["1"], automatic=Automatic.AUTO_REPLY))
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_since"]) == ("open", at(0))
    assert [one["state"] for one in office.rows(models.obligation)] == ["running"]


def test_a_bounce_makes_nobody_but_is_found_with_whom_it_failed_to_reach(office: Office) -> None:
    take_in(office, mail("1", automatic=Automatic.BOUNCE))
    assert office.rows(models.client) == []
    take_in(office, mail("2"))
    take_in(office, mail("3", 1, automatic=Automatic.BOUNCE))
    assert office.rows(models.interaction)[2]["client_id"] == office.rows(models.client)[0]["id"]


def test_our_own_mail_to_ourselves_is_nobodys(office: Office) -> None:
    take_in(office, mail("1", party=(), direction=Direction.INTERNAL, automatic=Automatic.OWN))
    assert len(office.rows(models.interaction)) == 1
    assert office.rows(models.client) == []


@pytest.mark.parametrize("together", [True, False])
def test_a_written_answer_is_judged_by_what_was_known_then(office: Office, together: bool) -> None:
    question = mail("1")
    reply = mail("2", 5, answers=["1"], direction=Direction.OUTBOUND, operator="anna")
    office.clock.move(minutes=6)
    for touches in [[question, reply]] if together else [[question], [reply]]:
        take_in(office, *touches)
    (promise,) = office.rows(models.obligation)
    assert (promise["state"], promise["met_at"], promise["started"]) == ("met", at(5), at(0))
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_since"], talk["answered_at"]) == ("waiting_client", None, at(5))


async def test_poison_is_set_aside_while_its_mates_are_taken_in(office: Office) -> None:
    class Fussy(Intake):
        def _take_in(self, unit: Any, arrivals: Any) -> Any:
            if any(arrival.touch.text == "poison" for arrival in arrivals):
                raise ValueError("cannot swallow this")
            return super()._take_in(unit, arrivals)

    async with running(office):
        intake = Fussy(office.store, lambda: office.setup)
        touches = [mail(str(number), raw=Raw(b"raw", "message/rfc822")) for number in range(20)]
        touches[7] = replace(touches[7], text="poison")
        accepted = await asyncio.gather(*(intake.deliver(touch) for touch in touches))
        await intake.deliver(touches[7])
    assert [one.interaction is None for one in accepted] == [number == 7 for number in range(20)]
    (aside,) = office.rows(models.set_aside)
    assert (aside["line"], aside["event_key"], aside["touch"]["text"]) == ("support-mail", "k-7", "poison")
    assert "cannot swallow this" in aside["error"]
    assert office.row(models.raw, aside["raw_id"])["media_type"] == "message/rfc822"
    assert len(office.rows(models.interaction)) == 19


@pytest.mark.parametrize(
    "bad",
    [
        {"text": "lone \ud800 surrogate"},
        {"fields": {"n": 2**80}},
        {"fields": {"o": object()}},
        {"event_key": "k" * 500, "text": "\ud800"},
        {"subject": "nul \0 byte"},
        {"language": "x" * 400, "raw": Raw(b"x", "t" * 900)},
    ],
)
async def test_whatever_it_is_it_is_in_the_log_or_set_aside(office: Office, bad: dict[str, Any]) -> None:
    async with running(office):
        intake = Intake(office.store, lambda: office.setup)
        accepted = await intake.deliver(mail("1", **bad))
        repeated = await intake.deliver(mail("1", **bad))
    kept = len(office.rows(models.interaction)), len(office.rows(models.set_aside))
    assert kept == ((1, 0) if accepted.interaction is not None else (0, 1))
    assert repeated.interaction == accepted.interaction


async def test_what_the_database_suffers_is_not_the_touches_fault(office: Office) -> None:
    def broken() -> SetUp:
        raise OperationalError("select 1", {}, _locked())

    async with running(office):
        with pytest.raises(OperationalError):
            await Intake(office.store, broken).deliver(mail("1"))
        assert office.rows(models.set_aside) == []
        assert (await Intake(office.store, lambda: office.setup).deliver(mail("1"))).interaction is not None
    with pytest.raises(LaneClosed):
        await Intake(office.store, lambda: office.setup).deliver(mail("2"))
    assert office.rows(models.set_aside) == []


def _locked() -> sqlite3.Error:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def test_outages_are_told_from_bad_data() -> None:
    too_many = sqlite3.OperationalError("too many SQL variables")
    too_many.sqlite_errorcode = sqlite3.SQLITE_ERROR
    assert is_outage(OperationalError("", {}, _locked()))
    assert not is_outage(OperationalError("", {}, too_many))
    assert is_outage(OperationalError("", {}, psycopg.OperationalError("connection refused")))
    assert is_outage(OperationalError("", {}, psycopg.errors.AdminShutdown("terminating")))
    assert not is_outage(OperationalError("", {}, psycopg.errors.ProgramLimitExceeded("index row too large")))
    assert not is_outage(DataError("", {}, psycopg.DataError("NUL")))
    assert not is_outage(ValueError("x"))


async def test_large_bytes_and_files_are_kept_outside(office: Office) -> None:
    noise = bytes(range(256)) * 1000
    big = Raw(b"".join(bytes([(one * 7919) % 251]) for one in range(200_000)) + noise, "message/rfc822")
    async with running(office):
        touch = mail("1", raw=big, attachments=(Attachment("a.txt", "text/plain", b"hello", "cid1"),))
        await Intake(office.store, lambda: office.setup).deliver(touch)
    (file,) = office.rows(models.attachment)
    assert office.store.files.read(file["path"]) == b"hello"
    assert office.rows(models.interaction)[0]["has_files"]
    (raw,) = office.rows(models.raw)
    assert raw["size"] == len(big.data)


async def test_many_at_once_are_each_answered_with_their_own(office: Office) -> None:
    async with running(office):
        intake = Intake(office.store, lambda: office.setup)
        touches = [form(f"n{number}", who=Identity("email", f"p{number}@example.org")) for number in range(150)]
        accepted = await asyncio.gather(*(intake.deliver(touch) for touch in touches))
    texts = {row["id"]: row["text"] for row in office.rows(models.interaction)}
    assert [texts[one.interaction or 0] for one in accepted] == [touch.text for touch in touches]
    assert len(office.rows(models.client)) == 150
    assert all(one.answer_by is not None for one in accepted)


def test_a_note_of_a_machine_with_no_party_at_all(office: Office) -> None:
    touch = Touch("support-mail", "x", Kind.MESSAGE, Direction.INBOUND, at(0), thread=Thread(tag=99))
    take_in(office, touch)
    assert len(office.rows(models.interaction)) == 1


def test_who_speaks_in_anothers_conversation_stays_himself_and_is_answered_there(office: Office) -> None:
    take_in(office, mail("1"), mail("o", who=OLGA))
    take_in(office, mail("2", 1, who=OLGA, answers=["1"]))
    row = office.rows(models.interaction)[2]
    assert row["conversation_id"] == 1 and row["client_id"] == office.rows(models.interaction)[1]["client_id"]
    office.clock.move(minutes=2)
    take_in(office, mail("3", 3, answers=["2", "1"], direction=Direction.OUTBOUND, operator="anna", who=IVAN))
    mine = [one["state"] for one in office.rows(models.obligation, conversation_id=1)]
    assert mine and set(mine) == {"met"}


async def test_two_processes_take_in_the_same_things_at_once(office: Office, tmp_path: Path) -> None:
    """The same mail in two mailboxes, the same form twice, the same stranger, a message and its answer."""
    url = office.store.engines.writer.url.render_as_string(hide_password=False)
    other = Store.open(url, tmp_path / "files", office.clock)
    other.lane.start()
    try:
        async with running(office):
            intakes = [Intake(store, lambda: office.setup) for store in (office.store, other)]
            for number in range(25):
                who = Identity("email", f"stranger{number}@example.org")
                first = [mail(f"m{number}", who=who), mail(f"m{number}", who=who, line="archive-mail")]
                forms = [form(f"text {number}", who=who), form(f"text {number}", 1, who=who)]
                replies = [mail(f"r{number}-{one}", 2, who=who, answers=[f"m{number}"]) for one in "ab"]
                pairs = [pair for group in (first, forms, replies) for pair in zip(intakes, group, strict=True)]
                await asyncio.gather(*(intake.deliver(touch) for intake, touch in pairs))
    finally:
        await other.close()
    assert office.rows(models.set_aside) == []
    assert len(office.rows(models.client)) == 25
    logged = office.rows(models.interaction)
    assert len(logged) == 25 * 5, "a mail, two forms and two replies of each"
    assert sum(row["again_of"] is not None for row in logged) == 25
    mails = {row["conversation_id"] for row in logged if row["channel"] == "email"}
    assert len(mails) == 25
    assert all(row["waiting_since"] is not None for row in office.rows(models.conversation))
