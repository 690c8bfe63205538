"""Hands one message over, part by part. Telegram has no way to ask what became of one, so our own notes tell."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Bot, InlineKeyboardMarkup, InputFile, ReplyParameters
from telegram import Message as Posted
from telegram.error import BadRequest, ChatMigrated

from channels.contract import Memory
from channels.errors import Rejected, Throttled
from channels.outbox import Outbox
from channels.telegram.compose import Part, keyboard, parts_of
from channels.telegram.limits import Limits
from channels.telegram.sender import SCHEME
from channels.telegram.wire import translate
from channels.touch import Message, Sent


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


class Sender:
    """The sending half of a line."""

    def __init__(self, bot: Bot, memory: Memory, limits: Limits) -> None:
        self._bot, self._limits = bot, limits
        self.outbox = Outbox(memory)

    async def send(self, message: Message) -> Sent:
        """See `channels.contract.Channel.send`; what is out already is not sent again."""
        target, parts, keys = target_of(message), parts_of(message), keyboard(message.buttons)

        async def hand_over(part: Part, number: int) -> str:
            is_last = number == len(parts) - 1
            return await self._hand_over(
                target if number == 0 else Target(target.chat), part, keys if is_last else None
            )

        async def wait(part: Part) -> Part:
            await self._limits.wait(target.chat)
            return part

        return await self.outbox.send(message, parts, hand_over, wait)

    async def _hand_over(self, target: Target, part: Part, keys: InlineKeyboardMarkup | None) -> str:
        """The external id of one part. Anything but `Uncertain` means that it is not out."""
        try:
            posted = await self._post(target, part, keys)
        except Exception as error:
            found = translate(error, handed_over=True)
            if isinstance(found, Throttled):
                self._limits.hold(target.chat, found.retry_after)
            raise found from error
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


def _is_about_the_picture(error: BadRequest) -> bool:
    """Telegram is particular about photos (proportions, formats); as a document it takes any."""
    return any(word in error.message.upper() for word in ("PHOTO_", "IMAGE_PROCESS_FAILED", "WRONG FILE"))
