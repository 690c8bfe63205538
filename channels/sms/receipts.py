"""What a delivery report says. Pure. Source: SMPP 3.4, appendix B (`id:… sub:… … stat:DELIVRD err:… text:…`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from channels.sms.pdu import Short
from channels.touch import ReceiptState

Ids = Literal["same", "answers_in_hex", "reports_in_hex"]

_FIELD = re.compile(r"(?:^|\s)(id|sub|dlvrd|submit date|done date|stat|err|text):", re.IGNORECASE)
_BY_NUMBER = {1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN"}
_BY_NUMBER |= {8: "REJECTD"}
_FAILED = {
    "EXPIRED": "the phone could not be reached in time",
    "DELETED": "the message was deleted on its way",
    "UNDELIV": "the message cannot be delivered",
    "REJECTD": "the message was rejected",
    "UNKNOWN": "the SMSC does not know what became of the message",
}
_INTERMEDIATE = 0x20


@dataclass(frozen=True, slots=True)
class Report:
    """`message` is the id as the submit answer gave it. `state` None: nothing final. UNKNOWN is no lasting failure."""

    message: str
    state: ReceiptState | None
    reason: str | None = None
    permanent: bool = True


def read_report(short: Short, ids: Ids) -> Report | None:
    """The report in a `deliver_sm`; None when it does not name a message."""
    fields = _fields(short.payload.decode("utf-8", "replace"))
    message = fields.get("id") or short.reported_id
    if not message:
        return None
    word = fields.get("stat", "").upper()[:7]
    if word not in _FAILED and word != "DELIVRD":
        word = _BY_NUMBER.get(short.reported_state or 0, word)
    message = as_answered(message, ids)
    if short.esm_class & _INTERMEDIATE:
        return Report(message, None)
    if word == "DELIVRD":
        return Report(message, ReceiptState.DELIVERED)
    if word not in _FAILED:
        return Report(message, None)
    return Report(message, ReceiptState.FAILED, _reason(word, fields), word != "UNKNOWN")


def as_answered(message: str, ids: Ids) -> str:
    """Some SMSCs answer in hex and report in decimal, or the other way round."""
    try:
        if ids == "answers_in_hex":
            return f"{int(message):x}"
        if ids == "reports_in_hex":
            return str(int(message, 16))
    except ValueError:
        pass
    return message


def normal_id(message: str, ids: Ids) -> str:
    """An id of an answer, written as `as_answered` writes those of reports (`0A` and `a` are one number)."""
    if ids == "same":
        return message
    try:
        return f"{int(message, 16):x}" if ids == "answers_in_hex" else str(int(message))
    except ValueError:
        return message


def _fields(text: str) -> dict[str, str]:
    found = list(_FIELD.finditer(text))
    ends = [*(one.start() for one in found), len(text)][1:]
    fields: dict[str, str] = {}
    for one, end in zip(found, ends, strict=True):
        name = one[1].lower()
        fields.setdefault(name, text[one.end() :].strip() if name == "text" else text[one.end() : end].strip())
    return fields


def _reason(word: str, fields: dict[str, str]) -> str:
    code = fields.get("err", "")
    error = f", error {code}" if code.strip("0") else ""
    return f"{_FAILED[word]} ({word}{error})"
