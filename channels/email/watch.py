"""Watching one folder: what is new is read, handed in, and only then remembered as read.

The last UID is kept after `deliver` returned for every mail up to it. A crash before that means the same mails again,
with the same event keys. Mails are fetched in batches bounded by number and bytes, the next one while this one is
being committed; a mail over the size limit is handed in by its beginning, one that the server cannot give by a remark,
so that none blocks the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.contract import Door
from channels.email.imap import MOST_AT_ONCE, Listed, Refused, Session, open_session
from channels.email.parse import Reading, Where, parse, unreadable
from channels.email.settings import Settings
from channels.errors import BadSettings

BATCH_MAILS, BATCH_BYTES = 64, 8 * 1024 * 1024
_LARGE = 512 * 1024
_JUST_NOW = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class _Mail:
    listed: Listed
    raw: bytes | None

    def truncated_from(self) -> int | None:
        """Its real size, if only the beginning was read."""
        return self.listed.size if self.raw is not None and len(self.raw) < self.listed.size else None


@dataclass(frozen=True, slots=True)
class _Batch:
    mails: tuple[_Mail, ...]
    up_to: int


class Watch:
    """One folder of one line. `choose` names the folder once signed in; `where` tells what is ours at the moment."""

    def __init__(
        self,
        settings: Settings,
        door: Door,
        choose: Callable[[Session], Awaitable[str]],
        where: Callable[[], Where],
        tell: Callable[[str], None],
        move_to: str | None = None,
    ) -> None:
        self._settings, self._door = settings, door
        self._choose, self._where, self._tell = choose, where, tell
        self._move_to = move_to
        self._most_bytes = settings.max_message_bytes

    async def run(self) -> None:
        """Read and wait, until cancelled or a `ChannelError`. Tells "" when signed in and watching."""
        imap = self._settings.imap
        session = await open_session(imap, self._most_bytes)
        try:
            folder = await self._choose(session)
            validity = await open_folder(session, folder)
            key = f"uid {self._where().box} {folder}"
            last = await self._recall(key, validity)
            self._tell("")
            while True:
                last = await self._catch_up(session, key, validity, last)
                await session.wait_for_news(imap.idle_s if session.can_idle else imap.poll_s)
        except Refused as error:
            raise BadSettings(str(error), remedy="Look at the rights of the account on this folder.") from error
        finally:
            await session.close()

    async def _recall(self, key: str, validity: int) -> int:
        """The last UID handed in; 0 if the folder was made anew (the same mails keep their event keys)."""
        kept = (await self._door.memory.recall(key) or "").split(":")
        return int(kept[1]) if len(kept) == 2 and kept[0] == str(validity) and kept[1].isdecimal() else 0

    async def _catch_up(self, session: Session, key: str, validity: int, last: int) -> int:
        uids = await session.uids_after(last, self._settings.imap.since)
        batches = self._batches(session, uids)
        ahead = asyncio.ensure_future(anext(batches, None))
        try:
            while (batch := await ahead) is not None:
                ahead = asyncio.ensure_future(anext(batches, None))
                await self._hand_in(batch, validity)
                last = batch.up_to
                await self._door.memory.keep(key, f"{validity}:{last}")
                await self._put_away(session, batch)
        finally:
            ahead.cancel()
            with contextlib.suppress(BaseException):
                await ahead
            await batches.aclose()
        return last

    async def _batches(self, session: Session, uids: Sequence[int]) -> AsyncGenerator[_Batch, None]:
        for start in range(0, len(uids), MOST_AT_ONCE):
            chunk = uids[start : start + MOST_AT_ONCE]
            listed = await session.list_mails(chunk)
            for group in _by_size(listed, self._most_bytes):
                yield _Batch(await self._read(session, group), group[-1].uid)
            if not listed or listed[-1].uid != chunk[-1]:
                yield _Batch((), chunk[-1])

    async def _read(self, session: Session, group: Sequence[Listed]) -> tuple[_Mail, ...]:
        """The mails of a group; what the server cannot give together is asked for one by one."""
        found = await self._fetch(session, group)
        for each in group if len(found) < len(group) else ():
            if each.uid not in found:
                found |= await self._fetch(session, [each])
        missing = [each.uid for each in group if each.uid not in found]
        still_there = {each.uid for each in await session.list_mails(missing)} if missing else set()
        return tuple(_Mail(each, found.get(each.uid)) for each in group if each.uid in found or each.uid in still_there)

    async def _fetch(self, session: Session, group: Sequence[Listed]) -> dict[int, bytes]:
        try:
            fetched = await session.read_mails([each.uid for each in group], self._most_bytes)
        except Refused:
            return {}
        return {each.uid: each.raw for each in fetched}

    async def _hand_in(self, batch: _Batch, validity: int) -> None:
        """Read all, then deliver all at once, so that they are committed together; the first failure is raised after
        the others have been waited for."""
        where, now = self._where(), self._door.now()
        readings = []
        for mail in batch.mails:
            readings.append(await self._parse(mail, where, now, validity))
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*(self._deliver(one) for one in readings), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _deliver(self, reading: Reading) -> None:
        if reading.touch is not None:
            await self._door.deliver(reading.touch)
        for receipt in reading.receipts:
            await self._door.report(receipt)

    async def _parse(self, mail: _Mail, where: Where, now: datetime, validity: int) -> Reading:
        """Small mails at once (a fifth of a millisecond), large ones in a thread."""
        at = _instant(mail.listed.at, now)
        if mail.raw is None:
            remark = f"the mail server could not give this mail ({mail.listed.size} bytes, UID {mail.listed.uid})"
            return Reading(unreadable(b"", where, at, remark, None, f"uid:{validity}:{mail.listed.uid}"))
        if len(mail.raw) > _LARGE:
            return await asyncio.to_thread(parse, mail.raw, where, at, mail.truncated_from())
        return parse(mail.raw, where, at, mail.truncated_from())

    async def _put_away(self, session: Session, batch: _Batch) -> None:
        """Move what is committed. A refusal is told, and the mails stay: they are in the log all the same."""
        if self._move_to is None or not batch.mails:
            return
        try:
            await session.move([mail.listed.uid for mail in batch.mails], self._move_to)
        except Refused as error:
            self._tell(f"done mail stays in the folder: {error}")


async def open_folder(session: Session, folder: str) -> int:
    """Select; a missing folder is for a person, who is told which ones there are."""
    try:
        return await session.select(folder)
    except Refused as error:
        names = ", ".join(sorted(each.name for each in await session.folders())[:30])
        raise BadSettings(f"there is no folder {folder!r}: {error}", remedy=f"Take one of: {names}.") from error


def _instant(arrived: datetime | None, now: datetime) -> datetime:
    """When a mail came. Servers tell whole seconds; for one that came just now our clock knows better, and an answer
    within the second must not seem older than what it answers."""
    return now if arrived is None or now - arrived < _JUST_NOW else arrived


def _by_size(listed: Sequence[Listed], most_bytes: int) -> Iterator[list[Listed]]:
    group: list[Listed] = []
    total = 0
    for each in listed:
        size = min(each.size, most_bytes)
        if group and (len(group) >= BATCH_MAILS or total + size > BATCH_BYTES):
            yield group
            group, total = [], 0
        group.append(each)
        total += size
    if group:
        yield group
