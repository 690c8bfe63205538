"""One client's message, from SMPP or from a gateway's webhook, as a touch. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from channels import phone
from channels.optout import read_word
from channels.phone import is_hidden
from channels.sms.parts import decode_gsm
from channels.sms.pdu import ALPHANUMERIC, INTERNATIONAL, Short
from channels.touch import Attachment, Automatic, Direction, Identity, Kind, Raw, Touch

MEDIA_TYPE = "application/vnd.smpp.deliver_sm"
_NO_ANSWER = "a name instead of a number: it cannot be answered by SMS"
_GAP = " […] "
_BINARY = "binary"
_BY_CODING = {
    1: "ascii",
    2: _BINARY,
    3: "latin-1",
    4: _BINARY,
    5: "iso2022_jp",
    6: "iso8859_5",
    7: "iso8859_8",
    8: "utf-16-be",
    10: "iso2022_jp",
    14: "euc_kr",
}
_DEFAULTS = {"gsm": "gsm", "latin1": "latin-1", "ascii": "ascii", "utf8": "utf-8"}


@dataclass(frozen=True, slots=True)
class Ours:
    """What the parser must know of the line. `alphabet` is what data coding 0 means at this SMSC."""

    line: str
    region: str
    alphabet: str = "gsm"


def identity_of(sender: str, region: str, ton: int | None = None) -> Identity:
    """Who wrote. A name instead of a number is odd: it can be shown, and never answered."""
    written = sender.strip()
    if ton == ALPHANUMERIC and not written.lstrip("+").isdecimal():
        return Identity(phone.SCHEME, written, odd=True)
    if ton == INTERNATIONAL and written.isascii() and written.isdecimal() and len(written) > 6:
        written = f"+{written}"
    return phone.normalise(written, region)


def touch_of(ours: Ours, sender: str, text: str, *, key: str, at: datetime, raw: Raw, ton: int | None = None) -> Touch:
    """The touch of a whole text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip("\n")
    who = identity_of(sender, ours.region, ton)
    touch = Touch(
        line=ours.line,
        event_key=key,
        external_id=key,
        kind=Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=at,
        party=() if is_hidden(sender) else (who,),
        text=text,
        fields=dict(read_word(text)),
        raw=raw,
    )
    if is_hidden(sender):
        return replace(touch, remarks=("the message does not say who sent it",))
    return _unanswerable(touch, who) if who.odd else touch


def _unanswerable(touch: Touch, who: Identity) -> Touch:
    """Names belong to programs (a bank, a carrier); a number that cannot be read may be a person's."""
    named = any(letter.isalpha() for letter in who.value)
    return replace(
        touch,
        fields={**touch.fields, "sender": who.value},
        field_marks={"sender": _NO_ANSWER if named else "this number cannot be read: check it before you answer"},
        automatic=Automatic.BULK if named else None,
    )


def read_shorts(
    ours: Ours, shorts: Mapping[int, Short], total: int, pdus: Sequence[bytes], *, key: str, at: datetime
) -> Touch:
    """The touch of a message that came in one `deliver_sm` or in several; `shorts` are its parts by number."""
    first = next(iter(shorts.values()))
    text, remarks = _join(ours, shorts, total)
    touch = touch_of(
        ours, first.source, text, key=key, at=at, raw=Raw(b"".join(pdus), MEDIA_TYPE), ton=first.source_ton
    )
    origin: dict[str, object] = {"to": first.destination}
    if total > 1:
        origin["parts"] = total
    touch = replace(touch, origin=origin, remarks=(*touch.remarks, *remarks))
    data = b"".join(one.payload for one in shorts.values())
    if _is_binary(first) and data:
        touch = replace(touch, attachments=(Attachment("message.bin", "application/octet-stream", data),))
    return touch


def unreadable(ours: Ours, pdu: bytes, reason: str, *, key: str, at: datetime) -> Touch:
    """What could not be read is somebody's message all the same: it is kept raw."""
    return Touch(
        line=ours.line,
        event_key=key,
        kind=Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=at,
        remarks=(f"could not be read: {reason}",),
        raw=Raw(pdu, MEDIA_TYPE),
    )


def _is_binary(short: Short) -> bool:
    return short.ports or _codec(short.data_coding, "gsm") == _BINARY


def _join(ours: Ours, shorts: Mapping[int, Short], total: int) -> tuple[str, list[str]]:
    """Bytes of neighbouring parts are put together before they are read: some senders cut pairs in two."""
    if any(_is_binary(one) for one in shorts.values()):
        return "", ["a message for a program, not for a person: kept as a file"]
    remarks = []
    runs: list[tuple[str, bytearray]] = []
    last = 0
    for number in sorted(shorts):
        short = shorts[number]
        codec = _codec(short.data_coding, ours.alphabet)
        if runs and number == last + 1 and runs[-1][0] == codec:
            runs[-1][1].extend(short.payload)
        else:
            if number != last + 1:
                runs.append(("", bytearray()))
            runs.append((codec, bytearray(short.payload)))
        last = number
    missing = [str(number) for number in range(1, total + 1) if number not in shorts]
    if missing:
        remarks.append(f"part {', '.join(missing)} of {total} never came")
    texts = []
    for codec, data in runs:
        text, whole = _decode(bytes(data), codec) if codec else (_GAP, True)
        texts.append(text)
        if not whole:
            remarks.append("some letters could not be read")
    return "".join(texts) + (_GAP.rstrip() if total not in shorts and total > 1 else ""), remarks


def _codec(coding: int, alphabet: str) -> str:
    """The name of a data coding: SMPP's own numbers, and the groups of 23.038 that SMSCs pass through."""
    if coding == 0:
        return _DEFAULTS.get(alphabet, "gsm")
    if coding in _BY_CODING:
        return _BY_CODING[coding]
    if coding >= 0xF0:
        return _BINARY if coding & 0x04 else "gsm"
    if coding >= 0xC0:
        return "utf-16-be" if coding >= 0xE0 else "gsm"
    if 0x10 <= coding < 0x80:
        return ("gsm", _BINARY, "utf-16-be", "gsm")[coding >> 2 & 3]
    return "gsm"


def _decode(data: bytes, codec: str) -> tuple[str, bool]:
    """The text, and whether all of it could be read."""
    if codec == "gsm":
        return decode_gsm(data), all(code < 0x80 for code in data)
    if codec == "ascii" and not data.isascii():
        codec = "latin-1"
    if codec == "utf-16-be" and data.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        codec = "utf-16"
    try:
        return data.decode(codec), True
    except UnicodeDecodeError:
        return data.decode(codec, "replace"), False
