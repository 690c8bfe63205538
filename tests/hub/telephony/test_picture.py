"""The picture of telephones and queues: kept in the database, told on the bus, believed while somebody listens."""

from __future__ import annotations

from datetime import timedelta

from channels.contract import QueuePresence
from channels.touch import Identity
from hub.presence import read_presence
from hub.telephony.keeping import forget
from hub.telephony.picture import OperatorNow, Picture, QueueNow, read_picture
from storage import models
from tests.hub.office import START, Office
from tests.hub.telephony.exchange import listen, phone, show, with_exchange


def look(office: Office) -> Picture:
    return office.store.read_now(lambda connection: read_picture(connection, office.setup, office.clock()))


def test_everybody_with_an_extension_is_shown_and_every_queue(office: Office) -> None:
    with_exchange(office)
    assert [(one.operator, one.state, one.line) for one in look(office).operators] == [
        ("anna", "offline", None),
        ("boris", "offline", None),
    ]
    show(
        office,
        phone("101", "paused", paused=True, reason="обед"),
        phone("102", "talking", queues=("sales-q", "support")),
        phone("999"),
        queues=[QueuePresence("support", 2, START), QueuePresence("sales-q")],
    )
    picture = look(office)
    assert picture.operators == (
        OperatorNow("anna", "101", "paused", START, "обед", ("support",), "pbx", True),
        OperatorNow("boris", "102", "talking", START, "", ("sales-q", "support"), "pbx"),
    )
    assert picture.queues == (
        QueueNow("pbx", "sales-q", "sales", 0, None),
        QueueNow("pbx", "support", "support", 2, START),
    )
    assert picture.of("anna") is picture.operators[0] and picture.of("vera") is None


def test_only_what_has_changed_is_told(office: Office) -> None:
    with_exchange(office)
    first = show(office, phone("101"), phone("102"), queues=[QueuePresence("support")])
    assert {(one.subject, one.id, one.what) for one in first} == {
        ("phone", "anna", "free"),
        ("phone", "boris", "free"),
        ("queue", "pbx", "changed"),
    }
    assert show(office, phone("101"), phone("102"), queues=[QueuePresence("support")]) == []
    told = show(office, phone("101", "talking"), phone("102"), queues=[QueuePresence("support")])
    assert [(one.subject, one.id, one.what, one.operator) for one in told] == [
        ("phone", "anna", "talking", "anna"),
        ("operator", "anna", "on_call", "anna"),
    ]
    told = show(office, phone("102"), queues=[QueuePresence("support", 1, START)])
    assert [(one.subject, one.id, one.what) for one in told] == [
        ("phone", "anna", "offline"),
        ("operator", "anna", "here"),
        ("queue", "pbx", "changed"),
    ]


def test_who_talks_is_on_call_for_everybody(office: Office) -> None:
    with_exchange(office)
    show(office, phone("101", "talking"), phone("102", "ringing"))

    def states() -> dict[str, str]:
        return office.store.read_now(lambda connection: read_presence(connection, office.clock())).states

    assert states() == {"anna": "on_call"}
    show(office, phone("101"), phone("102"))
    assert states() == {}


def test_nothing_is_believed_of_a_line_that_is_down(office: Office) -> None:
    with_exchange(office)
    show(office, phone("101", "talking"), queues=[QueuePresence("support", 3, START)])
    listen(office, until=office.clock() + timedelta(seconds=1))
    assert look(office).queues
    office.clock.move(seconds=2)  # the listening process was killed, and nobody has taken its place
    assert look(office).queues == () and {one.state for one in look(office).operators} == {"offline"}
    assert office.store.read_now(lambda connection: read_presence(connection, office.clock())).states == {}

    def lose(unit: object) -> list[tuple[str, object, str]]:
        forget(unit, "pbx")  # type: ignore[arg-type]
        return [(one.subject, one.id, one.what) for one in unit.events]  # type: ignore[attr-defined]

    assert office.store.write_now(lose) == [
        ("phone", "anna", "offline"),
        ("operator", "anna", "here"),
        ("queue", "pbx", "changed"),
    ]
    assert office.rows(models.phone) == [] and office.rows(models.phone_queue) == []


def test_who_talks_or_works_on_after_a_call_is_given_nothing_new(office: Office) -> None:
    with_exchange(office, '[route.all]\nteam = "support"\nstrategy = "round_robin"', 'when = { kind = ["message"] }')

    def given_to(number: int) -> str | None:
        row = office.mail(who=Identity("email", f"client{number}@example.org"))
        owner: str | None = office.row(models.conversation, row["conversation_id"])["owner"]
        return owner

    show(office, phone("101"), phone("102"))
    assert given_to(1) == "anna", "her turn"
    show(office, phone("101"), phone("102", "talking"))
    assert given_to(2) == "vera", "Boris would be next"
    show(office, phone("101", "talking"), phone("102"))
    assert given_to(3) == "boris"
