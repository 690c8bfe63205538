"""The bytes of a `deliver_sm`, read leniently. Pure. Source: SMPP 3.4, 4.6.1 and 5.2; 3GPP TS 23.040, 9.2.3.24.

What SMSCs send is often not what the standard says (unknown types of number, vendors' data codings, letters beyond
ASCII); none of that may cost a message. Only a PDU that breaks off is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from struct import unpack_from

HEAD = 16
_UDHI = 0x40
_RECEIPTED_MESSAGE_ID, _MESSAGE_PAYLOAD, _MESSAGE_STATE = 0x001E, 0x0424, 0x0427
_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER = 0x020C, 0x020E, 0x020F
_CONCAT_8, _CONCAT_16 = 0x00, 0x08
_PORTS = frozenset({0x04, 0x05})
ALPHANUMERIC, INTERNATIONAL = 5, 1


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of which message: `number` counts from 1."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Short:
    """One `deliver_sm`: a message, a part of one, or a delivery report. `payload` is without its user data header."""

    source: str
    source_ton: int
    destination: str
    esm_class: int
    data_coding: int
    payload: bytes
    place: Place | None = None
    ports: bool = False
    tlvs: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def is_report(self) -> bool:
        """Reports of the SMSC, of the phone, and on the way; some SMSCs mark them only by naming the message."""
        return bool(self.esm_class & 0x2C) or _RECEIPTED_MESSAGE_ID in self.tlvs

    @property
    def reported_id(self) -> str:
        """The message that a report is about, where a TLV says so."""
        return _text(self.tlvs.get(_RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0"))

    @property
    def reported_state(self) -> int | None:
        """`message_state` of a report."""
        value = self.tlvs.get(_MESSAGE_STATE, b"")
        return value[0] if value else None


def read(pdu: bytes) -> Short:
    """A whole PDU, header included. Raises `ValueError` for one that breaks off."""
    try:
        return _read(pdu)
    except IndexError as error:
        raise ValueError("the PDU breaks off") from error


def several(data: bytes) -> list[bytes]:
    """The PDUs that were kept one behind the other. Raises `ValueError`."""
    found = []
    while data:
        length = unpack_from("!I", data)[0] if len(data) >= HEAD else 0
        if not HEAD <= length <= len(data):
            raise ValueError("these are not whole PDUs")
        found.append(data[:length])
        data = data[length:]
    return found


def _read(pdu: bytes) -> Short:
    _, at = _string(pdu, HEAD)  # service_type
    source_ton, at = pdu[at], at + 2
    source, at = _string(pdu, at)
    destination, at = _string(pdu, at + 2)
    esm_class, at = pdu[at], at + 3
    _, at = _string(pdu, at)  # schedule_delivery_time
    _, at = _string(pdu, at)  # validity_period
    data_coding, length, at = pdu[at + 2], pdu[at + 4], at + 5
    payload, at = pdu[at : at + length], at + length
    if at > len(pdu):
        raise IndexError(at)
    tlvs = dict(_tlvs(pdu, at))
    payload = payload or tlvs.get(_MESSAGE_PAYLOAD, b"")
    place, ports = _sar(tlvs), False
    if esm_class & _UDHI and payload:
        header, payload = payload[1 : payload[0] + 1], payload[payload[0] + 1 :]
        elements = dict(_elements(header))
        place, ports = _concat(elements) or place, not _PORTS.isdisjoint(elements)
    return Short(source, source_ton, destination, esm_class, data_coding, payload, place, ports, tlvs)


def _string(pdu: bytes, at: int) -> tuple[str, int]:
    end = pdu.find(b"\0", at)
    if end < 0:
        raise IndexError(at)
    return _text(pdu[at:end]), end + 1


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _tlvs(pdu: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """What follows the mandatory part; a tail that breaks off is no reason to refuse the message."""
    while at + 4 <= len(pdu):
        tag, length = unpack_from("!HH", pdu, at)
        yield tag, pdu[at + 4 : at + 4 + length]
        at += 4 + length


def _elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(header):
        length = header[at + 1]
        yield header[at], header[at + 2 : at + 2 + length]
        at += 2 + length


def _concat(elements: Mapping[int, bytes]) -> Place | None:
    if len(element := elements.get(_CONCAT_8, b"")) == 3:
        return _place(element[0], element[1], element[2])
    if len(element := elements.get(_CONCAT_16, b"")) == 4:
        return _place(element[0] << 8 | element[1], element[2], element[3])
    return None


def _sar(tlvs: Mapping[int, bytes]) -> Place | None:
    if not all(tlvs.get(tag) for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER)):
        return None
    reference, total, number = (int.from_bytes(tlvs[tag], "big") for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER))
    return _place(reference, total, number)


def _place(reference: int, total: int, number: int) -> Place | None:
    """Nonsense is no place: the part is then a message of its own. One of one is whole."""
    return Place(reference, total, number) if 1 <= number <= total <= 255 and total > 1 else None
