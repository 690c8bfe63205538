"""The Bot API over python-telegram-bot: its Bot for what goes out, its HTTP layer alone for updates; errors translated.

Updates are read as bytes, not as `Update` objects: one malformed update would sink the whole batch, and with it the
line for ever. Error texts are never passed on blindly: the library quotes the token in some of them.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
from telegram import Bot
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, TelegramError
from telegram.request import HTTPXRequest

from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.telegram.settings import Settings

LONG_POLL_S = 25
MOST_UPDATES = 100
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")

_NEVER_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_A_REQUEST = (httpx.UnsupportedProtocol, httpx.InvalidURL)
_BLOCKED = "bot was blocked by the user"
_BOTFATHER = "Take the bot's token from @BotFather and put it into the line's token."

# It writes every address that it asks, and the token is part of them.
logging.getLogger("httpx").setLevel(logging.WARNING)


class TooMany(TelegramError):
    """429. The library's own class for it warns about itself when it is made."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many requests, again in {retry_after:g} s")
        self.retry_after = retry_after


class Requests(HTTPXRequest):
    """The library's HTTP layer with a few answers told apart before it reads them."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """See `telegram.request.BaseRequest.do_request`."""
        code, payload = await super().do_request(*args, **kwargs)
        if code == 429:
            raise TooMany(_retry_after(payload))
        if code == 413:
            raise BadRequest("Request Entity Too Large")
        if code >= 500:
            raise NetworkError(f"HTTP {code}")
        return code, payload


def _retry_after(payload: bytes) -> float:
    try:
        return min(max(float(orjson.loads(payload)["parameters"]["retry_after"]), 1.0), 3600.0)
    except (ValueError, KeyError, TypeError):
        return 5.0


def make_bot(settings: Settings, requests: Requests) -> Bot:
    """A bot that is never `initialize`d: that would ask the server before the first send."""
    return Bot(
        settings.token.get_secret_value(),
        base_url=settings.base_url,
        base_file_url=settings.file_url,
        request=requests,
        get_updates_request=requests,
    )


def make_requests(settings: Settings) -> Requests:
    """One pool of connections for a line."""
    return Requests(
        connection_pool_size=64,
        read_timeout=settings.timeout_s,
        write_timeout=settings.timeout_s,
        connect_timeout=min(settings.timeout_s, 10.0),
        pool_timeout=settings.timeout_s,
        media_write_timeout=max(settings.timeout_s, 120.0),
    )


async def fetch_updates(bot: Bot, requests: Requests, offset: int | None, most: int = MOST_UPDATES) -> bytes:
    """`getUpdates` as it came; waits until there are some, at most `LONG_POLL_S`. Raises `TelegramError`."""
    asked: dict[str, Any] = {"timeout": LONG_POLL_S, "limit": most, "allowed_updates": orjson.dumps(ALLOWED).decode()}
    if offset is not None:
        asked["offset"] = offset
    return await requests.retrieve(f"{bot.base_url}/getUpdates?{urlencode(asked)}", read_timeout=LONG_POLL_S + 15)


def translate(error: Exception, *, handed_over: bool = False) -> ChannelError:
    """What an error of the library means. `handed_over`: the request was to send something, so it may be out."""
    if isinstance(error, ChannelError):
        return error
    if isinstance(error, TooMany):
        return Throttled("Telegram asks for patience", retry_after=error.retry_after)
    if isinstance(error, InvalidToken):
        return BadSettings("Telegram does not know this token (or there is no Bot API at base_url)", remedy=_BOTFATHER)
    if isinstance(error, Conflict):
        return Unreachable(
            "another program reads this bot's messages",
            remedy="Stop the other program, or give this line a bot of its own.",
        )
    if isinstance(error, Forbidden):
        return _forbidden(error)
    if isinstance(error, BadRequest):
        return _rejected(error)
    return _broken(error, handed_over)


def _forbidden(error: Forbidden) -> ChannelError:
    said = error.message
    if _BLOCKED in said:
        return OptedOut("the client has blocked the bot", remedy="Write to him on another channel.")
    if "initiate conversation" in said:
        return Rejected(
            "a bot cannot write first: this client has never written to it", remedy="Write to him on another channel."
        )
    return Rejected(f"Telegram forbids it: {said}")


def _rejected(error: BadRequest) -> Rejected:
    if "chat not found" in error.message.lower():
        return Rejected(
            "Telegram knows no such chat: this client has never written to this bot",
            remedy="Write to him on another channel, or ask him to open the bot.",
        )
    return Rejected(f"Telegram refused it: {error.message}")


def _broken(error: Exception, handed_over: bool) -> ChannelError:
    cause = error.__cause__
    if isinstance(cause, _NOT_A_REQUEST):
        return BadSettings("base_url is not an address that can be asked", remedy="Correct the line's base_url.")
    if isinstance(cause, _NEVER_CONNECTED):
        return Unreachable(f"Telegram cannot be reached ({type(cause).__name__})")
    # an answer with a code is the server's own text; anything else is named by its class only
    said = error.message if isinstance(error, NetworkError) and cause is None else type(cause or error).__name__
    if handed_over:
        return Uncertain(f"the connection broke before Telegram confirmed the message ({said})")
    return Unreachable(f"Telegram broke off or answered nonsense ({said})")
