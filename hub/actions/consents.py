"""What operators and programs write down of a client's wishes: consents, refusals, and lifting a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from hub import consents
from hub.actions import finding
from hub.actions.identities import read_identity
from hub.actor import SYSTEM, Actor
from hub.consents import ALL, GIVEN, MARKETING, PURPOSES, REFUSED, STATES
from hub.errors import BadInput, Forbidden
from hub.journal import note
from hub.judgement import judge_client
from hub.setup.problem import suggest
from hub.setup.snapshot import SetUp
from hub.ways import writing_channels
from storage import models
from storage.events import Event
from storage.repositories import consents as rows
from storage.unit import Unit

_SOON = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants. `text` and `version` are the words he agreed to; `reason` why a refusal is lifted.

    `at` is when he said so, now if None; `identity` the address that it is about, all of the channel's if None.
    """

    state: str
    channel: str = ALL
    purpose: str = ALL
    text: str | None = None
    version: str | None = None
    reason: str | None = None
    identity: str | None = None
    at: datetime | None = None


def note_wish(unit: Unit, setup: SetUp, number: int, actor: Actor, wish: Wish) -> int:
    """Write a wish down; answers its row. Lifting a refusal needs a supervisor and a reason (`Forbidden`, `BadInput`).

    What is said later than another thing of the same channel and purpose holds.
    """
    _check(unit, wish)
    client = finding.find_client(unit, number)
    identity = str(read_identity(setup, wish.identity, "identity")) if wish.identity else None
    said = rows.find_all(unit.connection, client["id"], [identity] if identity else ())
    before = consents.last_word(said, wish.purpose, wish.channel)
    if wish.state == GIVEN and before is not None and before.refused:
        _check_lifting(actor, wish)
    at = wish.at or unit.now
    if before is not None and wish.state == GIVEN and at <= before.at:
        raise BadInput("a later word of this client says otherwise", field="at", remedy="leave the instant out")
    made = rows.add(
        unit,
        {
            "client_id": client["id"],
            "identity": identity,
            "channel": wish.channel,
            "purpose": wish.purpose,
            "state": wish.state,
            "source": "operator" if actor.operator else "api",
            "by": str(actor),
            "text": wish.text,
            "version": wish.version,
            "reason": wish.reason,
            "at": at,
        },
    )
    _tell(unit, setup, client, actor)
    about = {"channel": wish.channel, "purpose": wish.purpose, "state": wish.state, "consent": made}
    note(unit, actor, "consent_noted", "client", client["id"], about | ({"reason": wish.reason} if wish.reason else {}))
    return made


@dataclass(frozen=True, slots=True)
class Mailing:
    """One mailing that went out: to whom, by which line. `stopped`: he wants none any more already."""

    client: int
    identity: str
    channel: str
    line: str
    interaction: int
    stopped: bool

    @property
    def address(self) -> str:
        """The address as people know it."""
        return self.identity.partition(":")[2]


def find_mailing(connection: Connection, reference: str) -> Mailing | None:
    """The mailing that was sent under a reference; None for any other message."""
    table, written = models.delivery, models.interaction
    query = (
        select(table.c.options, table.c.line, table.c.interaction_id, written.c.client_id, written.c.channel)
        .join_from(table, written, written.c.id == table.c.interaction_id)
        .where(table.c.reference == reference)
    )
    row = connection.execute(query).first()
    if row is None or row.options.get("purpose") != MARKETING:
        return None
    identity, channel = str(row.options.get("to")), row.channel
    word = consents.last_word(rows.find_all(connection, row.client_id, [identity]), MARKETING, channel)
    return Mailing(row.client_id, identity, channel, row.line, row.interaction_id, word is not None and word.refused)


def stop_mailings(unit: Unit, setup: SetUp, mailing: Mailing, words: str) -> None:
    """Whoever got it wants no more of them: noted with his words and the time. Once more changes nothing."""
    if mailing.stopped:
        return
    before = finding.find_client(unit, mailing.client)
    refused = {
        "client_id": before["id"],
        "identity": mailing.identity,
        "channel": mailing.channel,
        "purpose": MARKETING,
        "state": REFUSED,
        "source": "link",
        "by": mailing.line,
        "text": words,
        "interaction_id": mailing.interaction,
        "at": unit.now,
    }
    rows.add(unit, refused)
    _tell(unit, setup, before, SYSTEM)


def _tell(unit: Unit, setup: SetUp, before: dict[str, Any], actor: Actor) -> None:
    """The regulations see what it comes to: a broadcast may end for him, or begin to be due."""
    consents.keep(unit, before["id"])
    after = finding.find_row(unit, models.client, before["id"])
    if after["wishes"] != before["wishes"]:
        judge_client(unit, setup, before, after, actor=str(actor))
    unit.emit(Event("client", before["id"], "consents", client=before["id"]))


def _check(unit: Unit, wish: Wish) -> None:
    known = (ALL, *writing_channels())
    if wish.channel not in known:
        raise BadInput(
            "there is no channel %(channel)s to write by",
            field="channel",
            remedy=suggest(wish.channel, known),
            channel=wish.channel,
        )
    for name, value, choice in (("purpose", wish.purpose, (ALL, *PURPOSES)), ("state", wish.state, STATES)):
        if value not in choice:
            raise BadInput(
                "%(value)s is not one of the choices", field=name, remedy=suggest(value, choice), value=value
            )
    if wish.at is not None and wish.at > unit.now + _SOON:
        raise BadInput("this instant has not come yet", field="at", remedy="say when the client said so")


def _check_lifting(actor: Actor, wish: Wish) -> None:
    if not actor.may("supervisor"):
        raise Forbidden(
            "only a supervisor may lift what a client has refused",
            remedy="ask a supervisor, or let the client say START himself",
        )
    if not (wish.reason or "").strip():
        raise BadInput(
            "why is the refusal lifted?", field="reason", remedy="write how and when the client asked for it"
        )
