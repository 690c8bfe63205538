"""The methods of VK's API that a line uses, and what their refusals mean.

Source: dev.vk.com/ru/api/api-requests, dev.vk.com/ru/reference/errors; the answer's status is 200 whatever happened.
"""

from __future__ import annotations

from typing import Any

import aiohttp

from channels.contents import Linked
from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.fetching import fetch_linked
from channels.http import Http
from channels.touch import Attachment
from channels.untrusted import Json, clean, load, number_of
from channels.vk.settings import Settings

WHO = "VK"
_NEW_KEY = "Make a new access key in the community's settings (API usage) and put it into the line's token."
_MORE_RIGHTS = "Give the access key the right to messages, photos and documents of the community."
_HISTORY = 100
_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")


class Wire:
    """Requests of one community."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = Http(WHO, settings.timeout_s)

    async def greet(self) -> str:
        """The community's name. Raises `ChannelError`, `BadSettings` when the key is another community's."""
        found = await self._ask("groups.getById")
        groups = found["groups"] if isinstance(found, dict) else found
        known = {number_of(one["id"]): clean(one.get("name") or "") for one in groups}
        if self._settings.group_id not in known:
            raise BadSettings(f"the token is that of the community {next(iter(known), '?')}", remedy=_NEW_KEY)
        return known[self._settings.group_id]

    async def confirmation(self) -> str:
        """The word that VK wants to hear from the address it shall call."""
        found = await self._ask("groups.getCallbackConfirmationCode", group_id=self._settings.group_id)
        return clean(found["code"])

    async def name_of(self, user: int) -> str | None:
        """How somebody calls himself."""
        found = await self._ask("users.get", user_ids=user)
        return " ".join(clean(found[0][key]) for key in ("first_name", "last_name") if found[0].get(key)) or None

    async def send(self, peer: str, random_id: int, **said: Any) -> str:
        """Hand a message over; `PEER:NUMBER` as `parse` names it. Raises `ChannelError`; `Uncertain` if it may be out.

        The same `random_id` in one talk is taken once (messages.send).
        """
        found = await self._ask("messages.send", handing_over=True, peer_ids=peer, random_id=random_id, **said)
        one = found[0] if isinstance(found, list) and found else {}
        if isinstance(one, dict) and one.get("error"):
            raise meaning_of(one["error"], True)
        try:
            return f"{peer}:{number_of(one['conversation_message_id'])}"
        except (KeyError, TypeError) as error:
            raise Uncertain(f"{WHO} did not say under which number it took the message") from error

    async def mark_read(self, peer: str) -> None:
        """A talk is read to its end (dev.vk.com/ru/method/messages.markAsRead)."""
        await self._ask("messages.markAsRead", peer_id=peer, mark_conversation_as_read=1)

    async def find(self, peer: str, random_id: int) -> str | None:
        """The name of a message of ours in the latest of a talk; None: it is not there."""
        found = await self._ask("messages.getHistory", peer_id=peer, count=_HISTORY)
        for message in found["items"]:
            if message.get("random_id") == random_id:
                return f"{peer}:{number_of(message['conversation_message_id'])}"
        return None

    async def upload(self, peer: str, file: Attachment) -> str:
        """Put a file where a message can name it: `photo…` or `doc…`."""
        if file.media_type in _PICTURES:
            server = await self._ask("photos.getMessagesUploadServer", peer_id=peer)
            taken = await self._put(clean(server["upload_url"]), "photo", file)
            saved = await self._ask("photos.saveMessagesPhoto", **_only(taken, "server", "photo", "hash"))
            return _attached("photo", saved[0])
        server = await self._ask("docs.getMessagesUploadServer", type="doc", peer_id=peer)
        taken = await self._put(clean(server["upload_url"]), "file", file)
        saved = await self._ask("docs.save", title=file.name, **_only(taken, "file"))
        return _attached("doc", saved["doc"] if isinstance(saved, dict) else saved[0])

    async def fetch(self, wanted: Linked) -> Attachment:
        """A file that somebody sent. Its address is VK's own; the token does not go there."""
        if not wanted.url.startswith("https://") and not wanted.url.startswith(_host_of(self._settings.base_url)):
            raise Rejected("its address is not one of VK's")
        return await fetch_linked(self._http, WHO, wanted)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _put(self, url: str, field: str, file: Attachment) -> Json:
        form = aiohttp.FormData(quote_fields=False)  # names as browsers write them
        form.add_field(field, file.data, filename=file.name, content_type=file.media_type)
        answered = await self._http.ask("POST", url, data=form)
        found = answered.data
        if answered.status >= 300 or not isinstance(found, dict) or not found.get(field):
            raise Rejected(f"{WHO} does not take the file {file.name}", remedy="Send it as a link, or by mail.")
        return found

    async def _ask(self, method: str, *, handing_over: bool = False, **more: Any) -> Any:
        words = {key: str(value) for key, value in more.items() if value is not None}
        signed = {"access_token": self._settings.token.get_secret_value(), "v": self._settings.api_version}
        url = f"{self._settings.base_url.rstrip('/')}/{method}"
        answered = await self._http.ask("POST", url, handing_over=handing_over, data={**words, **signed})
        doubt: type[ChannelError] = Uncertain if handing_over else Unreachable
        if answered.status == 429:
            raise Throttled(f"{WHO} asks for patience", retry_after=answered.retry_after or 1.0)
        if answered.status >= 300:
            raise doubt(f"{WHO} answered {answered.status}")
        try:
            found = load(answered.body)
            if "error" in found:
                raise meaning_of(found["error"], handing_over)
            return found["response"]
        except (ValueError, KeyError, TypeError) as error:
            raise doubt(f"{WHO} answered something that cannot be read") from error


def meaning_of(error: Json, handing_over: bool) -> ChannelError:
    """What a refusal means, by its number (dev.vk.com/ru/reference/errors)."""
    code = error.get("error_code", error.get("code"))
    said = f"{WHO} answered {code}: {clean(str(error.get('error_msg') or error.get('description') or ''))}"[:300]
    if code in (5, 27, 28, 1116):
        return BadSettings(said, remedy=_NEW_KEY)
    if code in (7, 15, 20, 203):
        return BadSettings(said, remedy=_MORE_RIGHTS)
    if code in (6, 9, 29):
        return Throttled(said, retry_after={6: 1.0, 9: 60.0}.get(int(code), 600.0))
    if code in (900, 901, 902):
        return OptedOut("the client does not let us write in VK", remedy="Write to him on another channel.")
    if code in (1, 10):
        return Uncertain(said) if handing_over else Unreachable(said)
    return Rejected(said)


def _only(found: Json, *keys: str) -> dict[str, Any]:
    return {key: found.get(key, "") for key in keys}


def _attached(kind: str, saved: Json) -> str:
    key = f"_{clean(saved['access_key'])}" if saved.get("access_key") else ""
    return f"{kind}{number_of(saved['owner_id'])}_{number_of(saved['id'])}{key}"


def _host_of(url: str) -> str:
    return "/".join(url.split("/")[:3]) + "/"
