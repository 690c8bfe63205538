"""What came of a delivery: sent, reported on, failed or unknown; and what that means for whoever waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import insert, select, update

from channels.touch import Receipt
from hub.judgement import judge_interaction
from hub.places import place_of
from hub.references import EVERYWHERE
from hub.setup.snapshot import SetUp
from hub.threads import answer
from storage import models
from storage.events import Event
from storage.repositories import intake as rows
from storage.repositories.references import find_asked, find_last_answer
from storage.unit import Unit

Row = dict[str, Any]

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def settle_sent(unit: Unit, setup: SetUp, delivery_id: int, external_id: str, refused: dict[str, str]) -> None:
    """The channel has it: the answer counts from now on. Receipts that came before this are settled too."""
    row = find_delivery(unit, delivery_id)
    if row is None or row["state"] not in {"pending", "unknown"}:
        return
    reason = "; ".join(f"{who}: {why}" for who, why in refused.items()) or None
    changes = {"state": "sent", "external_id": external_id, "sent_at": unit.now, "reason": reason}
    _change(unit, row, {**changes, "postponed_until": None})
    interaction = rows.find_interactions(unit, [row["interaction_id"]])[row["interaction_id"]]
    rows.update_rows(unit, models.interaction, {interaction["id"]: {"external_id": external_id}})
    after = {**interaction, "external_id": external_id}
    if not row["options"].get("automatic") and interaction["direction"] == "outbound":
        if interaction["automatic"] is None:  # a mailing answers nobody
            _mark_answered(unit, row["conversation_id"], interaction)
        judge_interaction(unit, setup, interaction, after, at=unit.now, delivery="sent", delivery_before="pending")
    _settle_early_receipts(unit, setup, row, external_id)


def _mark_answered(unit: Unit, conversation: int | None, interaction: Row) -> None:
    """Whoever waited has his answer; who wrote again after it was written waits since then."""
    talk = rows.find_conversations(unit, [conversation] if conversation else []).get(conversation or 0)
    if talk is None:
        return
    at = interaction["at"]
    changes = answer(talk, at, partial(find_asked, unit, talk["id"]))
    _change_conversation(unit, talk, {**changes, "last_at": max(talk["last_at"], at)})


def _change_conversation(unit: Unit, talk: Row, changes: Row) -> None:
    different = {column: value for column, value in changes.items() if talk[column] != value}
    if different:
        rows.update_rows(unit, models.conversation, {talk["id"]: {**different, "version": talk["version"] + 1}})


def settle_failed(unit: Unit, setup: SetUp, delivery_id: int, reason: str, *, state: str = "failed") -> None:
    """It did not go out (or nobody can know): what it seemed to answer is open again, and the desk says why."""
    row = find_delivery(unit, delivery_id)
    if row is None or row["state"] in {"failed", state}:
        return
    was = row["state"]
    _change(unit, row, {"state": state, "reason": reason, "settled_at": unit.now, "postponed_until": None})
    if state != "failed" or row["options"].get("automatic"):
        return
    interaction = rows.find_interactions(unit, [row["interaction_id"]])[row["interaction_id"]]
    if interaction["direction"] != "outbound":
        return
    if interaction["automatic"] is None:
        _reopen(unit, row["conversation_id"])
    judge_interaction(
        unit, setup, interaction, interaction, at=unit.now, phase="failed", delivery="failed", delivery_before=was
    )


def put_off(unit: Unit, delivery_id: int, reason: str, until: datetime) -> None:
    """It goes out later (quiet hours, a server that asks for patience): the desk says why, and when."""
    row = find_delivery(unit, delivery_id)
    if row is not None and row["state"] == "pending":
        _change(unit, row, {"reason": reason, "postponed_until": until})


def _reopen(unit: Unit, conversation: int | None) -> None:
    """Who was answered by nothing else waits again, since he asked; somebody looks at what never went out."""
    talk = rows.find_conversations(unit, [conversation] if conversation else []).get(conversation or 0)
    if talk is None:
        return
    answered = find_last_answer(unit, talk["id"])
    asked = find_asked(unit, talk["id"], answered or _BEGINNING)
    changes: Row = {"answered_at": answered}
    if asked is not None:
        changes |= {"waiting_since": asked[0], "waiting_id": asked[1]}
    if asked is not None or answered is None:
        changes |= {"state": "open", "closed_at": None, "closed_by": None, "closed_why": None, "postponed_until": None}
    _change_conversation(unit, talk, changes)
    unit.emit(Event("conversation", talk["id"], client=talk["client_id"], operator=talk["owner"], team=talk["team"]))


def find_delivery(unit: Unit, number: int) -> Row | None:
    """The row of one delivery."""
    found = unit.connection.execute(select(models.delivery).where(models.delivery.c.id == number)).mappings().first()
    return dict(found) if found else None


def _change(unit: Unit, row: Row, changes: Row) -> None:
    rows.update_rows(unit, models.delivery, {row["id"]: changes})
    unit.emit(Event("delivery", row["id"], changes.get("state", "changed"), conversation=row["conversation_id"]))


def _settle_early_receipts(unit: Unit, setup: SetUp, row: Row, external_id: str) -> None:
    table = models.receipt
    query = select(table).where(table.c.external_id == external_id, table.c.delivery_id.is_(None)).order_by(table.c.id)
    if place_of(setup, row["line"]).channel != EVERYWHERE:
        query = query.where(table.c.line == row["line"])
    for receipt in list(unit.connection.execute(query).mappings()):
        unit.connection.execute(
            update(models.receipt).where(models.receipt.c.id == receipt["id"]).values(delivery_id=row["id"])
        )
        apply_receipt(unit, setup, row["id"], dict(receipt))


_RANK = {"pending": 0, "unknown": 0, "sent": 1, "delivered": 2, "read": 3}


def apply_receipt(unit: Unit, setup: SetUp, delivery_id: int, receipt: Row) -> None:
    """What a channel reports moves a delivery forward only; a permanent failure re-opens what it un-answers."""
    row = find_delivery(unit, delivery_id)
    if row is None:
        return
    if receipt["state"] == "failed":
        recipient = receipt.get("recipient") or row["options"].get("to")
        if receipt["permanent"]:
            _mark_bounced(unit, recipient)
        if receipt["permanent"] and not _is_only_a_copy(row, recipient):
            settle_failed(unit, setup, delivery_id, receipt["reason"] or "it came back")
        else:
            _change(unit, row, {"reason": "; ".join(filter(None, (recipient, receipt["reason"])))})
    elif _RANK.get(receipt["state"], 0) > _RANK.get(row["state"], 9):
        _change(unit, row, {"state": receipt["state"], "settled_at": receipt["at"]})


def _is_only_a_copy(row: Row, recipient: str | None) -> bool:
    """Was it not the client's own message that came back, but a colleague's copy?"""
    value = (recipient or "").rpartition(":")[2].lower()
    roles = {one.get("role", "to") for one in row["recipients"] if one["identity"].partition(":")[2].lower() == value}
    return roles == {"cc"}


def _mark_bounced(unit: Unit, recipient: str | None) -> None:
    if not recipient:
        return
    value = recipient.partition(":")[2] if recipient.startswith(("email:", "phone:")) else recipient
    identity = models.identity
    unit.connection.execute(update(identity).where(identity.c.value == value).values(bounced_at=unit.now))


def _find_reported(unit: Unit, receipts: Sequence[Receipt]) -> set[tuple[Any, ...]]:
    table = models.receipt
    query = select(table.c.line, table.c.external_id, table.c.state, table.c.recipient, table.c.at).where(
        table.c.external_id.in_({one.external_id for one in receipts})
    )
    return {tuple(row) for row in unit.connection.execute(query)}


def _found_elsewhere(setup: SetUp, found: Mapping[tuple[str, str], Row], receipt: Receipt) -> Row | None:
    """A bounce may come to another mailbox than the one that sent; other channels' ids mean something on their line."""
    if place_of(setup, receipt.line).channel != EVERYWHERE:
        return None
    rows_of = (row for (line, external_id), row in found.items() if external_id == receipt.external_id)
    return next((row for row in rows_of if place_of(setup, row["line"]).channel == EVERYWHERE), None)


def report(unit: Unit, setup: SetUp, receipts: Sequence[Receipt]) -> list[None]:
    """Take receipts in, as the lane hands them over; one that comes again changes nothing."""
    found = rows.find_deliveries(unit, {one.external_id for one in receipts})
    seen = _find_reported(unit, receipts)
    for one in receipts:
        row = found.get((one.line, one.external_id)) or _found_elsewhere(setup, found, one)
        what = (one.line, one.external_id, one.state.value, one.recipient, one.at)
        if what in seen:
            continue
        seen.add(what)
        kept = {
            "line": one.line,
            "external_id": one.external_id,
            "state": one.state.value,
            "at": one.at,
            "recipient": one.recipient,
            "reason": one.reason,
            "permanent": one.permanent,
            "delivery_id": row["id"] if row else None,
        }
        unit.connection.execute(insert(models.receipt).values(**kept))
        if row is not None:
            apply_receipt(unit, setup, row["id"], kept)
    return [None] * len(receipts)
