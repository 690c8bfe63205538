"""Interactions by hand, later words on them, release from quarantine, and whose they are."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from channels.touch import Automatic, Direction, Identity, Kind, Thread, Touch
from hub.actions import finding
from hub.actions.append import append
from hub.actions.clients import reindex
from hub.actions.identities import read_identities, read_identity
from hub.actor import Actor
from hub.arrival import Arrival
from hub.errors import BadInput, Conflict
from hub.heard import hand_on, hear
from hub.identify import Identifier
from hub.journal import note
from hub.judgement import judge_interaction
from hub.places import BY_HAND, FORM
from hub.references import References
from hub.setup.problem import suggest
from hub.setup.snapshot import SetUp
from hub.threads import Threads
from storage import models
from storage.events import Event
from storage.search import index_clients, index_interactions, words_of
from storage.unit import Unit

Row = dict[str, Any]

_USUAL = {Kind.NOTE: Direction.INTERNAL, Kind.MEETING: Direction.OUTBOUND}
_FARTHEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HandMade:
    """What somebody logs by hand: a visit, a letter, a fax, a talk on a mobile phone, a note.

    `identities` are as written and find or make the client where `client` is not given. `call` holds what is known of
    a talk (`outcome`, `reason`, `talk_s`, `wait_s`, `from`, `to` …). `key` makes the act idempotent.
    """

    kind: str
    direction: str | None = None
    at: datetime | None = None
    ended_at: datetime | None = None
    channel: str | None = None
    line: str | None = None
    client: int | None = None
    identities: tuple[str, ...] = ()
    name: str | None = None
    conversation: int | None = None
    operator: str | None = None
    team: str | None = None
    subject: str | None = None
    text: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[int, ...] = ()
    call: Mapping[str, Any] | None = None
    disposition: str | None = None
    language: str | None = None
    key: str | None = None


def log_by_hand(unit: Unit, setup: SetUp, actor: Actor, made: HandMade) -> int:
    """Append it to the log as any touch; answers the interaction. With a `key` that was used before, that one."""
    at = _check_times(unit, made)
    _check_names(setup, made)
    talk = finding.refer_to(unit, models.conversation, made.conversation, "conversation") if made.conversation else None
    client = finding.refer_to_client(unit, made.client)["id"] if made.client is not None else None
    party = _read_party(setup, made)
    client = client if client is not None else _client_of(talk, party)
    if client is None and not party:
        raise BadInput("whose is it?", field="client", remedy="name a client, an identity or a conversation")
    touch = _compose(made, at, party, actor)
    if (known := _find_logged(unit, touch)) is not None:
        return known
    row = append(unit, setup, touch, client=client, files=made.attachments, columns=_columns(setup, made, at))
    note(unit, actor, "logged", "interaction", row["id"], {"kind": made.kind, "client": row["client_id"]})
    return int(row["id"])


def _client_of(talk: Row | None, party: tuple[Identity, ...]) -> int | None:
    return talk["client_id"] if talk is not None and not party else None


def _check_times(unit: Unit, made: HandMade) -> datetime:
    at = made.at or unit.now
    if at > unit.now + _FARTHEST:
        raise BadInput("this has not happened yet", field="at", remedy="make a task for what is to come")
    if made.ended_at is not None and made.ended_at < at:
        raise BadInput("it ended before it began", field="ended_at")
    return at


def _check_names(setup: SetUp, made: HandMade) -> None:
    finding.check_operator(setup, made.operator)
    finding.check_team(setup, made.team)
    if made.line is not None and made.line not in setup.lines and made.line not in setup.forms:
        raise BadInput(
            "there is no line %(line)s",
            field="line",
            remedy=suggest(made.line, [*setup.lines, *setup.forms]),
            line=made.line,
        )


def _read_party(setup: SetUp, made: HandMade) -> tuple[Identity, ...]:
    found = read_identities(setup, list(made.identities))
    caller = (made.call or {}).get("to" if made.direction == "outbound" else "from")
    if not found and isinstance(caller, str) and caller.strip() and made.client is None:
        found = [read_identity(setup, caller, "call.from")]
    return tuple(Identity(one.scheme, one.value, made.name or one.name, one.odd) for one in found)


def _compose(made: HandMade, at: datetime, party: tuple[Identity, ...], actor: Actor) -> Touch:
    kind = Kind(made.kind)
    direction = Direction(made.direction) if made.direction else _USUAL.get(kind, Direction.INBOUND)
    line = made.line or BY_HAND
    call = _call(made, at, direction) if kind is Kind.CALL else None
    return Touch(
        line=line,
        event_key=f"hand:{made.key}" if made.key else f"hand:{secrets.token_hex(12)}",
        kind=kind,
        direction=direction,
        at=at,
        party=party,
        operator=made.operator or actor.operator,
        subject=made.subject,
        text=made.text,
        fields=dict(made.fields),
        origin={"by": str(actor)},
        call=call,
        language=made.language,
        thread=Thread(conversation=made.conversation) if made.conversation else None,
    )


def _call(made: HandMade, at: datetime, direction: Direction) -> Row:
    """A talk that is logged by hand was one, unless it says that it was missed."""
    call = {key: value for key, value in (made.call or {}).items() if value is not None}
    call.setdefault("outcome", "answered")
    if call["outcome"] == "missed":
        call.setdefault("reason", "no_answer")
    waited = timedelta(seconds=float(call.get("wait_s", 0)))
    talked = timedelta(seconds=float(call.get("talk_s", 0)) + float(call.get("hold_s", 0)))
    if call["outcome"] == "answered":
        call.setdefault("answered_at", (at + waited).isoformat())
        if made.ended_at is not None and "talk_s" not in call:
            call["talk_s"] = max(0.0, (made.ended_at - at - waited).total_seconds())
    call["ended_at"] = (made.ended_at or at + waited + talked).isoformat()
    if made.operator:
        call.setdefault("operator", made.operator)
    return call


def _columns(setup: SetUp, made: HandMade, at: datetime) -> Row:
    """What the line does not know about something made by hand."""
    call = _call(made, at, Direction.INBOUND) if made.kind == Kind.CALL else None
    ended = datetime.fromisoformat(call["ended_at"]) if call else made.ended_at or at
    columns: Row = {"ended_at": ended}
    if made.disposition is not None:
        columns["disposition"] = made.disposition
    if made.channel is not None:
        columns["channel"] = made.channel
    if made.team is not None:
        columns["team"] = made.team
    elif made.line is None and made.operator and setup.operators[made.operator].teams:
        columns["team"] = setup.operators[made.operator].teams[0]
    return columns


def _find_logged(unit: Unit, touch: Touch) -> int | None:
    table = models.touch
    query = select(table.c.interaction_id).where(table.c.event_key == touch.event_key, table.c.line == touch.line)
    return unit.connection.execute(query).scalar_one_or_none()


def amend(
    unit: Unit,
    setup: SetUp,
    number: int,
    actor: Actor,
    disposition: str | None = None,
    fields: Mapping[str, Any] | None = None,
    text: str | None = None,
) -> None:
    """Say what came of it, fill in a field, say what was said. The log only grows: the change is a touch of its own.

    A field given as None is taken away; a disposition of "" too. `text` is that of a call: messages have their own.
    """
    before = finding.find_row(unit, models.interaction, number)
    merged = {**before["fields"], **(fields or {})}
    changes: Row = {"fields": {key: value for key, value in merged.items() if value is not None}}
    if disposition is not None:
        changes["disposition"] = disposition or None
    if text is not None:
        changes["text"] = text
    after = finding.change_row(unit, models.interaction, before, changes)
    if after == before:
        return
    body = {"fields": dict(fields or {}), "disposition": disposition, "by": str(actor)}
    if text is not None:
        body["text"] = text
    _append_change(unit, after, "amended", body)
    index_interactions(unit, [(number, _words(after))])
    judge_interaction(unit, setup, before, after, actor=str(actor), at=unit.now, phase="amended")
    note(unit, actor, "amended", "interaction", number, body)
    _tell(unit, after, "amended")


def release(unit: Unit, setup: SetUp, number: int, actor: Actor) -> None:
    """Out of quarantine: from now on it is a touch like any other, and its clock runs since it came."""
    row = finding.find_row(unit, models.interaction, number)
    if row["quarantined_at"] is None:
        raise Conflict("this interaction is not in quarantine")
    touch = _touch_again(unit, row)
    row = {**row, "quarantined_at": None}
    identifier = Identifier.load(unit, [touch.party])
    threads, references = Threads(unit, setup.company.window), References(unit, setup, [touch])
    reference = references.of(touch)
    referred = reference.conversation if reference else None
    threads.load([number for number in (referred, touch.thread.tag if touch.thread else None) if number])
    usual = threads.by_id[referred]["client_id"] if referred in threads.by_id else None
    found = identifier.whose(touch.party, unit.now, name=_name(row), usual=usual)
    new_clients = identifier.flush()
    threads.load_recent([found.client], unit.now - timedelta(hours=24) - setup.company.window)
    talk, fresh = threads.place(touch, found.client, referred, row["team"], row["channel"])
    talk_before = None if fresh else dict(talk)
    threads.follow(talk, touch, row, answered=reference is not None and reference.answered)
    threads.flush()
    references.learn(touch, {**row, "conversation_id": talk["id"]})
    references.flush()
    before = finding.find_row(unit, models.interaction, number)
    changes: Row = {
        "quarantined_at": None,
        "client_id": found.client,
        "conversation_id": talk["id"],
        "candidates": [{"client": one.client, "reason": one.reason} for one in found.candidates] or None,
    }
    after = finding.change_row(unit, models.interaction, before, changes)
    for one in new_clients:
        values = [identity.value for identity in touch.party]
        index_clients(unit, [(one["id"], words_of(one["name"], *values, phones=values))], fresh=True)
    _append_change(unit, after, "released", {"by": str(actor), "suspicion": row["suspicion"]})
    hear(unit, [Arrival(touch, row=after)])
    judge_interaction(unit, setup, None, after, actor=str(actor), conversation_before=talk_before)
    note(unit, actor, "released", "interaction", number, {"suspicion": row["suspicion"], "client": found.client})
    _tell(unit, after, "released")


def choose_client(unit: Unit, setup: SetUp, number: int, actor: Actor, client: int) -> None:
    """Say which of the candidates it was. Its conversation goes with it; what is promised in it, too, and what nobody
    but the one who stood in for him is known by (the browser he writes from)."""
    row = finding.find_row(unit, models.interaction, number)
    if row["quarantined_at"] is not None:
        raise Conflict("this interaction is in quarantine", remedy="release it first")
    chosen = finding.refer_to_client(unit, client)
    talk = finding.find_row(unit, models.conversation, row["conversation_id"]) if row["conversation_id"] else None
    was = row["client_id"]
    moved = [row] if talk is None else _of_conversation(unit, talk["id"], was)
    if talk is not None and talk["client_id"] == was:
        finding.change_row(unit, models.conversation, talk, {"client_id": chosen["id"]})
    for before in moved:
        after = finding.change_row(unit, models.interaction, before, {"client_id": chosen["id"], "candidates": None})
        if after == before:
            continue
        _append_change(unit, after, "client_chosen", {"client": chosen["id"], "was": was, "by": str(actor)})
        judge_interaction(unit, setup, before, after, actor=str(actor), at=unit.now, phase="client_chosen")
        _tell(unit, after, "client_chosen")
    if was is not None and was != chosen["id"]:
        _bring_along(unit, moved, was, chosen["id"])
        hand_on(unit, [one["id"] for one in moved], was, chosen["id"])
    note(unit, actor, "client_chosen", "interaction", number, {"client": chosen["id"], "was": was})


def _bring_along(unit: Unit, moved: list[Row], was: int, chosen: int) -> None:
    """What the stand-in alone has of the identities in these interactions is the chosen one's now; what nobody but the
    two has he loses, so that the next touch is the chosen one's for certain."""
    if not finding.find_row(unit, models.client, was)["provisional"]:
        return
    table = models.identity
    written = {one["identity"] for row in moved for one in row["party"]}
    held = unit.connection.execute(
        select(table).where(table.c.value.in_({one.partition(":")[2] for one in written}))
    ).all()
    holders: dict[str, set[int]] = {}
    for one in held:
        holders.setdefault(f"{one.scheme}:{one.value}", set()).add(one.client_id)
    alone = {name for name, clients in holders.items() if name in written and clients == {was}}
    mine = [one.id for one in held if f"{one.scheme}:{one.value}" in alone]
    both = {name for name, clients in holders.items() if name in written and clients == {was, chosen}}
    twice = [one.id for one in held if one.client_id == was and f"{one.scheme}:{one.value}" in both]
    if twice:
        unit.connection.execute(delete(table).where(table.c.id.in_(twice)))
    if mine:
        unit.connection.execute(update(table).where(table.c.id.in_(mine)).values(client_id=chosen))
    if mine or twice:
        for number in (was, chosen):
            reindex(unit, number)


def _of_conversation(unit: Unit, number: int, client: int | None) -> list[Row]:
    table = models.interaction
    query = select(table).where(table.c.conversation_id == number, table.c.client_id == client).order_by(table.c.id)
    return [dict(row._mapping) for row in unit.connection.execute(query)]


def _append_change(unit: Unit, row: Row, phase: str, body: Row) -> None:
    """The log is append-only: what people change about an interaction is a touch too."""
    unit.connection.execute(
        insert(models.touch).values(
            id=unit.take_ids(models.touch, 1)[0],
            line=row["line"],
            event_key=f"{phase}:{secrets.token_hex(12)}",
            interaction_id=row["id"],
            at=unit.now,
            received_at=unit.now,
            phase=phase,
            body=body,
            text="",
        )
    )


def _touch_again(unit: Unit, row: Row) -> Touch:
    body = unit.connection.execute(
        select(models.touch.c.body).where(models.touch.c.id == row["content_id"])
    ).scalar_one_or_none()
    thread = (body or {}).get("thread")
    return Touch(
        line=row["line"],
        event_key="",
        kind=Kind(row["kind"]),
        direction=Direction(row["direction"]),
        at=row["at"],
        party=tuple(
            Identity(scheme, value, one.get("name"), bool(one.get("odd")))
            for one in row["party"]
            for scheme, _, value in [one["identity"].partition(":")]
        ),
        subject=row["subject"],
        text=row["text"],
        fields=row["fields"],
        origin=row["origin"],
        call=row["call"],
        external_id=row["external_id"],
        automatic=Automatic(row["automatic"]) if row["automatic"] else None,
        thread=Thread(thread.get("conversation"), tuple(thread.get("answers", ())), thread.get("tag"))
        if thread
        else None,
    )


def _name(row: Row) -> str | None:
    name = row["fields"].get("name") if row["line"].startswith(FORM) else None
    return name.strip() or None if isinstance(name, str) else None


def _words(row: Row) -> str:
    values = [value for value in row["fields"].values() if isinstance(value, str)]
    people = [part for one in row["party"] for part in (one["identity"].partition(":")[2], one.get("name") or "")]
    return words_of(row["subject"], row["text"], row["disposition"], *values, *people, phones=[*people, *values])


def _tell(unit: Unit, row: Row, what: str) -> None:
    unit.emit(
        Event(
            "interaction",
            row["id"],
            what,
            client=row["client_id"],
            conversation=row["conversation_id"],
            operator=row["operator"],
            team=row["team"],
        )
    )
