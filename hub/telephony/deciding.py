"""Where a call goes, when the dialplan asks: to a person who is meant and free, to a queue, or nowhere.

The exchange shares calls out within a queue; the hub names a person only when one is meant (who talked with the client
last, who is responsible for him). Whoever is in doubt gets the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from channels import phone
from channels.contract import Question
from channels.exchange import ExchangeSettings
from channels.touch import Identity
from hub.presence import AWAY, Presence, read_presence
from hub.setup.lines import Line
from hub.setup.snapshot import SetUp
from hub.telephony.picture import OperatorNow, read_some
from routing.facts import ClientFacts, Facts, InteractionFacts
from routing.people import read_client, with_companies
from storage.repositories import callers

VIP = "VIP"
CLOSED, BLOCKED = "closed", "blocked"
_NOBODY = Presence({}, {}, False)


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of a caller, and of those who might take his call."""

    clients: tuple[ClientFacts, ...] = ()
    companies: Mapping[int, ClientFacts] = field(default_factory=dict)
    talker: str | None = None
    blocked: bool = False
    phones: Mapping[str, OperatorNow] = field(default_factory=dict)
    presence: Presence = _NOBODY

    @property
    def vip(self) -> bool:
        """One of those who may be meant is a VIP, or his company is."""
        return any(one.category == VIP for one in (*self.clients, *self.companies.values()))

    def priority(self, priorities: Mapping[str, int]) -> int:
        """The highest of those who may be meant, and of their companies."""
        categories = {one.category for one in (*self.clients, *self.companies.values())}
        return max((priorities.get(one, 0) for one in categories if one), default=0)

    @property
    def client(self) -> ClientFacts | None:
        """The one client who is meant."""
        return self.clients[0] if len(self.clients) == 1 else None

    @property
    def company(self) -> ClientFacts | None:
        """His company."""
        number = self.client.company if self.client else None
        return self.companies.get(number) if number is not None else None


@dataclass(frozen=True, slots=True)
class Way:
    """`answer` is what the dialplan is told: `op/101`, a queue, `closed`, `blocked`, or "". `why` is for people.
    `priority` is how much sooner queues are to answer him, also when the person does not."""

    answer: str
    why: str
    priority: int = 0


def read_known(
    connection: Connection, setup: SetUp, rules: ExchangeSettings, caller: Identity | None, now: datetime
) -> Known:
    """A few indexed questions; nothing is read about people who are nobody's business here."""
    if caller is None:
        return Known()
    blocked = callers.is_blocked(connection, caller.scheme, caller.value, now)
    clients = tuple(read_client(row) for row in callers.find_clients_of(connection, caller.scheme, caller.value))
    if not clients:
        return Known(blocked=blocked)
    companies = with_companies(connection, clients)
    talker = None
    if len(clients) == 1 and rules.sticky_days:
        talker = callers.find_last_talker(connection, clients[0].id, now - timedelta(days=rules.sticky_days))
    found = Known(clients, companies, talker, blocked)
    wanted = [operator for operator, _ in _meant(setup, rules, found, now)]
    phones = read_some(connection, setup, now, wanted) if wanted else {}
    anybody = any(one.state == "free" for one in phones.values())
    return replace(found, phones=phones, presence=read_presence(connection, now) if anybody else _NOBODY)


def read_caller(rules: ExchangeSettings, question: Question) -> Identity | None:
    """Whose number it is; None for a hidden one."""
    if phone.is_hidden(question.caller):
        return None
    return phone.normalise(question.caller, rules.default_region)


def decide(setup: SetUp, key: str, rules: ExchangeSettings, question: Question, known: Known, now: datetime) -> Way:
    """Blocked, closed, a person, the queue of the team: in this order."""
    way = _decide(setup, key, rules, question, known, now)
    return replace(way, priority=known.priority(rules.priorities))


def _decide(setup: SetUp, key: str, rules: ExchangeSettings, question: Question, known: Known, now: datetime) -> Way:
    line = setup.lines[key]
    if known.blocked and not known.vip:
        return Way(BLOCKED, "black list")
    team, why = find_team(setup, key, line, rules, question, known, now)
    if rules.route_closed and not setup.book.calendar_for(None, team).is_open(now):
        return Way(CLOSED, f"{why}; outside the hours of {team}")
    person = _find_person(setup, rules, known, now)
    if person is not None:
        return person
    if known.vip and rules.vip_queue:
        return Way(rules.vip_queue, "VIP")
    return Way(find_queue(line, rules, team), why)


def find_team(
    setup: SetUp, key: str, line: Line, rules: ExchangeSettings, question: Question, known: Known, now: datetime
) -> tuple[str | None, str]:
    """By the number dialled, by where the caller is, by the set-up's routes, else the line's own; and why."""
    did = phone.normalise(question.did, rules.default_region).value if question.did else ""
    for dialled, team in rules.dids.items():
        if question.did and (dialled == question.did or phone.normalise(dialled, rules.default_region).value == did):
            return team, f"number {dialled}"
    caller = read_caller(rules, question)
    digits = caller.value.lstrip("+") if caller is not None else ""
    for beginning in sorted(rules.areas, key=len, reverse=True):
        if digits and digits.startswith(beginning.lstrip("+")):
            return rules.areas[beginning], f"area {beginning}"
    facts = _facts(setup, key, line, question, known, now)
    for each in setup.ways:
        if each.fits(facts):
            return each.settings.team, f"route {each.key}"
    return line.team, "the line's team"


def _facts(setup: SetUp, key: str, line: Line, question: Question, known: Known, now: datetime) -> Facts:
    """The call as the set-up's routes see it; the number dialled is its field `did`."""
    touch = InteractionFacts(
        id=0,
        kind="call",
        channel=line.channel,
        line=key,
        direction="inbound",
        at=now,
        client=known.client.id if known.client else None,
        conversation=None,
        team=line.team,
        fields={"did": question.did, "caller": question.caller},
    )
    book = setup.book
    return Facts(
        now=now, at=now, book=book, roster=book.roster, interaction=touch, client=known.client, company=known.company
    )


def find_queue(line: Line, rules: ExchangeSettings, team: str | None) -> str:
    """The queue of a team: by the line's `queues`, else that of the line's own team; "" when none is known."""
    for wanted in dict.fromkeys((team, line.team)):
        for queue, its in rules.queues.items():
            if (its or line.team) == wanted:
                return queue
    return next(iter(rules.queues), "")


def _find_person(setup: SetUp, rules: ExchangeSettings, known: Known, now: datetime) -> Way | None:
    """The first of those who are meant who is free and at work."""
    for operator, why in _meant(setup, rules, known, now):
        extension = _free_extension(setup, known, operator, now)
        if extension is not None:
            return Way(f"op/{extension}", f"{operator}: {why}")
    return None


def _meant(setup: SetUp, rules: ExchangeSettings, known: Known, now: datetime) -> list[tuple[str, str]]:
    """Who talked with the client last, else his responsible (or the deputy); and why."""
    wanted = [(known.talker, "talked last")]
    if rules.to_responsible:
        whose = [one.responsible for one in (known.client, known.company) if one is not None and one.responsible]
        wanted += [(setup.stand_in(key, now), "responsible") for key in whose]
    return [(operator, why) for operator, why in wanted if operator is not None]


def _free_extension(setup: SetUp, known: Known, operator: str, now: datetime) -> str | None:
    """His telephone is free, he is not away, and he is at work: in a queue, at an open desk, or nobody keeps track."""
    now_of = known.phones.get(operator)
    if now_of is None or now_of.state != "free" or now_of.paused or setup.is_away(operator, now):
        return None
    presence = known.presence
    if presence.state_of(operator) == AWAY:
        return None
    at_work = bool(now_of.queues) or presence.present is None or operator in presence.present
    return now_of.extension if at_work else None
