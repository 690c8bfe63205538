"""Viber's REST API: who we are, where it calls us, messages; what its status numbers mean.

Source: developers.viber.com/docs/api/rest-bot-api/#error-codes. Every answer is 200; the status inside tells.
"""

from __future__ import annotations

from typing import Any

from channels.contents import Linked
from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.fetching import fetch_linked
from channels.http import Answered, Http
from channels.touch import Attachment
from channels.viber.settings import Settings

WHO = "Viber"
EVENTS = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")
_FILE_TIMEOUT_S = 120.0
_AGAIN_S = 300.0
_TAKE_TOKEN = "Take the bot's token from the Viber Admin Panel and put it into the line's token."  # noqa: S105
_ELSEWHERE = "Write to him on another channel."
_ACCOUNT = "Look at the bot in the Viber Admin Panel, or ask Viber's support."

_BAD_SETTINGS = {2: _TAKE_TOKEN, 7: _ACCOUNT, 8: _ACCOUNT, 9: _ACCOUNT, 15: _ACCOUNT, 22: _ACCOUNT, 24: _ACCOUNT}
_NEVER = {5: _ELSEWHERE, 11: _ELSEWHERE, 13: _ELSEWHERE, 14: _ELSEWHERE, 21: _ELSEWHERE, 23: _ELSEWHERE}


class Wire:
    """Requests of one bot."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = Http(WHO, settings.timeout_s)
        self._files = Http(WHO, max(settings.timeout_s, _FILE_TIMEOUT_S))
        self._base = settings.base_url.rstrip("/")

    async def greet(self) -> dict[str, Any]:
        """The bot's account: `name`, `webhook` and more. Raises `ChannelError`."""
        return await self._ask("get_account_info", {})

    async def set_webhook(self, url: str) -> None:
        """Have Viber call us there: it tries at once. Raises `Unreachable` while it cannot."""
        try:
            await self._ask("set_webhook", {"url": url, "event_types": list(EVENTS), "send_name": True})
        except Rejected as error:
            remedy = "Look whether company.public_url can be reached from outside, over https with a known certificate."
            raise Unreachable(f"Viber cannot call us at {url}: {error.reason}", remedy=remedy) from error

    async def send(self, said: dict[str, Any]) -> str:
        """Hand one message over; its token. Raises `ChannelError`; `Uncertain` if it may be out."""
        answered = await self._ask("send_message", said, handing_over=True)
        token = answered.get("message_token")
        if not token:
            raise Uncertain(f"{WHO} did not say under which token it took the message")
        return str(token)

    async def fetch(self, wanted: Linked) -> Attachment:
        """A client's file. Raises `ChannelError`."""
        return await fetch_linked(self._files, WHO, wanted)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()
        await self._files.close()

    async def _ask(self, method: str, said: dict[str, Any], *, handing_over: bool = False) -> dict[str, Any]:
        headers = {"X-Viber-Auth-Token": self._settings.token.get_secret_value()}
        url = f"{self._base}/{method}"
        answered = await self._http.ask("POST", url, handing_over=handing_over, headers=headers, json=said)
        found = answered.data
        if not isinstance(found, dict) or not isinstance(found.get("status"), int):
            raise _bare(answered, handing_over)
        if found["status"] != 0:
            raise meaning_of(found["status"], str(found.get("status_message") or ""))
        return found


def meaning_of(status: int, words: str) -> ChannelError:
    """What a status number means: with any of them nothing has gone out."""
    said = f"Viber refused it: {status} {words}".strip()[:300]
    if status in _BAD_SETTINGS:
        return BadSettings(said, remedy=_BAD_SETTINGS[status])
    if status == 10:
        return Unreachable(said, remedy="The line sets its webhook when it starts: see how it is.")
    if status == 6:
        return OptedOut("the client is not subscribed to the bot", remedy=_ELSEWHERE)
    if status == 12:
        return Throttled(said, retry_after=_AGAIN_S)  # a hundred in an hour, anew with his answer
    return Rejected(said, remedy=_NEVER.get(status))


def _bare(answered: Answered, handing_over: bool) -> ChannelError:
    """No answer of Viber's, but of something before it."""
    said = f"{WHO} answered {answered.status} and nothing that can be read"
    if answered.status == 429:
        return Throttled(said, retry_after=answered.retry_after or 5.0)
    if answered.status == 404:
        return BadSettings(f"{said}: there is no Viber at base_url", remedy="Correct the line's base_url.")
    if answered.status >= 500 or answered.status < 300:
        return (Uncertain if handing_over else Unreachable)(said)
    return Rejected(said)
