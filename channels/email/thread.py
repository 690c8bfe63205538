"""Which conversation a mail says it belongs to: proven tokens first, references next, the subject's tag last."""

from __future__ import annotations

import re
from collections.abc import Iterable

from channels.email.headers import message_ids
from channels.email.mime import Part
from channels.email.proof import Sign, looks_own, read_own_id, read_plus_address
from channels.touch import Thread

_TAG = re.compile(r"\[#(\d{1,12})\]")
ENVELOPE = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-forwarded-to")


def read_thread(mail: Part, sign: Sign, addressed: Iterable[str], about: str | None = None) -> Thread | None:
    """The references of a mail. Forged tokens and ids that only look like ours are left out.

    `about` is the Message-ID that a delivery notice speaks of.
    """
    answers = list(dict.fromkeys([*([about] if about else []), *answered_ids(mail, sign)]))
    conversation = _proven_by_address(addressed, sign) or _proven_by_id(answers, sign)
    tag = _TAG.search(mail.text("subject"))
    if conversation is None and not answers and tag is None:
        return None
    return Thread(conversation, tuple(answers), int(tag[1]) if tag else None)


def answered_ids(mail: Part, sign: Sign) -> list[str]:
    """Message-IDs that a mail refers to, nearest first: In-Reply-To, then References from the last to the first."""
    nearest = message_ids(mail.text("in-reply-to"))
    farther = reversed(message_ids(mail.text("references")))
    own = message_ids(mail.text("message-id"), 1)
    found = dict.fromkeys([*nearest, *farther])
    return [each for each in found if each not in own and not is_forged(each, sign)]


def is_forged(message_id: str, sign: Sign) -> bool:
    """Has it the shape of our Message-IDs without being one?"""
    return looks_own(message_id) and read_own_id(sign, message_id) is None


def _proven_by_address(addressed: Iterable[str], sign: Sign) -> int | None:
    found = (read_plus_address(sign, address) for address in addressed if "+c" in address)
    return next((each for each in found if each is not None), None)


def _proven_by_id(answers: Iterable[str], sign: Sign) -> int | None:
    found = (read_own_id(sign, each) for each in answers)
    return next((each.conversation for each in found if each is not None and each.conversation), None)
