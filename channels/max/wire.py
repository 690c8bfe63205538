"""MAX's HTTP API: what is asked, and what its answers mean.

Source: dev.max.ru/docs-api; the token goes into the header `Authorization` as it is.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import aiohttp

from channels.contents import Linked
from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.fetching import fetch_linked
from channels.http import Answered, Http
from channels.max.parse import ASKED_FOR
from channels.max.settings import Settings
from channels.touch import Attachment
from channels.untrusted import Json, clean

WHO = "MAX"
_REMEDY = "Copy the bot's token from the chat bots' page of MAX for business into the line's token."
_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_NOT_READY = "attachment.not.ready"
_STOPPED = ("error.dialog.suspended", "dialog.suspended", "chat.denied", "dialog.not.found", "chat.not.found")
_TRIES, _PAUSE_S = 8, 0.5


class Wire:
    """Requests of one bot."""

    def __init__(self, settings: Settings, pause_s: float = _PAUSE_S) -> None:
        self._settings, self._pause_s = settings, pause_s
        self._http = Http(WHO, settings.timeout_s)
        self._trust: dict[str, Any] = {}

    async def greet(self) -> None:
        """Does MAX know us? Raises `ChannelError`."""
        await self._ask("GET", "me")

    async def subscribe(self, url: str) -> None:
        """Have updates brought to this address, with the line's secret; asked again, it takes the place of what was.

        Never by way of unsubscribing: what is said meanwhile would be brought to nobody.
        """
        secret = self._settings.secret.get_secret_value()
        asked = {"url": url, "update_types": list(ASKED_FOR), "secret": secret}
        answered = (await self._ask("POST", "subscriptions", json=asked)).data
        if not isinstance(answered, dict) or answered.get("success") is False:
            said = clean(str(answered.get("message") or "")) if isinstance(answered, dict) else ""
            raise BadSettings(f"{WHO} does not bring updates here: {said}"[:300], remedy="Correct company.public_url.")

    async def stay_subscribed(self, url: str) -> None:
        """See that they still are: MAX lets a subscription go that failed for eight hours."""
        found = (await self._ask("GET", "subscriptions")).data
        known = found.get("subscriptions") if isinstance(found, dict) else None
        kept = (one for one in known or () if one.get("url") == url)
        if not any(set(one.get("update_types") or ()) >= set(ASKED_FOR) for one in kept):
            await self.subscribe(url)

    async def send(self, to: str, body: Json) -> str:
        """Hand a message over; its `mid`. Raises `ChannelError`; `Uncertain` if it may be out.

        What was just uploaded may not be ready yet: then it is asked again, for nothing went out.
        """
        for again in range(_TRIES, -1, -1):
            try:
                answered = await self._ask("POST", "messages", handing_over=True, params={"user_id": to}, json=body)
                break
            except _NotReady:
                if not again:
                    raise
                await asyncio.sleep(self._pause_s)
        try:
            return clean(answered.data["message"]["body"]["mid"])
        except (KeyError, TypeError) as error:
            raise Uncertain(f"{WHO} did not say under which number it took the message") from error

    async def upload(self, file: Attachment) -> Json:
        """Put a file where a message can name it: the attachment."""
        kind = "image" if file.media_type in _PICTURES else "file"
        place = (await self._ask("POST", "uploads", params={"type": kind})).data
        form = aiohttp.FormData(quote_fields=False)  # names as browsers write them
        form.add_field("data", file.data, filename=file.name, content_type=file.media_type)
        answered = await self._http.ask("POST", clean(place["url"]), data=form, **self._tls())
        found = answered.data
        if answered.status >= 300 or not isinstance(found, dict) or not (found.get("photos") or found.get("token")):
            raise Rejected(f"{WHO} does not take the file {file.name}", remedy="Send it as a link, or by mail.")
        payload = {"photos": found["photos"]} if found.get("photos") else {"token": found["token"]}
        return {"type": kind, "payload": payload}

    async def answer_press(self, press: str) -> None:
        """Tell whoever pressed a button that it was heard."""
        await self._ask("POST", "answers", params={"callback_id": press}, json={"notification": "✓"})

    async def fetch(self, wanted: Linked) -> Attachment:
        """A file that somebody sent. Its address is MAX's own; the token does not go there."""
        if not wanted.url.startswith(("https://", f"{self._settings.base_url.rstrip('/')}/")):
            raise Rejected("its address is not one of MAX's")
        return await fetch_linked(self._http, WHO, wanted, **self._tls())

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _ask(self, method: str, path: str, *, handing_over: bool = False, **more: Any) -> Answered:
        headers = {"Authorization": self._settings.token.get_secret_value()}
        url = f"{self._settings.base_url.rstrip('/')}/{path}"
        answered = await self._http.ask(method, url, handing_over=handing_over, headers=headers, **self._tls(), **more)
        if answered.status >= 300:
            raise meaning_of(answered, handing_over)
        return answered

    def _tls(self) -> dict[str, Any]:
        """MAX's certificate is signed by an authority that most systems do not know: `ca_file` names it."""
        if self._settings.ca_file is not None and not self._trust:
            try:
                context = ssl.create_default_context()
                context.load_verify_locations(self._settings.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise BadSettings(
                    f"ca_file cannot be read: {error}", remedy="Name a file with certificates in PEM."
                ) from error
            self._trust["ssl"] = context
        return self._trust


class _NotReady(Throttled):
    """A file that was uploaded is still being looked at."""


def meaning_of(answered: Answered, handing_over: bool) -> ChannelError:
    """What a refusal means. A server that breaks may have taken what was handed over."""
    found = answered.data
    told = found if isinstance(found, dict) else {}
    code, words = clean(str(told.get("code") or "")), clean(str(told.get("message") or ""))
    said = f"{WHO} answered {answered.status} {code} {words}".strip()[:300]
    if code == _NOT_READY:
        return _NotReady(said, retry_after=2.0)
    if answered.status == 401:
        return BadSettings(said, remedy=_REMEDY)
    if answered.status == 429:
        return Throttled(said, retry_after=answered.retry_after or 1.0)
    if handing_over and answered.status in (403, 404) and (code in _STOPPED or words in _STOPPED):
        return OptedOut("the client has stopped the bot", remedy="Write to him on another channel.")
    if answered.status >= 500:
        return Uncertain(said) if handing_over else Unreachable(said)
    return Rejected(said)
