"""Outbound messages: written down with their delivery and the job that sends it, in one transaction."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from channels.touch import Approved, Automatic, Identity, Kind
from hub import consents
from hub.canned import Occasion
from hub.consents import MARKETING, SERVICE, Asked
from hub.mailings import buttons_for
from hub.places import place_of
from hub.setup.snapshot import SetUp
from hub.ways import check_line, check_window
from storage import models
from storage.events import Event
from storage.repositories import intake as rows
from storage.repositories import jobs
from storage.search import index_interactions, words_of
from storage.unit import Unit

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be written down. `files` are ids of attachments that were uploaded before.

    `direction` is "internal" for what goes to somebody else than the client (a forwarded copy): that answers nobody.
    `purpose` is "service" or "marketing": a mailing is nobody's answer, and needs the client's consent. `template` is
    what a channel sends in the place of the text when its window is closed.
    """

    line: str
    client: int
    conversation: int
    to: tuple[Identity, ...]
    text: str
    operator: str | None
    cc: tuple[Identity, ...] = ()
    subject: str | None = None
    html: str | None = None
    files: tuple[int, ...] = ()
    automatic: bool = False
    direction: str = "outbound"
    options: Row = field(default_factory=dict)
    purpose: str = SERVICE
    template: Approved | None = None

    @property
    def asked(self) -> Asked:
        """What the client is to be asked for; a forwarded copy is for whoever has the address."""
        whose = self.client if self.direction == "outbound" else None
        return Asked("", whose, str(self.to[0]) if self.to else None, self.purpose)


def check(connection: Connection, setup: SetUp, message: Outgoing, now: datetime) -> None:
    """Raises what speaks against sending it: the line's policy, the client's wishes, a window that is closed."""
    check_line(setup, message.line)
    channel = setup.lines[message.line].channel
    consents.check(connection, setup, replace(message.asked, channel=channel))
    if message.template is None and message.direction == "outbound":
        check_window(connection, setup, message.line, message.client, now)


def write_down(unit: Unit, setup: SetUp, message: Outgoing) -> tuple[int, int]:
    """The interaction, its touch, its delivery and the job that sends it; returns (interaction, delivery).

    Nothing goes out past `check`. Raises `Conflict` (`NotWanted`) with what can be done instead.

    The conversation is the caller's to change. The regulations see the message when it is sent, not before.
    """
    check(unit.connection, setup, message, unit.now)
    if message.purpose == MARKETING:
        message = _with_way_out(unit.connection, setup, message)
    reference = secrets.token_hex(12)
    row = _interaction_row(unit, setup, message)
    touch_id = unit.take_ids(models.touch, 1)[0]
    row["content_id"] = touch_id
    rows.write_rows(unit, models.interaction, [row])
    rows.write_rows(unit, models.touch, [_touch_row(unit, message, touch_id, row, reference)])
    if message.files:
        claim = update(models.attachment).where(
            models.attachment.c.id.in_(message.files), models.attachment.c.interaction_id.is_(None)
        )
        unit.connection.execute(claim.values(interaction_id=row["id"]))
    names = [part for one in (*message.to, *message.cc) for part in (one.value, one.name or "")]
    words = words_of(message.subject or "", message.text, *names, phones=names)
    index_interactions(unit, [(row["id"], words)], fresh=True)
    delivery = _write_delivery(unit, message, row["id"], reference)
    jobs.add(unit, "deliver", {"delivery": delivery})
    unit.emit(
        Event(
            "interaction",
            row["id"],
            "new",
            client=message.client,
            conversation=message.conversation,
            operator=message.operator,
            team=row["team"],
        )
    )
    return row["id"], delivery


def _with_way_out(connection: Connection, setup: SetUp, message: Outgoing) -> Outgoing:
    """A mailing has a button that stops them, where the channel has buttons and it has none of its own."""
    occasion = Occasion(message.line, message.client, message.conversation)
    buttons = message.options.get("buttons") or buttons_for(connection, setup, message.line, occasion)
    return replace(message, options={**message.options, "buttons": buttons}) if buttons else message


def _interaction_row(unit: Unit, setup: SetUp, message: Outgoing) -> Row:
    place = place_of(setup, message.line)
    return {
        "id": unit.take_ids(models.interaction, 1)[0],
        "kind": Kind.MESSAGE.value,
        "channel": place.channel,
        "line": message.line,
        "direction": message.direction,
        "at": unit.now,
        "ended_at": unit.now,
        "client_id": message.client,
        "conversation_id": message.conversation,
        "operator": message.operator,
        "team": place.team,
        "subject": message.subject,
        "text": message.text,
        "party": [_shown(one) for one in message.to],
        "automatic": _automatic(message),
        "has_files": bool(message.files),
    }


def _automatic(message: Outgoing) -> str | None:
    if message.automatic:
        return Automatic.AUTO_REPLY.value
    return Automatic.BULK.value if message.purpose == MARKETING else None


def _touch_row(unit: Unit, message: Outgoing, number: int, row: Row, reference: str) -> Row:
    body = {
        "kind": row["kind"],
        "direction": message.direction,
        "subject": message.subject,
        "operator": message.operator,
    }
    return {
        "id": number,
        "line": message.line,
        "event_key": f"out:{reference}",
        "interaction_id": row["id"],
        "at": unit.now,
        "received_at": unit.now,
        "body": {
            **body,
            "party": row["party"],
            "cc": [_shown(one) for one in message.cc],
            "automatic": row["automatic"],
        },
        "text": message.text,
        "html": message.html,
    }


def _write_delivery(unit: Unit, message: Outgoing, interaction: int, reference: str) -> int:
    recipients = [{**_shown(one), "role": "to"} for one in message.to]
    recipients += [{**_shown(one), "role": "cc"} for one in message.cc]
    values = {
        "interaction_id": interaction,
        "conversation_id": message.conversation,
        "line": message.line,
        "reference": reference,
        "state": "pending",
        "recipients": recipients,
        "options": {
            **message.options,
            "automatic": message.automatic,
            "to": str(message.to[0]) if message.to else None,
            "purpose": message.purpose,
            **({"template": asdict(message.template)} if message.template else {}),
        },
        "made_at": unit.now,
    }
    number: int = unit.connection.execute(insert(models.delivery).values(**values)).inserted_primary_key[0]  # type: ignore[index]
    return number


def _shown(one: Identity) -> Row:
    return {"identity": str(one), **({"name": one.name} if one.name else {})}


def read_identity(shown: Row) -> Identity:
    """The identity that `recipients` and `party` columns keep."""
    scheme, _, value = shown["identity"].partition(":")
    return Identity(scheme, value, shown.get("name"), bool(shown.get("odd")))
