"""What the hub hands to the web forms: callables and plain data, so that this package knows no hub and no database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

from channels.contract import Accepted
from channels.touch import Touch
from webforms.settings import LANGUAGES, FormSettings


@dataclass(frozen=True, slots=True)
class Company:
    """Who asks. `public_url` has no slash at the end ("" = take it from the request); `zone` is an IANA name."""

    name: str = ""
    public_url: str = ""
    default_region: str = "RU"
    zone: str = "UTC"
    languages: tuple[str, ...] = LANGUAGES


@dataclass(frozen=True, slots=True)
class FormsDoor:
    """The hub, seen from a web form.

    `deliver` returns only after the touch is committed.
    `find` gives the settings of a form, or None for a form unknown or switched off; it hands out the *same* object
    until the settings change, for the compiled form is kept by it.
    `answer_by(form key, interaction, at)`: when the visitor will be answered, as the clock computes it; also for one
    in quarantine (what would be due if it were clean), or the answer would tell a robot that it was found out.
    `sign(text)` is a short url-safe signature; `verify(text, signature)` compares in constant time.
    `seen_proof(signature, expires)` remembers a proof-of-work until it expires; True = it was used before.
    `zone(form key)` is the zone of the calendar that the promise was computed in (IANA name).
    `proxies` are the networks whose `X-Forwarded-For` is believed.
    """

    deliver: Callable[[Touch], Awaitable[Accepted]]
    now: Callable[[], datetime]
    find: Callable[[str], FormSettings | None]
    answer_by: Callable[[str, int | None, datetime], Awaitable[datetime | None]]
    sign: Callable[[str], str]
    verify: Callable[[str, str], bool]
    seen_proof: Callable[[str, datetime], Awaitable[bool]]
    zone: Callable[[str], str]
    company: Callable[[], Company]
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
