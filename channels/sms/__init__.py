"""SMS: an account at an SMSC by SMPP, or a gateway by HTTP. See README.md for the decisions and why they were taken."""

from __future__ import annotations

from datetime import datetime

from channels.contract import Door
from channels.sms.http import HttpChannel
from channels.sms.http import parse_again as parse_webhook_again
from channels.sms.parse import MEDIA_TYPE, Ours, read_shorts
from channels.sms.parts import Cost, measure
from channels.sms.pdu import read, several
from channels.sms.settings import HttpSettings, Settings, SmppSettings
from channels.sms.smpp import SmppChannel
from channels.touch import Touch

__all__ = ["SCHEMES", "STOP_HOLDS", "Cost", "Settings", "create", "measure", "parse_again"]

SCHEMES = ("phone",)

STOP_HOLDS = True
"""Mobile operators hold the sender to it: after STOP not even an answer goes out, until START."""


def create(line: str, settings: SmppSettings | HttpSettings, door: Door) -> SmppChannel | HttpChannel:
    """One line, not yet connected to anything."""
    if isinstance(settings, HttpSettings):
        return HttpChannel(line, settings, door)
    return SmppChannel(line, settings, door)


def parse_again(
    line: str,
    settings: SmppSettings | HttpSettings,
    raw: bytes,
    media_type: str,
    at: datetime,
    door: Door | None = None,
) -> Touch | None:
    """Read kept bytes once more: `deliver_sm`s one behind the other, or a webhook's request."""
    if isinstance(settings, HttpSettings):
        return parse_webhook_again(line, settings, raw, media_type, at)
    if media_type != MEDIA_TYPE:
        return None
    try:
        pdus = several(raw)
        shorts = [read(pdu) for pdu in pdus]
    except ValueError:
        return None
    ours = Ours(line, settings.default_region, settings.default_alphabet)
    places = [one.place for one in shorts]
    numbered = {place.number if place else 1: short for place, short in zip(places, shorts, strict=True)}
    total = places[0].total if places and places[0] else 1
    return read_shorts(ours, numbered, total, pdus, key="again", at=at) if shorts else None
