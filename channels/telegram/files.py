"""Fetches the files that a message refers to, by the Bot API's `getFile`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from telegram import Bot
from telegram.error import TelegramError

from channels.errors import Rejected
from channels.fetching import fetch_all
from channels.telegram.contents import MOST_BYTES, Wanted
from channels.telegram.parse import Reading
from channels.telegram.wire import translate
from channels.touch import Attachment, Touch


async def with_files(bot: Bot, reading: Reading) -> Touch | None:
    """The touch with its files, or with a remark for each that is missing."""
    touch = reading.touch
    if touch is None or not reading.files:
        return touch
    found = await fetch_all(reading.files, partial(_fetch, bot), lambda wanted: wanted.name)
    return replace(touch, attachments=found.files, remarks=(*touch.remarks, *found.remarks))


async def _fetch(bot: Bot, wanted: Wanted) -> Attachment:
    try:
        file = await bot.get_file(wanted.file_id)
        data = bytes(await file.download_as_bytearray())
    except (TelegramError, RuntimeError, TypeError, KeyError) as error:
        raise translate(error) from error
    if len(data) > MOST_BYTES:
        raise Rejected("it is larger than it was said to be")
    return Attachment(wanted.name, wanted.media_type, data)
