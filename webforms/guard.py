"""What looks like a robot. Suspicion sends a touch to quarantine, never to the bin, and never changes the answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from webforms import reserved
from webforms.form import Form
from webforms.parse import Submission

TOKEN_LIFE = timedelta(days=7)
MAX_LINKS = 4

_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
_MARKUP = re.compile(r"<a\s[^>]{0,300}href|\[(?:url|link)\b[=\]]", re.IGNORECASE)


def make_token(form_key: str, now: datetime, sign: Callable[[str], str]) -> str:
    """What a page carries to prove when it was opened."""
    at = str(int(now.timestamp() * 1000))
    return f"{at}.{sign(f'form:{form_key}:{at}')}"


def suspect(form: Form, submission: Submission, now: datetime, verify: Callable[[str, str], bool]) -> str | None:
    """Why a submission looks like a robot's, as codes joined by a comma, or None."""
    reasons = []
    values = submission.values
    if form.settings.honeypot in values and submission.first(form.settings.honeypot).strip():
        reasons.append("honeypot")
    if reserved.STARTED in values and (reason := _timing(form, submission, now, verify)):
        reasons.append(reason)
    if _is_stuffed(form, submission):
        reasons.append("links")
    return ", ".join(reasons) or None


def _timing(form: Form, submission: Submission, now: datetime, verify: Callable[[str, str], bool]) -> str | None:
    """No token at all is a server that posts for somebody; one that is forged, stale or too young is a robot's."""
    at, _, signature = submission.first(reserved.STARTED).partition(".")
    if not at:
        return None
    if not (at.isascii() and at.isdecimal() and len(at) < 15 and verify(f"form:{form.key}:{at}", signature)):
        return "forged_token"
    age = now.timestamp() - int(at) / 1000
    if age > TOKEN_LIFE.total_seconds():
        return "stale_token"
    return "too_fast" if age < form.settings.min_fill_s else None


def _is_stuffed(form: Form, submission: Submission) -> bool:
    """Links where nobody writes any, many of them, or markup for forums. One or two in a message are common."""
    links = 0
    for name, given in submission.values.items():
        if name.startswith("_") or name in reserved.ALIASES:
            continue
        for value in given:
            if "/" not in value and "www." not in value and "[" not in value:
                continue
            if _MARKUP.search(value):
                return True
            links += len(_LINK.findall(value))
    return links > MAX_LINKS or _names_hold_links(form, submission)


def _names_hold_links(form: Form, submission: Submission) -> bool:
    return any("://" in value for name in form.linkless for value in submission.values.get(name, ()))
