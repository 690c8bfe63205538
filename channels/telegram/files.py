"""Fetches the files that a message refers to. A file that cannot be had becomes a remark: the message matters more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from telegram import Bot
from telegram.error import TelegramError

from channels.telegram.contents import MOST_BYTES, Wanted
from channels.telegram.parse import Reading
from channels.telegram.wire import translate
from channels.touch import Attachment, Touch

_PAUSES = (0.5, 2.0, 5.0)


async def with_files(bot: Bot, reading: Reading) -> Touch | None:
    """The touch with its files, or with a remark for each that is missing."""
    touch = reading.touch
    if touch is None or not reading.files:
        return touch
    found = await asyncio.gather(*(_fetch(bot, wanted) for wanted in reading.files))
    return replace(
        touch,
        attachments=tuple(one for one in found if isinstance(one, Attachment)),
        remarks=(*touch.remarks, *(one for one in found if isinstance(one, str))),
    )


async def _fetch(bot: Bot, wanted: Wanted, pauses: Sequence[float] = _PAUSES) -> Attachment | str:
    """The file; or why it is not here."""
    reason = ""
    for pause in (*pauses, None):
        try:
            file = await bot.get_file(wanted.file_id)
            data = bytes(await file.download_as_bytearray())
        except (TelegramError, RuntimeError, TypeError, KeyError) as error:
            problem = translate(error)
            reason = problem.reason
            if not problem.retryable or pause is None:
                break
            await asyncio.sleep(pause)
        else:
            if len(data) > MOST_BYTES:
                reason = "it is larger than it was said to be"
                break
            return Attachment(wanted.name, wanted.media_type, data)
    return f"the file {wanted.name} could not be fetched: {reason}"
