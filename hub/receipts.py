"""What came of a delivery: sent, reported on, failed or unknown; and what that means for whoever waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from channels.touch import Receipt
from hub.judgement import judge_interaction
from hub.setup.snapshot import SetUp
from storage import models
from storage.events import Event
from storage.repositories import intake as rows
from storage.unit import Unit

Row = dict[str, Any]


def settle_sent(unit: Unit, setup: SetUp, delivery_id: int, external_id: str, refused: dict[str, str]) -> None:
    """The channel has it: the answer counts from now on. Receipts that came before this are settled too."""
    row = find_delivery(unit, delivery_id)
    if row is None or row["state"] not in {"pending", "unknown"}:
        return
    reason = "; ".join(f"{who}: {why}" for who, why in refused.items()) or None
    _change(unit, row, {"state": "sent", "external_id": external_id, "sent_at": unit.now, "reason": reason})
    interaction = rows.find_interactions(unit, [row["interaction_id"]])[row["interaction_id"]]
    rows.update_rows(unit, models.interaction, {interaction["id"]: {"external_id": external_id}})
    after = {**interaction, "external_id": external_id}
    if not row["options"].get("automatic") and interaction["direction"] == "outbound":
        _mark_answered(unit, row["conversation_id"], interaction)
        judge_interaction(unit, setup, interaction, after, at=unit.now, delivery="sent", delivery_before="pending")
    _settle_early_receipts(unit, setup, row, external_id)


def _mark_answered(unit: Unit, conversation: int | None, interaction: Row) -> None:
    """Whoever waited has his answer, unless he wrote again after it was written."""
    talk = rows.find_conversations(unit, [conversation] if conversation else []).get(conversation or 0)
    if talk is None:
        return
    changes: Row = {"answered_at": unit.now, "last_at": max(talk["last_at"], interaction["at"])}
    if talk["waiting_since"] is not None and talk["waiting_since"] <= interaction["at"]:
        changes |= {"waiting_since": None, "waiting_id": None}
    rows.update_rows(unit, models.conversation, {talk["id"]: changes})


def settle_failed(unit: Unit, setup: SetUp, delivery_id: int, reason: str, *, state: str = "failed") -> None:
    """It did not go out (or nobody can know): what it seemed to answer is open again, and the desk says why."""
    row = find_delivery(unit, delivery_id)
    if row is None or row["state"] in {"failed", state}:
        return
    was = row["state"]
    _change(unit, row, {"state": state, "reason": reason, "settled_at": unit.now})
    if state != "failed" or row["options"].get("automatic"):
        return
    interaction = rows.find_interactions(unit, [row["interaction_id"]])[row["interaction_id"]]
    if interaction["direction"] != "outbound":
        return
    _reopen(unit, row["conversation_id"])
    judge_interaction(
        unit, setup, interaction, interaction, at=unit.now, phase="failed", delivery="failed", delivery_before=was
    )


def _reopen(unit: Unit, conversation: int | None) -> None:
    talk = rows.find_conversations(unit, [conversation] if conversation else []).get(conversation or 0)
    if talk is None:
        return
    changes: Row = {"state": "open", "closed_at": None, "closed_by": None, "closed_why": None}
    if talk["last_inbound_at"] is not None and talk["waiting_since"] is None:
        changes |= {"waiting_since": talk["last_inbound_at"], "waiting_id": talk["last_inbound_id"]}
    rows.update_rows(unit, models.conversation, {talk["id"]: changes})
    unit.emit(Event("conversation", talk["id"], client=talk["client_id"], operator=talk["owner"], team=talk["team"]))


def find_delivery(unit: Unit, number: int) -> Row | None:
    """The row of one delivery."""
    found = unit.connection.execute(select(models.delivery).where(models.delivery.c.id == number)).mappings().first()
    return dict(found) if found else None


def _change(unit: Unit, row: Row, changes: Row) -> None:
    rows.update_rows(unit, models.delivery, {row["id"]: changes})
    unit.emit(Event("delivery", row["id"], changes.get("state", "changed"), conversation=row["conversation_id"]))


def _settle_early_receipts(unit: Unit, setup: SetUp, row: Row, external_id: str) -> None:
    query = (
        select(models.receipt)
        .where(models.receipt.c.external_id == external_id, models.receipt.c.delivery_id.is_(None))
        .order_by(models.receipt.c.id)
    )
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
        if receipt["permanent"]:
            _mark_bounced(unit, receipt.get("recipient") or row["options"].get("to"))
            settle_failed(unit, setup, delivery_id, receipt["reason"] or "it came back")
        else:
            _change(unit, row, {"reason": receipt["reason"]})
    elif _RANK.get(receipt["state"], 0) > _RANK.get(row["state"], 9):
        _change(unit, row, {"state": receipt["state"], "settled_at": receipt["at"]})


def _mark_bounced(unit: Unit, recipient: str | None) -> None:
    if not recipient:
        return
    value = recipient.partition(":")[2] if recipient.startswith(("email:", "phone:")) else recipient
    identity = models.identity
    unit.connection.execute(update(identity).where(identity.c.value == value).values(bounced_at=unit.now))


def report(unit: Unit, setup: SetUp, receipts: Sequence[Receipt]) -> list[None]:
    """Take receipts in, as the lane hands them over; one that comes again changes nothing."""
    found = rows.find_deliveries(unit, {one.external_id for one in receipts})
    for one in receipts:
        row = found.get(one.external_id)
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
