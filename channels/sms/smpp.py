"""A line at an SMSC: one session that listens and sends, or one that only sends where another process listens."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from datetime import timedelta
from typing import Literal

import structlog

from channels.contract import Door, Health, LineState
from channels.errors import ChannelError, Throttled, Uncertain
from channels.sms.join import Group, Joiner
from channels.sms.outbox import DONE, HANDING, PART, Letter, Note, Outbox, letter_of, wait_for_morning
from channels.sms.parse import Ours, read_shorts, unreadable
from channels.sms.parts import alphabet_of, encode, split
from channels.sms.pdu import Short, read
from channels.sms.receipts import normal_id, read_report
from channels.sms.repeats import Repeats
from channels.sms.session import Part, Session, take_nothing
from channels.sms.settings import SmppSettings
from channels.sms.tracking import Tracking
from channels.touch import Message, Receipt, Sent, Webhook, WebhookAnswer

log = structlog.get_logger(__name__)

_LOOK_S = 30.0
_IDLE_S = 60.0
_PATIENCE_S = 10.0


class SmppChannel:
    """A running line. See `channels.contract.Channel`. `look_s`: how often unfinished messages are looked at."""

    def __init__(self, line: str, settings: SmppSettings, door: Door, look_s: float = _LOOK_S) -> None:
        self._line, self._settings, self._door, self._look_s = line, settings, door, look_s
        self._ours = Ours(line, settings.default_region, settings.default_alphabet)
        self._outbox = Outbox(door.memory)
        self._tracking = Tracking(door.memory, door.now)
        self._repeats = Repeats(door.memory, door.now)
        self._joiner = Joiner(door.memory, door.now, timedelta(minutes=settings.parts_wait_min))
        self._listening: Session | None = None
        self._sending: Session | None = None
        self._connecting = asyncio.Lock()
        self._leaving: asyncio.TimerHandle | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._next_at = 0.0

    async def listen(self) -> None:
        """Take messages and reports in until cancelled. Raises `ChannelError`."""
        await self._repeats.begin()
        await self._joiner.begin()
        session = Session(self._settings, self._take)
        await session.open()
        looking = asyncio.create_task(self._look())
        self._listening = session
        try:
            self._door.health(Health(LineState.RUNNING))
            await session.ended()
        finally:
            self._listening = None
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await session.close()

    async def check(self) -> Health:
        """Really sign in (as one that only sends, so that nothing is handed to us), unless we are."""
        if self._listening is not None and self._listening.is_bound:
            return Health(LineState.RUNNING)
        session = Session(self._settings, take_nothing, only_sends=True)
        try:
            await session.open()
        except ChannelError as error:
            state = LineState.WILL_RETRY if error.retryable else LineState.NEEDS_PERSON
            return Health(state, error.reason, error.remedy or "")
        await session.close()
        return Health(LineState.RUNNING)

    async def send(self, message: Message) -> Sent:
        """Hand one message over, part by part. Raises `ChannelError`; `Uncertain` if a part may be out."""
        letter = letter_of(message, self._settings)
        note = await self._outbox.read(message)
        if note.word == DONE:
            return Sent(note.ids[0])
        if note.word == HANDING:
            raise Uncertain("the connection broke while this message was handed over: it may be out")
        if not note.ids:
            wait_for_morning(message, letter.to, self._settings, self._door.now())
            note = Note(PART, secrets.randbelow(256))
        return await self._send_parts(message, letter, note)

    async def _send_parts(self, message: Message, letter: Letter, note: Note) -> Sent:
        parts = self._parts_of(letter, note.reference)
        for number in range(len(note.ids), len(parts)):
            session = await self._session()
            await self._keep_pace()
            if len(parts) > 1:
                await self._tracking.begin()
            await self._outbox.write(message, note, HANDING)
            try:
                taken = await session.submit(parts[number])
            except Uncertain:
                raise
            except ChannelError as error:
                await self._outbox.write(message, note, PART)
                raise _with_what_is_out(error, number) from error
            taken = normal_id(taken, self._settings.receipt_ids) or f"{message.reference}.{number}"
            note = Note(PART, note.reference, (*note.ids, taken))
            if len(parts) > 1:
                await self._tracking.note(note.ids, len(parts))
            note = await self._outbox.write(message, note, DONE if number == len(parts) - 1 else PART)
        return Sent(note.ids[0])

    def _parts_of(self, letter: Letter, reference: int) -> list[Part]:
        pieces, alphabet = split(letter.text), alphabet_of(letter.text)
        headers = [
            bytes((5, 0, 3, reference, len(pieces), number)) if len(pieces) > 1 else b""
            for number in range(1, len(pieces) + 1)
        ]
        return [
            Part(self._settings.sender, letter.to, alphabet, encode(piece, alphabet), header)
            for piece, header in zip(pieces, headers, strict=True)
        ]

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """What our own notes say: an SMSC cannot be asked by our reference."""
        return await self._outbox.was_sent(message)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """SMSCs call nobody by HTTP."""
        return WebhookAnswer(404, b"this line has no webhook\n")

    async def close(self) -> None:
        """Let go of connections."""
        if self._leaving is not None:
            self._leaving.cancel()
        sessions = [one for one in (self._sending, self._listening) if one is not None]
        self._sending = None
        await asyncio.gather(*(session.close() for session in sessions), return_exceptions=True)
        await asyncio.gather(*self._errands, return_exceptions=True)

    async def _session(self) -> Session:
        """The session that listens; else one of our own, which ends when nothing is sent for a while."""
        if self._listening is not None and self._listening.is_bound:
            return self._listening
        async with self._connecting:
            session = self._sending
            if session is None or not session.is_bound:
                if session is not None:
                    self._sending = None
                    await session.close()
                session = Session(self._settings, take_nothing, only_sends=True)
                await session.open()
                self._sending = session
            if self._leaving is not None:
                self._leaving.cancel()
            self._leaving = asyncio.get_running_loop().call_later(_IDLE_S, self._leave, session)
            return session

    def _leave(self, session: Session) -> None:
        if self._sending is session:
            self._sending = None
        task = asyncio.create_task(session.close())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _keep_pace(self) -> None:
        """No faster than the account allows. A long wait is the caller's."""
        if self._settings.per_second is None:
            return
        now = time.monotonic()
        at = max(now, self._next_at)
        if at - now > _PATIENCE_S:
            raise Throttled("more messages than this account may send", retry_after=at - now)
        self._next_at = at + 1 / self._settings.per_second
        await asyncio.sleep(at - now)

    async def _take(self, pdu: bytes) -> None:
        """Returns once a `deliver_sm` is safe."""
        try:
            short = read(pdu)
        except ValueError as error:
            reason, key = str(error), f"odd:{_digest(pdu)}"
            await self._door.deliver(unreadable(self._ours, pdu, reason, key=key, at=self._door.now()))
            return
        if short.is_report:
            await self._report(short)
        elif short.place is not None:
            group = await self._joiner.add(short, short.place, pdu)
            if group is not None:
                await self._deliver_group(group)
        else:
            await self._deliver_one(short, pdu)

    async def _deliver_one(self, short: Short, pdu: bytes) -> None:
        digest = _digest(pdu)
        key = await self._repeats.key_of(digest)
        try:
            await self._door.deliver(read_shorts(self._ours, {1: short}, 1, [pdu], key=key, at=self._door.now()))
        except BaseException:
            self._repeats.settle(digest, key, refused=True)
            raise
        self._repeats.settle(digest, key)

    async def _deliver_group(self, group: Group) -> None:
        numbers = sorted(group.pdus)
        shorts = {number: read(group.pdus[number]) for number in numbers}
        pdus = [group.pdus[number] for number in numbers]
        touch = read_shorts(self._ours, shorts, group.total, pdus, key=group.key, at=self._door.now())
        await self._door.deliver(touch)
        await self._joiner.finish(group)

    async def _look(self) -> None:
        """Deliver what stays unfinished."""
        while True:
            for group in self._joiner.overdue():
                try:
                    await self._deliver_group(group)
                except Exception as error:
                    log.warning("unfinished_sms_not_delivered", line=self._line, error=repr(error))
            await asyncio.sleep(self._look_s)

    async def _report(self, short: Short) -> None:
        report = read_report(short, self._settings.receipt_ids)
        if report is None:
            log.warning("report_without_message", line=self._line)
            return
        if report.state is None:
            return
        whole = await self._tracking.settle(report)
        if whole is None or whole.state is None:
            return
        await self._door.report(
            Receipt(
                self._line, whole.message, whole.state, self._door.now(), reason=whole.reason, permanent=whole.permanent
            )
        )


def _digest(pdu: bytes) -> str:
    """Of everything but the header, whose sequence number is another whenever it comes again."""
    return hashlib.sha256(pdu[16:]).hexdigest()[:32]


def _with_what_is_out(error: ChannelError, count: int) -> ChannelError:
    if count and not error.retryable:
        error.reason = f"{error.reason} (the first {count} of its parts went out)"
        error.args = (error.reason,)
    return error
