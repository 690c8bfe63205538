"""One mailbox line: two folders are watched (INBOX and Sent), messages go out, everything else is asked elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Literal

from channels.contract import Door, Health, LineState
from channels.email.address import normalise
from channels.email.compose import compose, message_id_of, recipients
from channels.email.copies import Copy, SentCopies, find_sent
from channels.email.imap import Refused, Session, open_session
from channels.email.parse import INBOX, SENT, Where
from channels.email.settings import Settings
from channels.email.smtp import Letter, check_sign_in, hand_over
from channels.email.watch import Watch, open_folder
from channels.errors import BadSettings, ChannelError, Uncertain
from channels.touch import Message, Sent, Webhook, WebhookAnswer

_HANDED_OVER, _OUT = "handed over", "out "
_SENT_PAUSES = (5.0, 30.0, 120.0, 300.0)


class EmailChannel:
    """A running mailbox. See `channels.contract.Channel`."""

    def __init__(self, line: str, settings: Settings, door: Door) -> None:
        self._line, self._settings, self._door = line, settings, door
        self._copies = SentCopies(settings)
        self._troubles: dict[str, str] = {}
        self._watching = asyncio.Event()

    async def listen(self) -> None:
        """Watch INBOX (its failure ends the listening) and Sent (its failure is told and retried)."""
        self._troubles.clear()
        self._watching.clear()
        sent = asyncio.create_task(self._watch_sent())
        try:
            await self._watch(INBOX).run()
        finally:
            sent.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sent

    async def check(self) -> Health:
        """Sign in to both servers and open the folders."""
        try:
            await self._check_imap()
            await check_sign_in(self._settings.smtp)
        except ChannelError as error:
            state = LineState.WILL_RETRY if error.retryable else LineState.NEEDS_PERSON
            return Health(state, error.reason, error.remedy or "")
        return Health(LineState.RUNNING)

    async def send(self, message: Message) -> Sent:
        """Hand one message over by SMTP. Raises `ChannelError`; `Uncertain` if it may be out."""
        raw = compose(message, self._settings, self._door.sign)
        message_id = message_id_of(message, self._settings, self._door.sign)
        key = _memory_key(message)
        sender = "" if message.automatic else self._settings.address
        letter = Letter(sender, recipients(message), raw)

        async def before_data() -> None:
            await self._door.memory.keep(key, _HANDED_OVER)

        try:
            refused = await hand_over(letter, self._settings.smtp, self._settings.address, before_data)
        except Uncertain:
            raise
        except ChannelError:
            if await self._door.memory.recall(key) is not None:
                await self._door.memory.keep(key, "")
            raise
        await self._door.memory.keep(key, _OUT + json.dumps(refused, ensure_ascii=False))
        self._copies.add(Copy(message_id, raw))
        return Sent(message_id, refused)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """`Sent`: the server took it, or it lies in Sent. False: its text never went out. None: nobody can know."""
        known = await self._door.memory.recall(_memory_key(message))
        message_id = message_id_of(message, self._settings, self._door.sign)
        if not known:
            return False
        if known.startswith(_OUT):
            return Sent(message_id, json.loads(known.removeprefix(_OUT)))
        if self._settings.imap.sent is False:
            return None
        try:
            return Sent(message_id) if await self._is_in_sent(message_id) else None
        except (ChannelError, Refused):
            return None

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Mail has no webhooks."""
        return WebhookAnswer(404, b"this line has no webhook\n")

    async def close(self) -> None:
        """Put waiting copies away and let go."""
        await self._copies.close()

    def _watch(self, box: str) -> Watch:
        return Watch(
            self._settings,
            self._door,
            self._choose_sent if box == SENT else self._choose_inbox,
            lambda: where_of(self._line, self._settings, self._door, box),
            lambda trouble: self._tell(box, trouble),
            self._settings.imap.move_to if box == INBOX else None,
        )

    async def _choose_inbox(self, session: Session) -> str:
        await _ensure_target(session, self._settings.imap.move_to)
        return self._settings.imap.folder

    async def _choose_sent(self, session: Session) -> str:
        try:
            return await find_sent(session, self._settings)
        except Refused as error:
            raise BadSettings(str(error), remedy="Name the folder in imap.sent, or set it to false.") from error

    async def _watch_sent(self) -> None:
        """Answers written in an ordinary mail program lie there; without them the rest still works.

        Begins once INBOX is open, so that a wrong password is tried once and not twice.
        """
        if self._settings.imap.sent is False:
            return
        await self._watching.wait()
        failures = 0
        while True:
            try:
                await self._watch(SENT).run()
            except ChannelError as error:
                self._tell(SENT, f"sent mail is not watched: {error.reason}")
            await asyncio.sleep(_SENT_PAUSES[min(failures, len(_SENT_PAUSES) - 1)])
            failures += 1

    def _tell(self, box: str, trouble: str) -> None:
        """Report the line as running, with what does not work in either folder."""
        self._troubles[box] = trouble
        if box == INBOX:
            self._watching.set()
        if INBOX in self._troubles:
            self._door.health(Health(LineState.RUNNING, "; ".join(said for said in self._troubles.values() if said)))

    async def _check_imap(self) -> None:
        imap = self._settings.imap
        session = await open_session(imap, self._settings.max_message_bytes)
        try:
            await _ensure_target(session, imap.move_to)
            await open_folder(session, imap.folder)
            if imap.sent is not False:
                await open_folder(session, await self._choose_sent(session))
        finally:
            await session.close()

    async def _is_in_sent(self, message_id: str) -> bool:
        session = await open_session(self._settings.imap, self._settings.max_message_bytes)
        try:
            await session.select(await find_sent(session, self._settings))
            return bool(await session.find_by_message_id(message_id))
        finally:
            await session.close()


async def _ensure_target(session: Session, move_to: str | None) -> None:
    if move_to is None or any(folder.name == move_to for folder in await session.folders()):
        return
    try:
        await session.create(move_to)
    except Refused as error:
        raise BadSettings(str(error), remedy="Name another folder in imap.move_to.") from error


def _memory_key(message: Message) -> str:
    return f"out {message.reference}"


def where_of(line: str, settings: Settings, door: Door | None, box: str) -> Where:
    """What the parser must know of this line."""
    own = {normalise(address) for address in (settings.address, *settings.aliases)}
    if door is None:
        return Where(line, frozenset(own), _no_signature, box)
    return Where(line, door.own_addresses() | own, door.sign, box)


def _no_signature(text: str) -> str:
    """Nothing can be proved without the hub's secret: no token carries a signature that long."""
    return "?" * 256
