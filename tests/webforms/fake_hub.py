"""A hub in memory, as the web forms see it: hand-written, with a clock that stands until it is moved."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

import webforms
from channels.contract import Accepted
from channels.touch import Touch
from webforms import Company, FormsDoor, FormSettings

COMPANY = Company(name="Touchline", default_region="RU", zone="Europe/Moscow")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@dataclass
class FakeHub:
    """Keeps what is delivered; the same event key is the same interaction."""

    forms: dict[str, FormSettings] = field(default_factory=dict)
    at: datetime = NOW
    touches: list[Touch] = field(default_factory=list)
    proofs: dict[str, datetime] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    company: Company = COMPANY
    answer_in: timedelta | None = timedelta(hours=4)

    async def deliver(self, touch: Touch) -> Accepted:
        known = self.numbers.get((touch.line, touch.event_key))
        if known is not None:
            return Accepted(known, again=True)
        self.touches.append(touch)
        number = self.numbers[touch.line, touch.event_key] = len(self.touches)
        return Accepted(number)

    async def answer_by(self, form: str, interaction: int | None, at: datetime) -> datetime | None:
        return None if self.answer_in is None else at + self.answer_in

    async def seen_proof(self, signature: str, expires: datetime) -> bool:
        seen = signature in self.proofs
        self.proofs[signature] = expires
        return seen

    def sign(self, text: str) -> str:
        return hmac.digest(b"secret of the test", text.encode(), hashlib.sha256).hex()[:32]

    def verify(self, text: str, signature: str) -> bool:
        return hmac.compare_digest(self.sign(text).encode(), signature.encode())

    def door(self, proxies: tuple[IPv4Network | IPv6Network, ...] = ()) -> FormsDoor:
        return FormsDoor(
            deliver=self.deliver,
            now=lambda: self.at,
            find=self.forms.get,
            answer_by=self.answer_by,
            sign=self.sign,
            verify=self.verify,
            seen_proof=self.seen_proof,
            zone=lambda key: self.company.zone,
            company=lambda: self.company,
            proxies=proxies,
        )

    def app(self, proxies: tuple[IPv4Network | IPv6Network, ...] = ()) -> web.Application:
        app = web.Application()
        app.add_routes(webforms.routes(self.door(proxies)))
        return app
