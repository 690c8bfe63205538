"""What a live talk is told of the log and of who is there; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from channels.talk import Attendance, Hint, HintOf, Talk
from channels.touch import Identity
from hub import presence, talks
from hub.actions import merging
from hub.actions.writing import Letter, reply
from hub.live import Live
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from hub.talks import LineTalks, hint_of, read_attendance
from storage import models
from storage.events import Event
from tests.hub.office import ANNA, START, VERA, Office

BROWSER = Identity("chat", "a" * 24, "Visitor AAAA", anonymous=True)
OTHER = Identity("chat", "b" * 24, "Visitor BBBB", anonymous=True)
LINES = """
[line.site]
channel = "chat"
team = "support"
[line.quiet]
channel = "chat"
team = "support"
policy = "receive_only"
[line.nights]
channel = "chat"
team = "nights"
[team.nights]
title = "Nights"
calendar = "nights"
[calendar.nights]
zone = "UTC"
[calendar.nights.week]
mon = ["22:00-24:00"]
"""


@pytest.fixture
def office(office: Office) -> Office:
    """With chats."""
    office.store.write_now(lambda unit: take(unit, read_setup([("chats.toml", LINES)]), "test"))
    office.setup = office.store.read_now(load_setup)
    return office


def attendance(office: Office, line: str = "site") -> Attendance:
    return office.store.read_now(lambda connection: read_attendance(connection, office.setup, line, office.clock()))


def test_as_long_as_nobody_keeps_track_the_calendar_alone_counts(office: Office) -> None:
    assert attendance(office) == Attendance(True)
    assert attendance(office, "nights") == Attendance(False, datetime(2026, 9, 14, 22, tzinfo=START.tzinfo))
    assert attendance(office, "quiet") == attendance(office, "nowhere") == Attendance(False)


def test_then_somebody_of_the_team_must_be_there(office: Office) -> None:
    office.store.write_now(lambda unit: presence.come(unit, "anna", "desk-1"))
    assert attendance(office).present
    office.clock.move(hours=1)
    assert not attendance(office).present, "her desk fell silent"
    office.store.write_now(lambda unit: presence.come(unit, "anna", "desk-1"))
    office.store.write_now(lambda unit: presence.go_away(unit, "anna"))
    assert not attendance(office).present
    office.store.write_now(lambda unit: presence.come_back(unit, "anna"))
    assert attendance(office).present


def site(office: Office) -> LineTalks:
    return LineTalks(office.store, lambda: office.setup, Live(), "site")


def ask(office: Office, text: str, who: Identity = BROWSER, **more: Any) -> dict[str, Any]:
    return office.mail(text, line="site", party=(who,), external_id=f"{who.value}:{text}", subject=None, **more)


async def texts(office: Office, who: Identity = BROWSER) -> list[tuple[str, str, str]]:
    talk = await site(office).read(who)
    return [(one.direction.value, one.text, one.state) for one in talk.messages]


async def test_ours_are_shown_once_they_are_out_and_to_nobody_else(office: Office) -> None:
    asked = ask(office, "Вопрос")
    ask(office, "Чужой", OTHER)
    delivery = office.act(reply, asked["conversation_id"], ANNA, Letter("Ответ"))
    assert await texts(office) == [("inbound", "Вопрос", "")]
    office.send(delivery)
    assert await texts(office) == [("inbound", "Вопрос", ""), ("outbound", "Ответ", "sent")]
    assert await texts(office, OTHER) == [("inbound", "Чужой", "")]
    assert await site(office).read(Identity("chat", "c" * 24)) == Talk()
    talk = await site(office).read(BROWSER)
    assert (talk.messages[1].name, talk.conversations) == ("Анна Соколова", frozenset([asked["conversation_id"]]))
    failed = office.act(reply, asked["conversation_id"], ANNA, Letter("Не ушло"))
    office.fail(failed)
    assert len(await texts(office)) == 2


async def test_a_talk_survives_that_its_client_turns_out_to_be_another(office: Office) -> None:
    asked = ask(office, "Это я")
    known = office.mail()["client_id"]
    office.act(merging.merge, known, asked["client_id"], VERA)
    talk = await site(office).read(BROWSER)
    assert [one.text for one in talk.messages] == ["Это я"] and talk.clients == frozenset([known])


async def test_words_in_an_open_reply_box_show_that_somebody_writes(office: Office) -> None:
    asked = ask(office, "Вопрос")

    def type_(text: str, *, still: bool = True) -> None:
        values = {
            "conversation_id": asked["conversation_id"],
            "operator": f"anna{text}{still}",
            "body": {"text": text, "open": still},
            "saved_at": office.clock(),
        }
        office.store.write_now(lambda unit: unit.connection.execute(insert(models.draft).values(**values)))

    for text, still, writes in (("", True, False), ("Отв", False, False), ("Отв", True, True)):
        type_(text, still=still)
        assert (await site(office).read(BROWSER)).writing is writes
    office.clock.move(minutes=1)
    assert not (await site(office).read(BROWSER)).writing


async def test_a_file_is_given_to_whose_talk_it_is(office: Office) -> None:
    asked = ask(office, "Вопрос")
    number = office.upload("offer.pdf")
    office.send(office.act(reply, asked["conversation_id"], ANNA, Letter("Вот", attachments=(number,))))
    (file,) = (await site(office).read(BROWSER)).messages[1].files
    assert (file.id, file.name) == (number, "offer.pdf")
    found = await site(office).file(BROWSER, number)
    assert found is not None and len(found.data) == file.size
    ask(office, "Чужой", OTHER)
    assert await site(office).file(OTHER, number) is None


def test_who_types_is_told_to_open_desks_and_nothing_is_kept(office: Office) -> None:
    client = ask(office, "Вопрос")["client_id"]
    told: list[tuple[str, str, int | None]] = []

    def tell(on: bool, who: Identity = BROWSER) -> None:
        def work(unit: Any) -> None:
            talks._tell_typing(unit, who, on)
            told.extend((event.subject, event.what, event.client) for event in unit.events)

        office.store.write_now(work)

    tell(True)
    tell(False)
    tell(True, OTHER)
    assert told == [("visitor", "typing", client), ("visitor", "stopped", client)], "nobody is told of strangers"


def test_who_comes_and_goes_is_told_once(office: Office) -> None:
    client = ask(office, "Вопрос")["client_id"]
    told: list[tuple[str, int | None]] = []

    def note(here: bool, who: Identity = BROWSER) -> None:
        def work(unit: Any) -> None:
            talks._note(unit, who, here)
            told.extend((event.what, event.client) for event in unit.events)

        office.store.write_now(work)

    for step, here in ((0, True), (60, True), (60, False), (0, False), (5, True)):
        office.clock.move(seconds=step)
        note(here)
    assert told == [("here", client), ("gone", client), ("here", client)]
    query = select(models.identity.c.here_until).where(models.identity.c.value == BROWSER.value)
    until = office.store.read_now(lambda connection: connection.execute(query).scalar_one())
    assert until == office.clock() + talks.LASTS > office.clock() + timedelta(seconds=60)
    note(True, OTHER)
    assert len(told) == 3, "nothing is kept of strangers"


def test_what_events_say_to_a_talk() -> None:
    assert hint_of(Event("interaction", 1, "new", client=2, conversation=3)) == Hint(HintOf.TALK, 2, 3)
    assert hint_of(Event("delivery", 1, "sent", conversation=3)) == Hint(HintOf.TALK, None, 3)
    assert hint_of(Event("operator", "anna", "here", operator="anna")) == Hint(HintOf.ATTENDANCE)
    assert hint_of(Event("job", 0, "lost")) == Hint(HintOf.ANYTHING)
    assert hint_of(Event("task", 1)) is None


def test_hints_end_when_nobody_watches_any_more(office: Office) -> None:
    live, heard = Live(), list[Hint]()
    end = LineTalks(office.store, lambda: office.setup, live, "site").watch(heard.append)
    live.tell([Event("interaction", 1, "new", client=2)])
    live.tell_lost()
    end()
    live.tell([Event("interaction", 2, "new", client=2)])
    assert heard == [Hint(HintOf.TALK, 2, None), Hint(HintOf.ANYTHING)]
