"""The Graph API: who we are, messages, and media by their ids in two steps.

Source: developers.facebook.com/documentation/business-messaging/whatsapp (messages, business-phone-numbers/media,
business-scoped-user-ids)
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from typing import Any

import aiohttp

from channels.contents import MOST_BYTES
from channels.errors import Rejected, Uncertain, Unreachable
from channels.http import Answered, Http
from channels.touch import Attachment
from channels.whatsapp.compose import Part
from channels.whatsapp.contents import Wanted
from channels.whatsapp.refusals import meaning_of
from channels.whatsapp.settings import Settings

WHO = "WhatsApp"
_FILE_TIMEOUT_S = 120.0
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}", re.ASCII)


def is_user_id(value: str) -> bool:
    """Is it the id of somebody who hides his number (`RU.1349…`), rather than a number?"""
    return _USER_ID.fullmatch(value) is not None


class Wire:
    """Requests of one number."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = Http(WHO, settings.timeout_s)
        self._files = Http(WHO, max(settings.timeout_s, _FILE_TIMEOUT_S))
        self._base = settings.base_url.rstrip("/")

    async def greet(self) -> dict[str, Any]:
        """What WhatsApp calls our number. Raises `ChannelError`."""
        fields = {"fields": "id,display_phone_number,verified_name,quality_rating"}
        answered = await self._ask(self._http, "GET", f"{self._base}/{self._settings.phone_number_id}", params=fields)
        return answered.data if isinstance(answered.data, dict) else {}

    async def send(self, to: str, part: Part, reply_to: str | None) -> str:
        """Hand one message over; its wamid. Raises `ChannelError`; `Uncertain` if it may be out."""
        said: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "recipient" if is_user_id(to) else "to": to,
            "type": part.kind,
            part.kind: part.content,
        }
        if reply_to is not None:
            said["context"] = {"message_id": reply_to}
        url = f"{self._base}/{self._settings.phone_number_id}/messages"
        answered = await self._ask(self._http, "POST", url, handing_over=True, json=said)
        try:
            return str(answered.data["messages"][0]["id"])
        except (TypeError, KeyError, IndexError) as error:
            raise Uncertain(f"{WHO} did not say under which id it took the message") from error

    async def mark_read(self, wamid: str) -> None:
        """This message and those before it are marked as read (whatsapp/messages/mark-message-as-read)."""
        said = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        await self._ask(self._http, "POST", f"{self._base}/{self._settings.phone_number_id}/messages", json=said)

    async def upload(self, file: Attachment) -> str:
        """The id under which a file can be sent for 30 days. Raises `ChannelError`."""
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", file.media_type)
        form.add_field("file", io.BytesIO(file.data), filename="file", content_type=file.media_type)
        url = f"{self._base}/{self._settings.phone_number_id}/media"
        answered = await self._ask(self._files, "POST", url, data=form)
        found = answered.data
        if not isinstance(found, dict) or not found.get("id"):
            raise Unreachable(f"{WHO} did not say under which id it keeps {file.name}")
        return str(found["id"])

    async def fetch(self, wanted: Wanted) -> Attachment:
        """A client's file: its id gives an address for five minutes, and that the file; both want the token."""
        number = {"phone_number_id": self._settings.phone_number_id}
        found = (await self._ask(self._http, "GET", f"{self._base}/{wanted.media_id}", params=number)).data
        if not isinstance(found, dict) or not isinstance(found.get("url"), str):
            raise Unreachable(f"{WHO} did not say where the file is")
        size = found.get("file_size")
        if isinstance(size, int) and size > MOST_BYTES:
            raise Rejected(f"it has {size / 1048576:.0f} MB, and at most {MOST_BYTES / 1048576:.0f} MB are taken")
        answered = await self._files.ask("GET", found["url"], headers=self._headers(), most=MOST_BYTES)
        if answered.status != 200:
            raise Unreachable(f"{WHO} answered {answered.status} instead of the file")
        if _is_damaged(answered.body, found.get("sha256")):
            raise Unreachable("the file came damaged")
        return Attachment(wanted.name, wanted.media_type, answered.body)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()
        await self._files.close()

    async def _ask(self, http: Http, method: str, url: str, *, handing_over: bool = False, **more: Any) -> Answered:
        answered = await http.ask(method, url, handing_over=handing_over, headers=self._headers(), **more)
        if answered.status >= 300:
            raise meaning_of(answered, handing_over=handing_over)
        return answered

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._settings.token.get_secret_value()}"}


def _is_damaged(data: bytes, told: Any) -> bool:
    """Webhooks tell the digest in base64, the media's own node in hex; what is neither proves nothing."""
    digest = hashlib.sha256(data).digest()
    if not isinstance(told, str) or len(told) not in (44, 64):
        return False
    return told.lower() != digest.hex() and told != base64.b64encode(digest).decode()
