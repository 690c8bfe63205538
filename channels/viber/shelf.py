"""Files that Viber fetches from us: it takes no bytes, only addresses. Each is signed, and good for a while.

The address is `HOOK/files/NAME/EXPIRES/SIGNATURE/FILE`. Whoever knows it may fetch the file, so it cannot be guessed
and does not last. Nothing that a browser would run is handed out as such.
"""

from __future__ import annotations

import hmac
import mimetypes
from datetime import timedelta
from pathlib import PurePosixPath
from urllib.parse import quote

from channels.contract import Door
from channels.touch import Attachment, WebhookAnswer
from channels.webhook import hook_of

GOOD_FOR = timedelta(days=14)
"""As long as Viber keeps a message that it could not deliver yet."""
_SHOWN = frozenset({"image/jpeg", "image/png", "video/mp4"})
_NOTHING = WebhookAnswer(404, b"there is nothing here\n")


async def put_up(door: Door, line: str, file: Attachment) -> str:
    """The address of a file. Raises `BadSettings` without a public address."""
    hook = hook_of(door, "Viber")
    name = (await door.files.keep(file.data)).replace("/", "-")
    expires = str(int((door.now() + GOOD_FOR).timestamp()))
    signature = door.sign(_signed(line, name, expires))
    return f"{hook}/files/{name}/{expires}/{signature}/{quote(_named(file), safe='')}"


async def hand_out(door: Door, line: str, path: str) -> WebhookAnswer:
    """The file at such an address; 404 for anything else, whatever is wrong with it."""
    parts = path.strip("/").split("/")
    if len(parts) != 5 or parts[0] != "files":
        return _NOTHING
    _, name, expires, signature, called = parts
    known = door.sign(_signed(line, name, expires))
    is_ours = hmac.compare_digest(known.encode(), signature.encode("utf-8", "replace"))
    if not is_ours or int(expires) < door.now().timestamp():
        return _NOTHING
    try:
        data = await door.files.read(name.replace("-", "/"))
    except (FileNotFoundError, ValueError):
        return _NOTHING
    media_type = mimetypes.guess_type(called)[0]
    return WebhookAnswer(200, data, media_type if media_type in _SHOWN else "application/octet-stream")


def _named(file: Attachment) -> str:
    """Viber goes by the ending."""
    name = file.name.replace("/", "_")[-100:]
    if PurePosixPath(name).suffix:
        return name
    return name + (mimetypes.guess_extension(file.media_type) or "")


def _signed(line: str, name: str, expires: str) -> str:
    return f"viber file {line} {name} {expires}"
