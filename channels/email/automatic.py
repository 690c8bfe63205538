"""Is there a human behind this mail? RFC 3834, list headers, and the habits of programs that know neither.

`X-Auto-Response-Suppress` asks others to be silent; alone it proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from channels.email.mime import Part
from channels.touch import Automatic

_LIST_HEADERS = (
    "list-id",
    "list-unsubscribe",
    "list-post",
    "list-help",
    "list-subscribe",
    "feedback-id",
    "x-campaign-id",
)
_REPLY_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply")
_REPLY_SUBJECT = re.compile(
    r"^(?:re:\s*)?(?:auto(?:matic|mated)?[- ]?(?:reply|response)|out of (?:the )?office|автоответ|автоматический ответ"
    r"|автоматична відповідь|автовідповідь|autoodpowiedź|odpowiedź automatyczna|automatyczna odpowiedź"
    r"|автоматическое уведомление)\b",
    re.IGNORECASE,
)
_ROBOTS = re.compile(r"^(?:mailer-daemon|postmaster|double-bounce)(?:$|[+@-])", re.IGNORECASE)


def judge(mail: Part, own_lists: Collection[str]) -> Automatic | None:
    """AUTO_REPLY for what a program answered or announced, BULK for lists and newsletters, None for a person.

    `own_lists` are our own addresses: a group address of ours that hands mail on puts list headers on everything.
    """
    if _is_auto_reply(mail):
        return Automatic.AUTO_REPLY
    if _is_bulk(mail, own_lists):
        return Automatic.BULK
    return None


def is_null_return_path(mail: Part) -> bool:
    """`Return-Path: <>`: sent by a program that wants no answer, not even a bounce."""
    return any(value.strip().replace(b" ", b"") == b"<>" for value in mail.headers.get("return-path", ()))


def is_postmaster(sender: str) -> bool:
    """Does this address belong to a mail server rather than to a person?"""
    return _ROBOTS.match(sender) is not None


def _is_auto_reply(mail: Part) -> bool:
    submitted = mail.text("auto-submitted").split(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(name in mail.headers for name in _REPLY_HEADERS):
        return mail.text("x-autoreply").strip().lower() not in {"no", "false"} or "x-autoreply" not in mail.headers
    if mail.text("precedence").strip().lower().replace("-", "_") == "auto_reply":
        return True
    if mail.media_type == "multipart/report" or is_null_return_path(mail):
        return True
    suppressing = "x-auto-response-suppress" in mail.headers or "in-reply-to" in mail.headers
    return suppressing and _REPLY_SUBJECT.match(mail.text("subject")) is not None


def _is_bulk(mail: Part, own_lists: Collection[str]) -> bool:
    if _is_own_list(mail, own_lists):
        return False
    if any(name in mail.headers for name in _LIST_HEADERS):
        return True
    return mail.text("precedence").strip().lower() in {"bulk", "list", "junk"}


def _is_own_list(mail: Part, own_lists: Collection[str]) -> bool:
    """Is the list our own group address (List-Id `<support.example.org>`, List-Post `<mailto:support@example.org>`)?"""
    said = f"{mail.text('list-id')} {mail.text('list-post')} {mail.text('x-google-group-id')}".casefold()
    if not said.strip():
        return False
    return any(f"<{own.replace('@', '.')}>" in said or f"mailto:{own}" in said for own in own_lists)
