"""Sends one delivery: at least once, always with the same reference; after a crash the channel is asked first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from channels.contract import Channel
from channels.errors import BadSettings, ChannelError, OptedOut, Throttled, Uncertain
from channels.touch import Approved, Attachment, Button, Message, Sent
from hub.consents import MARKETING, SERVICE
from hub.errors import Refused
from hub.heard import note_refusal
from hub.jobs.worker import MOST_ATTEMPTS, GiveUp, Later
from hub.outbound import Outgoing, check, read_identity
from hub.receipts import put_off, settle_failed, settle_sent
from hub.setup.snapshot import SetUp
from storage import models
from storage.files import FileStore
from storage.repositories import jobs
from storage.repositories.jobs import Job
from storage.store import Store

_MOST_ANSWERED = 20
_NEEDS_PERSON = timedelta(minutes=10)
_WORTH_TELLING_S = 60.0
"""A shorter wait is over before anybody has read of it."""
Row = dict[str, Any]


class Deliver:
    """The handler of `deliver` jobs. `channel_of` gives a line's channel, ready to send; `way_out` the address where
    whoever gets the mailing with a reference stops them."""

    def __init__(
        self,
        store: Store,
        setup: Callable[[], SetUp],
        channel_of: Callable[[str], Channel],
        way_out: Callable[[str], str | None] = lambda reference: None,
    ) -> None:
        self._store = store
        self._setup = setup
        self._channel_of = channel_of
        self._way_out = way_out

    async def __call__(self, job: Job) -> None:
        try:
            await self._deliver(job)
        except (GiveUp, Later):
            raise
        except Exception as error:
            if job.attempts < MOST_ATTEMPTS:
                raise
            reason = f"given up after {job.attempts} attempts: {error}"
            state = "unknown" if isinstance(error, Uncertain) else "failed"
            await self._settle_failed(job.body["delivery"], reason, state=state)
            raise GiveUp(reason) from error

    async def _deliver(self, job: Job) -> None:
        number = job.body["delivery"]
        row = await self._store.read(lambda connection: _read(connection, number))
        if row is None or row["state"] not in {"pending", "unknown"}:
            return
        if not job.started and (objection := await self._objection(row)) is not None:
            await self._fail(number, objection)
        try:
            channel = self._channel_of(row["line"])
        except BadSettings as error:
            raise Later(error.reason, _NEEDS_PERSON, started=job.started) from error
        message = await asyncio.to_thread(_compose, row, self._store.files, self._setup())
        if row["options"].get("purpose") == MARKETING:
            message = replace(message, unsubscribe=self._way_out(row["reference"]))
        if job.started and await self._is_out(channel, message, number):
            return
        await self._send(job, channel, message, number)

    async def _objection(self, row: Row) -> str | None:
        """What has come in the way since it was written: he said STOP, the line was switched off."""
        setup, now = self._setup(), self._store.now()
        try:
            await self._store.read(lambda connection: check(connection, setup, _as_outgoing(row), now))
        except Refused as refused:
            return refused.message
        return None

    async def _is_out(self, channel: Channel, message: Message, number: int) -> bool:
        """An attempt died half way: is the message out? What nobody can know is never sent blindly again."""
        found = await channel.was_sent(message)
        if found is None:
            reason = "the connection broke while sending, and the channel cannot tell whether the message is out"
            await self._settle_failed(number, reason, state="unknown")
            raise GiveUp(reason)
        if found:
            await self._settle_sent(number, found)
        return bool(found)

    async def _send(self, job: Job, channel: Channel, message: Message, number: int) -> None:
        await self._store.write(lambda unit: jobs.mark_started(unit, job.id))
        try:
            sent = await channel.send(message)
        except BadSettings as error:
            raise Later(error.reason, _NEEDS_PERSON) from error
        except Throttled as error:
            if error.retry_after >= _WORTH_TELLING_S:
                until, why = self._store.now() + timedelta(seconds=error.retry_after), error.reason
                await self._store.write(lambda unit: put_off(unit, number, why, until))
            raise
        except ChannelError as error:
            reason = error.reason
            if isinstance(error, OptedOut):
                only = error.only
                await self._store.write(lambda unit: note_refusal(unit, number, reason, only))
            if not error.retryable:
                await self._fail(number, reason)
            raise
        await self._settle_sent(number, sent)

    async def _settle_sent(self, number: int, sent: Sent) -> None:
        setup = self._setup()
        await self._store.write(lambda unit: settle_sent(unit, setup, number, sent.external_id, dict(sent.refused)))

    async def _settle_failed(self, number: int, reason: str, *, state: str = "failed") -> None:
        setup = self._setup()
        await self._store.write(lambda unit: settle_failed(unit, setup, number, reason, state=state))

    async def _fail(self, number: int, reason: str) -> None:
        await self._settle_failed(number, reason)
        raise GiveUp(reason)


def _read(connection: Connection, number: int) -> Row | None:
    """The delivery with its interaction, files, and what it answers."""
    delivery, interaction, attachment = models.delivery, models.interaction, models.attachment
    found = connection.execute(select(delivery).where(delivery.c.id == number)).mappings().first()
    if found is None:
        return None
    row: Row = dict(found)
    row["interaction"] = dict(
        connection.execute(select(interaction).where(interaction.c.id == row["interaction_id"])).mappings().one()
    )
    row["html"] = connection.execute(
        select(models.touch.c.html).where(models.touch.c.id == row["interaction"]["content_id"])
    ).scalar_one_or_none()
    files = select(attachment).where(attachment.c.interaction_id == row["interaction_id"]).order_by(attachment.c.id)
    row["files"] = [dict(one) for one in connection.execute(files).mappings()]
    earlier = (
        select(interaction.c.external_id, interaction.c.direction, interaction.c.kind)
        .where(
            interaction.c.conversation_id == row["conversation_id"],
            interaction.c.external_id.is_not(None),
            _same_ids(row),
            interaction.c.id < row["interaction_id"],
        )
        .order_by(interaction.c.id.desc())
        .limit(_MOST_ANSWERED)
    )
    found_earlier = list(connection.execute(earlier))
    if row["interaction"]["direction"] == "internal":
        found_earlier = []  # a forwarded copy answers nothing that its reader has seen
    row["answers"] = tuple(one.external_id for one in reversed(found_earlier))
    heard = (one.external_id for one in found_earlier if one.direction == "inbound" and one.kind != "note")
    row["replies_to"] = next(heard, None)
    return row


def _same_ids(row: Row) -> ColumnElement[bool]:
    """Message-IDs mean the same in all mailboxes; what other channels call a message is known on its line only."""
    interaction = models.interaction
    channel: str = row["interaction"]["channel"]
    return interaction.c.channel == channel if channel == "email" else interaction.c.line == row["line"]


def _compose(row: Row, files: FileStore, setup: SetUp) -> Message:
    interaction = row["interaction"]
    operator = setup.operators.get(interaction["operator"] or "")
    people = [(read_identity(one), one.get("role", "to")) for one in row["recipients"]]
    return Message(
        reference=row["reference"],
        to=tuple(one for one, role in people if role == "to"),
        cc=tuple(one for one, role in people if role == "cc"),
        text=interaction["text"],
        at=interaction["at"],
        subject=interaction["subject"],
        html=row["html"],
        attachments=tuple(
            Attachment(one["name"], one["media_type"], files.read(one["path"]), one["content_id"])
            for one in row["files"]
        ),
        conversation=row["conversation_id"],
        answers=row["answers"],
        sender_name=operator.name if operator else None,
        automatic=bool(row["options"].get("automatic")),
        replies_to=row["replies_to"],
        buttons=tuple(Button(one["text"], one["value"]) for one in row["options"].get("buttons", ())),
        template=_template(row),
    )


def _template(row: Row) -> Approved | None:
    kept = row["options"].get("template")
    return Approved(kept["name"], kept["language"], tuple(kept["parameters"])) if kept else None


def _as_outgoing(row: Row) -> Outgoing:
    """As far as it matters for what speaks against sending it."""
    interaction = row["interaction"]
    return Outgoing(
        line=row["line"],
        client=interaction["client_id"],
        conversation=row["conversation_id"],
        to=tuple(read_identity(one) for one in row["recipients"] if one.get("role", "to") == "to"),
        text="",
        operator=None,
        direction=interaction["direction"],
        purpose=row["options"].get("purpose", SERVICE),
        template=_template(row),
    )
