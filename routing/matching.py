"""The conditions of regulations and routes, compiled once into closures that a touch runs through."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from routing.calendar.span import DAY, Hours
from routing.conditions import WRITTEN, Action, After, For
from routing.facts import ClientFacts, Facts, InteractionFacts

Matcher = Callable[[InteractionFacts, Facts], bool]
"""Judges one interaction (as it is, or as it was) in the light of the facts."""
Selector = Callable[[Facts], bool]

REQUESTS = frozenset({"message", "form", "letter", "fax"})
CHANNEL_GROUPS = {"phone": frozenset({"asterisk", "phone"}), "call": frozenset({"asterisk"})}
NO_MESSENGERS = frozenset({"email", "sms", "form", "webform", "desk", "api", "unknown"}).union(*CHANNEL_GROUPS.values())
"""Whatever else a touch comes through is a messenger: a new one needs no entry here."""
NOT_OUT = frozenset({"pending", "failed"})


def _client(facts: Facts, name: str) -> Any:
    found = getattr(facts.client, name) if facts.client else None
    return found if found is not None or facts.company is None else getattr(facts.company, name)


def _of_client(name: str) -> Callable[[Facts], Any]:
    return lambda facts: _client(facts, name)


def _of_interaction(name: str) -> Callable[[Facts], Any]:
    return lambda facts: getattr(facts.interaction, name) if facts.interaction else None


def _team(facts: Facts) -> str | None:
    if facts.conversation is not None and facts.conversation.team is not None:
        return facts.conversation.team
    return facts.interaction.team if facts.interaction else None


def _queue(facts: Facts) -> str | None:
    call = facts.interaction.call if facts.interaction else None
    return call.queue if call and call.queue else _team(facts)


def _language(facts: Facts) -> str | None:
    found: str | None = facts.interaction.language if facts.interaction else None
    return found or _client(facts, "language")


def field_of(name: str, facts: Facts, interaction: InteractionFacts | None = None) -> Any:
    """A free field: of the interaction, else of the event, else of the client."""
    interaction = interaction or facts.interaction
    for fields in (
        interaction.fields if interaction else None,
        facts.event.fields if facts.event else None,
        facts.client.fields if facts.client else None,
    ):
        if fields and name in fields:
            return fields[name]
    return None


GETTERS: Mapping[str, Callable[[Facts], Any]] = {
    "category": _of_client("category"),
    "team": _team,
    "queue": _queue,
    "line": _of_interaction("line"),
    "form": _of_interaction("form"),
    "kind": _of_interaction("kind"),
    "direction": _of_interaction("direction"),
    "client_kind": _of_client("kind"),
    "lifecycle": _of_client("lifecycle"),
    "source": _of_client("source"),
    "region": _of_client("region"),
    "language": _language,
    "responsible": _of_client("responsible"),
    "counterparty": lambda facts: field_of("counterparty", facts),
    "product_line": lambda facts: field_of("product_line", facts),
    "disposition": _of_interaction("disposition"),
    "channel": _of_interaction("channel"),
}
CLIENT_KEYS = frozenset({"category", "client_kind", "lifecycle", "source", "region", "responsible", "counterparty"})
"""Keys that tell clients apart; the others tell touches apart."""


def compile_for(chosen: For | None, keys: frozenset[str] | None = None) -> Selector:
    """One closure for a `for` table; with `keys`, only for those of its keys."""
    if chosen is None:
        return _always
    tests = [test for name, test in _tests(chosen) if keys is None or name in keys]
    if not tests:
        return _always
    if len(tests) == 1:
        return tests[0]
    return lambda facts: all(test(facts) for test in tests)


def _always(facts: Facts) -> bool:
    return True


def _tests(chosen: For) -> list[tuple[str, Selector]]:
    tests: list[tuple[str, Selector]] = []
    for name, get in GETTERS.items():
        if values := getattr(chosen, name):
            tests.append((name, _among(get, _widened(values) if name == "channel" else frozenset(values))))
    tests += [(f"field.{name}", _field_test(name, value)) for name, value in chosen.field.items()]
    if chosen.words:
        tests.append(("words", _words_test(chosen.words)))
    if chosen.first_contact is not None:
        tests.append(("first_contact", _first_test(chosen.first_contact)))
    if chosen.during:
        tests.append(("during", _during_test(chosen.during)))
    if chosen.open is not None:
        tests.append(("open", _open_test(chosen.open)))
    return tests


def _among(get: Callable[[Facts], Any], values: Container[Any]) -> Selector:
    return lambda facts: get(facts) in values


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels that a table names, one by one or by their group."""

    names: frozenset[str]
    messengers: bool = False

    def __contains__(self, channel: object) -> bool:
        return channel in self.names or (self.messengers and channel is not None and channel not in NO_MESSENGERS)


def _widened(channels: tuple[str, ...]) -> Channels:
    named = frozenset().union(*(CHANNEL_GROUPS.get(each, frozenset((each,))) for each in channels))
    return Channels(named, messengers="messenger" in channels)


def _field_test(name: str, value: Any) -> Selector:
    return lambda facts: holds(field_of(name, facts), value)


def holds(found: Any, wanted: Any) -> bool:
    """Whether a field has the wanted value: true and "yes" mean filled with a yes, a list means any of it."""
    if isinstance(wanted, list | tuple):
        return found in wanted
    if isinstance(wanted, bool):
        return (found in (True, 1, "true", "True", "yes", "on", "1")) is wanted
    return bool(found == wanted or str(found) == str(wanted))


def _words_test(words: tuple[str, ...]) -> Selector:
    folded = tuple(word.casefold() for word in words)
    return lambda facts: facts.interaction is not None and any(word in facts.interaction.words for word in folded)


def _first_test(wanted: bool) -> Selector:
    return lambda facts: facts.client is not None and facts.client.first_contact is wanted


def _during_test(spans: Hours) -> Selector:
    def test(facts: Facts) -> bool:
        wall = facts.book.calendar_for(None, _team(facts)).wall(facts.at)
        minute = wall.hour * 60 + wall.minute
        return any(each.opens <= minute < each.closes or each.opens <= minute + DAY < each.closes for each in spans)

    return test


def _open_test(wanted: bool) -> Selector:
    return lambda facts: facts.book.calendar_for(None, _team(facts)).is_open(facts.at) is wanted


def human(interaction: InteractionFacts) -> bool:
    """Whether a person stands behind it: automatic and suspicious touches neither start nor answer."""
    return interaction.automatic is None and not interaction.quarantined


def reached(interaction: InteractionFacts) -> bool:
    """Whether it brought two people together, or brought our words out to the client."""
    if interaction.kind == "call":
        call = interaction.call
        return call is not None and call.outcome == "answered" and call.talk_s != 0
    if interaction.kind == "meeting":
        return True
    return interaction.direction == "outbound" and interaction.kind in WRITTEN and interaction.delivery not in NOT_OUT


def contact_at(interaction: InteractionFacts) -> Any:
    """The instant that counts: when the talk began, when the message was written."""
    if interaction.call is not None and interaction.call.answered_at is not None:
        return interaction.call.answered_at
    return interaction.at


def _call_ended(i: InteractionFacts) -> bool:
    return i.kind == "call" and i.ended_at is not None and i.call is not None and i.call.outcome == "answered"


def _call_missed(i: InteractionFacts) -> bool:
    missed = i.kind == "call" and i.call is not None and i.call.outcome == "missed"
    return missed and i.direction == "inbound"


def _received(kinds: frozenset[str]) -> Callable[[InteractionFacts], bool]:
    return lambda i: i.direction == "inbound" and i.kind in kinds


def _sent(kinds: frozenset[str]) -> Callable[[InteractionFacts], bool]:
    return lambda i: i.direction == "outbound" and i.kind in kinds and i.delivery not in NOT_OUT


def _is_offer(i: InteractionFacts) -> bool:
    return i.direction == "outbound" and i.delivery not in NOT_OUT and (i.disposition == "offer" or "offer" in i.fields)


EVENT_TESTS: Mapping[str, Callable[[InteractionFacts], bool]] = {
    "call.started": lambda i: i.kind == "call",
    "call.answered": lambda i: i.kind == "call" and i.call is not None and i.call.outcome == "answered",
    "call.ended": _call_ended,
    "call.missed": _call_missed,
    "meeting.ended": lambda i: i.kind == "meeting",
    "message.received": _received(frozenset({"message"})),
    "message.sent": _sent(frozenset({"message"})),
    "form.received": _received(frozenset({"form"})),
    "letter.received": _received(frozenset({"letter"})),
    "letter.sent": _sent(frozenset({"letter"})),
    "fax.received": _received(frozenset({"fax"})),
    "fax.sent": _sent(frozenset({"fax"})),
    "note.written": lambda i: i.kind == "note",
    "offer.sent": _is_offer,
}


def compile_after(after: After) -> Matcher:
    """One closure telling whether an interaction is the event that starts the promise."""
    happened = [EVENT_TESTS[name] for name in after.event if name in EVENT_TESTS]
    tests = _interaction_tests(after)

    def matches(interaction: InteractionFacts, facts: Facts) -> bool:
        if not any(test(interaction) for test in happened) or not human(interaction) or interaction.again:
            return False
        return all(test(interaction, facts) for test in tests)

    return matches


def _interaction_tests(table: After | Action) -> list[Matcher]:
    named = ((name, getattr(table, name, ())) for name in ("disposition", "kind", "direction", "line", "form"))
    tests = [_attribute_test(name, frozenset(values)) for name, values in named if values]
    if table.channel:
        tests.append(_attribute_test("channel", _widened(table.channel)))
    tests += [_interaction_field_test(name, value) for name, value in table.field.items()]
    if table.min_talk is not None:
        tests.append(_talk_test(table.min_talk.span.total_seconds()))
    return tests


def _attribute_test(name: str, values: Container[Any]) -> Matcher:
    return lambda interaction, facts: getattr(interaction, name) in values


def _interaction_field_test(name: str, value: Any) -> Matcher:
    return lambda interaction, facts: holds(field_of(name, facts, interaction), value)


def _talk_test(seconds: float) -> Matcher:
    def test(interaction: InteractionFacts, facts: Facts) -> bool:
        if interaction.kind != "call":
            return True
        return interaction.call is not None and (interaction.call.talk_s or 0) >= seconds

    return test


def compile_action(action: Action) -> Matcher:
    """One closure telling whether an interaction keeps the promise (time and client are judged by the engine)."""
    tests = _interaction_tests(action)
    if action.any:
        tests.append(_attribute_test("kind", frozenset(action.any)))
    if action.send:
        tests.append(_sent_by(_widened(action.send)))
    if action.with_ == "attachment":
        tests.append(lambda interaction, facts: interaction.has_files)
    if action.words:
        folded = tuple(word.casefold() for word in action.words)
        tests.append(lambda interaction, facts: any(word in interaction.words for word in folded))
    if (by := _by(action.by)) is not None:
        tests.append(by)
    if action.event and not action.any and not action.send:
        return _never
    if action.form:
        return lambda interaction, facts: not interaction.quarantined and all(t(interaction, facts) for t in tests)
    return lambda interaction, facts: reached(interaction) and all(test(interaction, facts) for test in tests)


def _never(interaction: InteractionFacts, facts: Facts) -> bool:
    return False


def _sent_by(channels: Channels) -> Matcher:
    def test(interaction: InteractionFacts, facts: Facts) -> bool:
        ways = interaction.channel in channels or interaction.kind in channels.names
        return interaction.direction == "outbound" and ways

    return test


def _by(who: str) -> Matcher | None:
    if who == "any":
        return None
    if who == "human":
        return lambda interaction, facts: human(interaction)
    if who == "responsible":
        return lambda interaction, facts: (
            human(interaction)
            and facts.roster.stands_for(interaction.operator, _responsible(facts.client, facts.company), interaction.at)
        )
    return lambda interaction, facts: (
        human(interaction)
        and facts.roster.stands_for(
            interaction.operator, facts.conversation.owner if facts.conversation else None, interaction.at
        )
    )


def _responsible(client: ClientFacts | None, company: ClientFacts | None) -> str | None:
    if client is not None and client.responsible is not None:
        return client.responsible
    return company.responsible if company is not None else None
