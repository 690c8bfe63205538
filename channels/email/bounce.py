"""What other mail servers report about our mail: RFC 3464 notices, read receipts (RFC 8098), and free-form bounces."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flufl.bounce import all_failures

from channels.email.address import is_address, normalise
from channels.email.automatic import is_null_return_path, is_postmaster
from channels.email.charset import decode
from channels.email.headers import message_ids
from channels.email.mime import Part, split_headers
from channels.email.proof import Sign, find_own_ids
from channels.email.thread import answered_ids, is_forged
from channels.touch import Receipt, ReceiptState

_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_TYPED = re.compile(r"^[a-z0-9-]{1,20}\s*;\s*", re.IGNORECASE)
_RETURNED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"})
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|incomplete)|failure notice|returned mail|mail delivery"
    r"|не доставлен|недоставлен|не доставлено|nie (?:została |można )?dostarcz|niedostarcz|nedoručen",
    re.IGNORECASE,
)
_LONGEST_FREE = 64 * 1024
_ACTIONS = {
    "failed": ReceiptState.FAILED,
    "delivered": ReceiptState.DELIVERED,
    "relayed": ReceiptState.SENT,
    "expanded": ReceiptState.SENT,
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What is said about one recipient. `state` is None for "delayed": not failed, not delivered."""

    recipient: str | None
    state: ReceiptState | None
    reason: str | None
    permanent: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivery notice: about which of our mails, and what became of whom."""

    original: str | None
    fates: tuple[Fate, ...]
    is_bounce: bool = True


def read_notice(mail: Part, sender: str, sign: Sign) -> Notice | None:
    """The notice in a mail, or None if it is none. Never raises."""
    report = mail.params.get("report-type", "").lower()
    if mail.media_type == "multipart/report" and report == "disposition-notification":
        return _read_receipt(mail, sign)
    status = _part_of(mail, "message/delivery-status", "message/global-delivery-status")
    if status is not None:
        return Notice(_original(mail, sign), tuple(_fates(status)))
    if not _is_free_form(mail, sender):
        return None
    return _read_free_form(mail, sign)


def receipts(notice: Notice, line: str, at: datetime) -> list[Receipt]:
    """The notice as the hub wants it: nothing for "delayed" and nothing without the id of our mail."""
    if notice.original is None:
        return []
    return [
        Receipt(line, notice.original, fate.state, at, fate.recipient, fate.reason, fate.permanent)
        for fate in notice.fates
        if fate.state is not None
    ]


def _part_of(mail: Part, *media_types: str) -> Part | None:
    return next((part for part in _outer_parts(mail) if part.media_type in media_types), None)


def _outer_parts(mail: Part) -> Iterator[Part]:
    """Every part except what lies inside a nested message."""
    yield mail
    for child in mail.children if mail.media_type.startswith("multipart/") else ():
        yield from _outer_parts(child)


def _fates(status: Part) -> Iterator[Fate]:
    """One per recipient group of a message/delivery-status part; the first group is about the message."""
    for group in _groups(status.decoded()):
        action = group.get("action", "").split()[0].lower() if group.get("action", "").split() else ""
        recipient = group.get("original-recipient") or group.get("final-recipient")
        if not action or not recipient:
            continue
        found = _STATUS.search(group.get("status", "")) or _STATUS.search(group.get("diagnostic-code", ""))
        reason = _TYPED.sub("", group.get("diagnostic-code", "")).strip() or group.get("status") or None
        yield Fate(
            _recipient(group.get("final-recipient") or recipient) or _recipient(recipient),
            _ACTIONS.get(action),
            reason[:500] if reason else None,
            found is None or found[1] != "4",
        )


def _groups(data: bytes) -> Iterator[dict[str, str]]:
    rest = data.strip()
    for _ in range(200):
        if not rest:
            return
        headers, rest = split_headers(rest)
        rest = rest.lstrip()
        yield {name: decode(values[0].strip(), "utf-8")[0] for name, values in headers.items()}
        if not headers:
            return


def _recipient(value: str) -> str | None:
    bare = _TYPED.sub("", value).strip().strip("<>")
    return normalise(bare) if is_address(bare) else None


def _original(mail: Part, sign: Sign) -> str | None:
    """The Message-ID of the mail that the notice is about."""
    found: list[str] = []
    for part in _outer_parts(mail):
        if part.media_type in _RETURNED:
            headers = part.children[0].headers if part.children else split_headers(part.decoded())[0]
            found += [each for raw in headers.get("message-id", ()) for each in message_ids(raw.decode("latin-1"), 1)]
    found += find_own_ids(sign, decode(mail.body[:_LONGEST_FREE], None)[0])
    found += answered_ids(mail, sign)
    return next((each for each in found if not is_forged(each, sign)), None)


def _read_receipt(mail: Part, sign: Sign) -> Notice:
    part = _part_of(mail, "message/disposition-notification")
    group = next(_groups(part.decoded()), {}) if part is not None else {}
    said = group.get("disposition", "").lower()
    state = ReceiptState.READ if "displayed" in said else None
    named = [each for each in message_ids(group.get("original-message-id", ""), 1) if not is_forged(each, sign)]
    original = named[0] if named else _original(mail, sign)
    return Notice(original, (Fate(_recipient(group.get("final-recipient", "")), state, None, False),), is_bounce=False)


def _is_free_form(mail: Part, sender: str) -> bool:
    if "x-failed-recipients" in mail.headers:
        return True
    if not (is_postmaster(sender) or is_null_return_path(mail)):
        return False
    return is_postmaster(sender) or _SUBJECT.search(mail.text("subject")) is not None


def _read_free_form(mail: Part, sign: Sign) -> Notice | None:
    """qmail, exim, Exchange and others that say it in words."""
    temporary, permanent = _failures(mail)
    named = [normalise(each) for each in re.split(r"[,\s]+", mail.text("x-failed-recipients")) if is_address(each)]
    words = decode(mail.body[:_LONGEST_FREE], mail.params.get("charset"))[0]
    if not (temporary or permanent or named) and not _SUBJECT.search(mail.text("subject")):
        return None
    found = _STATUS.search(words)
    lasting = found is None or found[1] != "4"
    reason = _reason(words)
    fates = [Fate(each, ReceiptState.FAILED, reason, lasting) for each in dict.fromkeys([*permanent, *named])]
    fates += [Fate(each, None, reason, False) for each in temporary if each not in permanent]
    if not fates:
        fates = [Fate(None, ReceiptState.FAILED if found else None, reason, lasting)]
    return Notice(_original(mail, sign) or _original_in_words(mail, sign), tuple(fates))


def _failures(mail: Part) -> tuple[list[str], list[str]]:
    """What flufl.bounce finds: addresses with a temporary and with a permanent failure."""
    head = b"".join(name.encode() + b": " + value + b"\n" for name, values in mail.headers.items() for value in values)
    try:
        temporary, permanent = all_failures(email.message_from_bytes(head[:8192] + b"\n" + mail.body[:_LONGEST_FREE]))
    except Exception:  # a detector that stumbles over a stranger's bytes has simply found nothing
        return [], []
    return _addresses(temporary), _addresses(permanent)


def _addresses(found: object) -> list[str]:
    values = found if isinstance(found, (set, frozenset, list, tuple)) else ()
    texts = sorted(each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in values)
    return [normalise(each) for each in texts if is_address(each)]


def _original_in_words(mail: Part, sign: Sign) -> str | None:
    """Servers that paste the returned headers into the text: the last Message-ID there is that of our mail."""
    found = re.findall(r"(?im)^[> \t]*message-id:\s*(<[^<>\s]{1,300}>)", decode(mail.body[:_LONGEST_FREE], None)[0])
    return next((each for each in found if not is_forged(each, sign)), None)


def _reason(words: str) -> str | None:
    told = [line.strip() for line in words.splitlines() if re.search(r"\b[45]\d\d[ -]|\b[45]\.\d\.\d", line[:300])]
    return told[0][:500] if told else None
