"""Hands one message over, part by part, and remembers how far it came, so that nothing goes out twice.

The line's memory keeps `out REFERENCE`: "part IDS" while some parts are out, "handing IDS" while one is on its way,
"done IDS" at the end. After a crash "handing" means that nobody can know: Telegram has no way to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telegram import Bot, InlineKeyboardMarkup, InputFile, ReplyParameters
from telegram import Message as Posted
from telegram.error import BadRequest, ChatMigrated

from channels.contract import Memory
from channels.errors import ChannelError, Rejected, Throttled, Uncertain
from channels.telegram.compose import Part, keyboard, parts_of
from channels.telegram.limits import Limits
from channels.telegram.sender import SCHEME
from channels.telegram.wire import translate
from channels.touch import Message, Sent

_HANDING, _PART, _DONE = "handing", "part", "done"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes, and which message of that chat it quotes."""

    chat: int
    quotes: int | None = None


def read_id(external_id: str | None) -> tuple[int, int] | None:
    """Chat and message of one of our external ids; None for anything else."""
    chat, _, number = (external_id or "").partition(":")
    digits = chat.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and number.isascii() and number.isdecimal()):
        return None
    return int(chat), int(number)


def target_of(message: Message) -> Target:
    """The client's own chat; or the group, when that is where he wrote. Raises `Rejected`."""
    ids = [one.value for one in message.to if one.scheme == SCHEME and not one.odd]
    if not ids or not ids[0].isdecimal():
        raise Rejected("there is nobody of Telegram among the recipients", remedy="Answer on another channel.")
    last = read_id(message.replies_to)
    if last is not None and (last[0] < 0 or last[0] == int(ids[0])):
        return Target(*last)
    return Target(int(ids[0]))


class Outbox:
    """The sending half of a line."""

    def __init__(self, bot: Bot, memory: Memory, limits: Limits) -> None:
        self._bot, self._memory, self._limits = bot, memory, limits

    async def send(self, message: Message) -> Sent:
        """See `channels.contract.Channel.send`; what is out already is not sent again."""
        target, parts, keys = target_of(message), parts_of(message), keyboard(message.buttons)
        word, ids = await self._recall(message)
        if word == _DONE:
            return Sent(ids[0])
        for part in parts[len(ids) :]:
            is_last = len(ids) == len(parts) - 1
            ids.append(await self._hand_over(message, target, part, keys if is_last else None, ids))
            if ids[1:]:
                await self._memory.keep(f"part {ids[-1]}", ids[0])
            await self._keep(message, _DONE if is_last else _PART, ids)
        return Sent(ids[0])

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """`Sent`: all parts were taken. False: the next part never went out. None: nobody can know."""
        word, ids = await self._recall(message)
        if word == _DONE:
            return Sent(ids[0])
        return None if word == _HANDING else False

    async def _hand_over(
        self, message: Message, target: Target, part: Part, keys: InlineKeyboardMarkup | None, ids: list[str]
    ) -> str:
        """The external id of one part. Anything but `Uncertain` means that it is not out."""
        await self._limits.wait(target.chat)
        await self._keep(message, _HANDING, ids)
        try:
            posted = await self._post(target if not ids else Target(target.chat), part, keys)
        except Exception as error:
            found = translate(error, handed_over=True)
            if isinstance(found, Throttled):
                self._limits.hold(target.chat, found.retry_after)
            if not isinstance(found, Uncertain):
                await self._keep(message, _PART, ids)
            raise _with_what_is_out(found, len(ids)) from error
        return f"{posted.chat_id}:{posted.message_id}"

    async def _post(self, target: Target, part: Part, keys: InlineKeyboardMarkup | None) -> Posted:
        try:
            return await self._post_to(target, part, keys)
        except ChatMigrated as moved:
            return await self._post_to(Target(moved.new_chat_id), part, keys)
        except BadRequest as error:
            if not part.photo or not _is_about_the_picture(error):
                raise
            return await self._post_to(target, Part(part.text, part.file), keys)

    async def _post_to(self, target: Target, part: Part, keys: InlineKeyboardMarkup | None) -> Posted:
        quotes = ReplyParameters(target.quotes, allow_sending_without_reply=True) if target.quotes else None
        if part.file is None:
            return await self._bot.send_message(target.chat, part.text, reply_parameters=quotes, reply_markup=keys)
        caption = part.text or None
        file = InputFile(part.file.data, filename=part.file.name, attach=False)
        if part.photo:
            return await self._bot.send_photo(
                target.chat, file, caption=caption, reply_parameters=quotes, reply_markup=keys
            )
        return await self._bot.send_document(
            target.chat, file, caption=caption, reply_parameters=quotes, reply_markup=keys
        )

    async def _recall(self, message: Message) -> tuple[str, list[str]]:
        word, *ids = (await self._memory.recall(f"out {message.reference}") or "").split() or [""]
        return word, ids

    async def _keep(self, message: Message, word: str, ids: list[str]) -> None:
        await self._memory.keep(f"out {message.reference}", " ".join((word, *ids)))


def _is_about_the_picture(error: BadRequest) -> bool:
    """Telegram is particular about photos (proportions, formats); as a document it takes any."""
    return any(word in error.message.upper() for word in ("PHOTO_", "IMAGE_PROCESS_FAILED", "WRONG FILE"))


def _with_what_is_out(error: ChannelError, count: int) -> ChannelError:
    if count and not error.retryable:
        error.reason = f"{error.reason} (the first {count} of its parts went out)"
        error.args = (error.reason,)
    return error
