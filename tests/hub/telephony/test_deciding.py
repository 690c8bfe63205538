"""Where a call goes: the black list, closed hours, the person who is meant, the team's queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from channels.contract import Question
from hub.actions import blocking
from hub.actions.blocking import NewBlock
from hub.errors import BadInput, Conflict
from hub.presence import go_away
from hub.telephony.deciding import Way, decide, read_caller, read_known
from hub.telephony.exchanges import rules_of
from storage import models
from storage.repositories.phones import begin_wrap_up
from tests.hub.office import ANNA, VERA, Office
from tests.hub.telephony.exchange import insert_talk, journal, listen, make_client, phone, show, with_exchange

CALLER = "+79161234567"


def ask(office: Office, caller: str = CALLER, did: str = "84951112233") -> str:
    """What the dialplan is told."""
    return way(office, caller, did).answer


def way(office: Office, caller: str = CALLER, did: str = "84951112233") -> Way:
    """The whole of it."""
    rules, question, now = rules_of(office.setup.lines["pbx"]), Question(caller, did, "1.1", "1.1"), office.clock()
    known = office.store.read_now(
        lambda connection: read_known(connection, office.setup, rules, read_caller(rules, question), now)
    )
    return decide(office.setup, "pbx", rules, question, known, now)


def test_an_unknown_caller_goes_to_the_queue_of_the_lines_team(office: Office) -> None:
    with_exchange(office)
    assert ask(office) == "support"
    assert ask(office, "anonymous") == "support"
    assert ask(office, "") == "support"


def test_who_talked_last_gets_the_client_again_while_he_is_free(office: Office) -> None:
    with_exchange(office, "sticky_days = 7")
    client = make_client(office, CALLER)
    insert_talk(office, client, "anna", office.clock() - timedelta(days=20))
    show(office, phone("101"), phone("102"))
    assert ask(office) == "support", "that was too long ago"
    insert_talk(office, client, "boris", office.clock() - timedelta(days=2))
    assert ask(office) == "op/102"
    assert ask(office, "8 (916) 123-45-67") == "op/102"
    for state in ("talking", "ringing", "paused", "offline"):
        show(office, phone("101"), phone("102", state))
        assert ask(office) == "support", state
    show(office, phone("101"), phone("102", paused=True))
    assert ask(office) == "support"
    show(office, phone("101"), phone("102", queues=()))
    assert ask(office) == "op/102", "nobody keeps track of desks"
    wrapping = {"operator": "boris", "line": "pbx", "extension": "102", "interaction_id": client}
    wrapping |= {"since": office.clock(), "until": office.clock() + timedelta(seconds=30)}
    office.store.write_now(lambda unit: begin_wrap_up(unit, wrapping))
    assert ask(office) == "support", "he still works on the call before"
    office.clock.move(seconds=31)
    assert ask(office) == "op/102"


def test_stickiness_can_be_switched_off(office: Office) -> None:
    with_exchange(office, "sticky_days = 0", "to_responsible = false")
    client = make_client(office, CALLER, responsible="anna")
    insert_talk(office, client, "boris", office.clock())
    show(office, phone("101"), phone("102"))
    assert ask(office) == "support"


def test_the_responsible_gets_his_clients_and_his_deputy_does_while_he_is_away(office: Office) -> None:
    with_exchange(
        office,
        '[[operator.anna.away]]\nfrom = "2026-09-20"\nto = "2026-09-25"\ndeputy = "boris"',
    )
    make_client(office, CALLER, responsible="anna")
    show(office, phone("101"), phone("102"))
    assert ask(office) == "op/101"
    office.store.write_now(lambda unit: go_away(unit, "anna"))
    assert ask(office) == "support", "he says that he is away"
    office.clock.at = datetime(2026, 9, 22, 9, tzinfo=UTC)
    listen(office, until=office.clock() + timedelta(minutes=1))
    assert ask(office) == "op/102"


def test_nobody_is_rung_by_a_picture_that_nobody_keeps(office: Office) -> None:
    with_exchange(office)
    make_client(office, CALLER, responsible="anna")
    show(office, phone("101"))
    assert ask(office) == "op/101"
    listen(office, until=office.clock() - timedelta(seconds=1))
    assert ask(office) == "support"


def test_outside_the_teams_hours_the_dialplan_is_told_closed(office: Office) -> None:
    with_exchange(office, 'dids = { "+74951112233" = "sales" }')
    assert ask(office, did="84951112233") == "sales-q"
    assert ask(office, did="84957777777") == "support"
    office.clock.move(hours=10)  # Monday, 19:00
    assert ask(office, did="84951112233") == "closed"
    assert ask(office, did="84957777777") == "support"
    with_exchange(office, 'dids = { "+74951112233" = "sales" }', "route_closed = false")
    assert ask(office, did="84951112233") == "sales-q"


def test_areas_and_the_routes_of_the_set_up_name_the_team(office: Office) -> None:
    with_exchange(
        office,
        'areas = { "+7812" = "north", "7495" = "sales" }',
        '[route.night]\nteam = "north"\nwhen = { line = "pbx", during = ["20:00-23:00"] }',
        '[route.number]\nteam = "sales"\nwhen = { line = "pbx", field = { did = "900" } }',
    )
    assert ask(office, "+78121112233") == "north-q"
    assert ask(office, "84951112233") == "sales-q"
    assert ask(office) == "support"
    assert ask(office, did="900") == "sales-q"
    office.clock.move(hours=12)
    assert ask(office) == "north-q"


def test_vips_have_a_queue_of_their_own(office: Office) -> None:
    with_exchange(office, 'vip_queue = "vip"')
    make_client(office, CALLER, category="VIP")
    make_client(office, "+78121112233", category="A")
    assert ask(office) == "vip"
    assert ask(office, "+78121112233") == "support"


@pytest.mark.parametrize(
    ("more", "vip", "plain"),
    [("", 10, 0), ("priorities = { VIP = 40, A = 3 }", 40, 3), ("priorities = {}", 0, 0)],
)
def test_queues_answer_some_sooner(office: Office, more: str, vip: int, plain: int) -> None:
    with_exchange(office, more)
    company = make_client(office, "+78121110000", category="VIP")
    make_client(office, CALLER, company_id=company, category="B")
    make_client(office, "+78121112233", category="A")
    assert way(office).priority == vip, "his company's counts for him"
    assert way(office, "+78121112233").priority == plain
    assert way(office, "+78129998877").priority == way(office, "anonymous").priority == 0


def test_who_is_blocked_goes_nowhere_until_it_ends_or_is_lifted(office: Office) -> None:
    with_exchange(office)
    until = office.clock() + timedelta(hours=1)
    number = office.act(blocking.block, VERA, NewBlock("8 916 123-45-67", "ругается", until))
    assert ask(office) == "blocked"
    assert ask(office, "+79160000000") == "support"
    office.clock.move(hours=2)
    assert ask(office) == "support"
    again = office.act(blocking.block, VERA, NewBlock(CALLER))
    assert ask(office) == "blocked"
    office.act(blocking.lift, VERA, again)
    assert ask(office) == "support"
    with pytest.raises(Conflict):
        office.act(blocking.lift, VERA, again)
    with pytest.raises(Conflict):
        office.act(blocking.lift, VERA, number)
    assert [action for action, _ in journal(office)][-3:] == ["blocked", "blocked", "unblocked"]


def test_a_vip_is_never_blocked(office: Office) -> None:
    with_exchange(office)
    number = office.act(blocking.block, VERA, NewBlock(CALLER))
    assert ask(office) == "blocked"
    make_client(office, CALLER, category="VIP")
    assert ask(office) == "support", "he has become one"
    with pytest.raises(Conflict):
        office.act(blocking.block, VERA, NewBlock(CALLER))
    assert office.row(models.blocked_number, number)["lifted_at"] is None
    for written in ("nobody", "anna@office.example"):
        with pytest.raises(BadInput):
            office.act(blocking.block, ANNA, NewBlock(written))
