"""Header values: unfolding, encoded words (RFC 2047), parameters (RFC 2231), dates and Message-IDs. All linear."""

from __future__ import annotations

import binascii
import hashlib
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from channels.email.charset import decode

_WORD = re.compile(rb"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?]*)\?=")
_SPACE = re.compile(r"\s+")
_PARAMETER = re.compile(rb';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)')
_BRACKETED = re.compile(r"<([^<>\s\x00-\x1f]{1,2000})>")
_LONGEST = 64 * 1024
_LONGEST_ID = 300


def decode_header(raw: bytes, charset: str | None = None) -> str:
    """A header as people read it. Raw 8-bit bytes are decoded by `charset` or by guess."""
    value = raw[:_LONGEST].replace(b"\r", b"").replace(b"\n", b"")
    if b"=?" not in value:
        return _SPACE.sub(" ", _plain(value, charset)).strip()
    pieces: list[str] = []
    run, run_charset, end = b"", "", 0
    for found in _WORD.finditer(value):
        between = value[end : found.start()]
        data, name = _decode_word(found[2], found[3]), found[1].decode("ascii", "replace").lower()
        if end and not between.strip() and name == run_charset:
            run += data
        else:
            pieces += [decode(run, run_charset)[0] if run else "", _gap(between, charset, after_word=bool(end))]
            run, run_charset = data, name
        end = found.end()
    pieces += [decode(run, run_charset)[0] if run else "", _plain(value[end:], charset)]
    return _SPACE.sub(" ", "".join(pieces)).strip()


def _gap(between: bytes, charset: str | None, *, after_word: bool) -> str:
    return "" if after_word and not between.strip() else _plain(between, charset)


def _plain(data: bytes, charset: str | None) -> str:
    return decode(data, charset)[0]


def _decode_word(encoding: bytes, data: bytes) -> bytes:
    try:
        if encoding in b"qQ":
            return binascii.a2b_qp(data, header=True)
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return data


def parameters(raw: bytes) -> tuple[str, dict[str, str]]:
    """`text/plain; charset="x"` -> ("text/plain", {"charset": "x"}); RFC 2231 continuations are put together."""
    value = raw[:_LONGEST].replace(b"\r", b"").replace(b"\n", b"")
    head = value.split(b";", 1)[0].decode("latin-1").strip().lower()
    plain: dict[str, bytes] = {}
    extended: dict[str, list[tuple[int, bool, bytes]]] = {}
    for found in _PARAMETER.finditer(value):
        name, content = found[1].decode("latin-1").lower(), _unquote(found[2])
        base, star, rest = name.partition("*")
        if not star:
            plain.setdefault(base, content)
            continue
        number, coded = rest.rstrip("*"), rest.endswith("*") or rest == ""
        if (number.isascii() and number.isdigit() and len(number) <= 4) or not number:
            extended.setdefault(base, []).append((int(number or 0), coded, content))
    found_values = {name: decode_header(content) for name, content in plain.items()}
    for name, parts in extended.items():
        found_values[name] = _join_extended(parts)
    return head, found_values


def _unquote(content: bytes) -> bytes:
    content = content.strip()
    if content.startswith(b'"'):
        return re.sub(rb"\\(.)", rb"\1", content[1:].removesuffix(b'"'))
    return content


def _join_extended(parts: list[tuple[int, bool, bytes]]) -> str:
    parts.sort(key=lambda part: part[0])
    charset, data = None, b""
    for place, (_, coded, content) in enumerate(parts):
        if coded and place == 0 and content.count(b"'") >= 2:
            declared, _, content = content.split(b"'", 2)
            charset = declared.decode("latin-1") or None
        data += unquote_to_bytes(content) if coded else content
    return decode(data, charset)[0]


def parse_date(value: str) -> datetime | None:
    """An aware UTC instant, or None for what is no date."""
    try:
        found = parsedate_to_datetime(value[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def message_ids(value: str, most: int = 50) -> list[str]:
    """The ids of a Message-ID, In-Reply-To or References header, in angle brackets, in order; [] for an empty one."""
    found = [f"<{token}>" for token in _BRACKETED.findall(value)]
    if not found:
        found = [f"<{word.strip('<>')}>" for word in value.split() if "@" in word and word.strip("<>")]
    if len(found) > most:
        found = found[:1] + found[-(most - 1) :]
    return [shorten_id(each) for each in found]


def shorten_id(message_id: str) -> str:
    """Ids of absurd length keep their beginning and get a digest, always the same one."""
    if len(message_id) <= _LONGEST_ID:
        return message_id
    digest = hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
    return f"{message_id[: _LONGEST_ID - 40]}#{digest}>"
