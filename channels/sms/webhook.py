"""What a gateway sends to our webhook, as messages and reports. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from channels.sms.parse import Ours, touch_of
from channels.sms.template import Inbound, Reports, Template, dig
from channels.touch import Automatic, Direction, Kind, Raw, Receipt, ReceiptState, Touch, Webhook

MEDIA_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
_SECRETS = frozenset({"secret"})
_BROKEN = "some letters could not be read"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: `data` are its query and its form, or what its json holds."""

    data: Any
    raw: Raw


def read_call(webhook: Webhook) -> Call:
    """Query and body together; a body of plain text is the field `body`. The secret is not kept.

    Raises `ValueError` for a body that cannot be read.
    """
    query = {key: value for key, value in webhook.query.items() if key not in _SECRETS}
    if charset := _plain_text(webhook):
        data = {**query, "body": _decode(webhook.body, charset)}
        return Call(data, Raw(urlencode(data).encode(), MEDIA_TYPE))
    if _is_json(webhook):
        data = orjson.loads(webhook.body)
        return Call({**query, **data} if isinstance(data, dict) else data, Raw(webhook.body, JSON_TYPE))
    form = {**query, **dict(_pairs(webhook.body))} if webhook.body else query
    return Call(form, Raw(urlencode(form).encode(), MEDIA_TYPE))


def read_again(raw: bytes, media_type: str) -> Call | None:
    """The same from what was kept."""
    try:
        if media_type == JSON_TYPE:
            return Call(orjson.loads(raw), Raw(raw, JSON_TYPE))
        if media_type == MEDIA_TYPE:
            return Call(dict(_pairs(raw)), Raw(raw, MEDIA_TYPE))
    except ValueError:
        pass
    return None


def read_messages(call: Call, template: Template, ours: Ours, at: datetime) -> Iterator[Touch]:
    """The clients' messages in a call; one that lacks what it needs is kept as one that could not be read."""
    inbound = template.inbound
    items = list(_items(call, inbound.items))
    for item in items:
        raw = call.raw if len(items) == 1 else Raw(orjson.dumps(item), JSON_TYPE)
        yield _message(item, inbound, ours, at, raw)


def read_reports(call: Call, reports: Reports, line: str, at: datetime) -> Iterator[Receipt]:
    """The delivery reports in a call that say something final."""
    for item in _items(call, reports.items):
        message, word = _text(item, reports.id), _text(item, reports.state)
        state = reports.state_of(word)
        if message and state is not None:
            told = _text(item, reports.reason) if reports.reason else ""
            reason = (f"the gateway reports {word}" + (f": {told}" if told else "")) if _is_bad(state) else None
            yield Receipt(line, message, state, at, reason=reason)


def unreadable(webhook: Webhook, ours: Ours, at: datetime, reason: str) -> Touch:
    """Something came that may have been a message: kept raw."""
    return _lost(ours, at, Raw(webhook.body, "application/octet-stream"), reason)


def _message(item: Any, inbound: Inbound, ours: Ours, at: datetime, raw: Raw) -> Touch:
    sender, text, number = (_text(item, name) for name in (inbound.sender, inbound.text, inbound.id))
    if not sender:
        return _lost(ours, at, raw, f"there is no {inbound.sender} in it")
    if inbound.charset and _text(item, inbound.charset).upper().startswith("UTF-16"):
        text = _units(text)
    key = f"id:{number[:200]}" if number else f"{_digest(raw.data)}:{at:%Y%m%d%H%M}"
    touch = touch_of(ours, sender, text, key=key, at=at, raw=raw)
    recipient = _text(item, inbound.recipient)
    origin = {"to": recipient} if recipient else {}
    remarks = (*touch.remarks, _BROKEN) if "\ufffd" in text else touch.remarks
    return replace(touch, origin=origin, remarks=remarks)


def _lost(ours: Ours, at: datetime, raw: Raw, reason: str) -> Touch:
    return Touch(
        line=ours.line,
        event_key=f"odd:{_digest(raw.data)}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=at,
        automatic=Automatic.AUTO_REPLY,
        remarks=(f"a call of the gateway could not be read: {reason}",),
        raw=raw,
    )


def _items(call: Call, path: str) -> Iterator[Any]:
    found = dig(call.data, path)
    yield from found if isinstance(found, list) else [] if found is None else [found]


def _text(item: Any, paths: str) -> str:
    """A field by its name as it stands, else by its path; the first of several (`body|text`) that is there."""
    for path in paths.split("|"):
        value = item.get(path) if isinstance(item, Mapping) and path in item else dig(item, path)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def _plain_text(webhook: Webhook) -> str | None:
    """The charset of a body that is nothing but the message."""
    kind, _, rest = webhook.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "text/plain" or webhook.method != "POST":
        return None
    return rest.partition("charset=")[2].strip(" \"'") or "utf-8"


def _decode(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _units(text: str) -> str:
    """Units that came as the bytes of an address: what was no UTF-8 is lost on the way, the rest is read."""
    return text.replace("\ufffd", "?").encode("latin-1", "replace").decode("utf-16-be", "replace")


def _pairs(body: bytes) -> list[tuple[str, str]]:
    """A form, in UTF-8 or in what Windows of our parts writes."""
    text = body.decode("latin-1")
    try:
        return parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=200)
    except UnicodeDecodeError:
        return parse_qsl(text, keep_blank_values=True, encoding="cp1251", errors="replace", max_num_fields=200)


def _is_json(webhook: Webhook) -> bool:
    return "json" in webhook.headers.get("content-type", "") or webhook.body[:1] in (b"{", b"[")


def _is_bad(state: ReceiptState) -> bool:
    return state is ReceiptState.FAILED


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
