"""Who wrote to whom: our own addresses told from the world's, form senders from the people behind them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from channels.email.address import Address, normalise, parse_addresses
from channels.email.mime import Part
from channels.email.proof import without_plus_token
from channels.email.thread import ENVELOPE

_FORM_SENDER = re.compile(
    r"^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|noreply.*|wordpress|wp|www|www-data|web|webmaster|website|site|forms?|webform"
    r"|mailer|notifications?|robot|bot|admin|info-site|orders?|zakaz|lead|leads)(?:$|[+@.-])"
)


@dataclass(frozen=True, slots=True)
class Parties:
    """The people of one mail."""

    sender: Address | None
    reply_to: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    envelope: tuple[str, ...]
    outsiders: tuple[Address, ...]
    from_us: bool
    through_form: bool

    def addressed(self) -> list[str]:
        """Every address that the mail went to, for plus-tokens."""
        return [*self.envelope, *(each.value for each in self.to), *(each.value for each in self.cc)]

    def person(self) -> Address | None:
        """Who is behind an inbound mail: the sender, or whom a form names in Reply-To."""
        if self.through_form and self.reply_to is not None:
            name = self.reply_to.name or (None if self.from_us or self.sender is None else self.sender.name)
            return Address(self.reply_to.value, name, self.reply_to.odd)
        return self.sender


def read_parties(mail: Part, own: Collection[str]) -> Parties:
    """The people of a mail. `own` are normalised addresses of ours."""
    sender = _first(mail, "from") or _first(mail, "sender") or _first(mail, "return-path")
    reply_to = _first(mail, "reply-to")
    to, cc = _all(mail, "to"), _all(mail, "cc")
    from_us = sender is not None and is_own(sender.value, own)
    named = reply_to is not None and not reply_to.odd and not is_own(reply_to.value, own)
    different = sender is None or reply_to is None or reply_to.value != sender.value
    return Parties(
        sender,
        reply_to,
        to,
        cc,
        tuple(found.value for name in ENVELOPE for found in _all(mail, name)),
        tuple(each for each in (*to, *cc, *_all(mail, "bcc")) if not each.odd and not is_own(each.value, own)),
        from_us,
        named and different and (from_us or sender is None or _FORM_SENDER.match(sender.value) is not None),
    )


def is_own(address: str, own: Collection[str]) -> bool:
    """Is it ours, with or without our token in it?"""
    return address in own or normalise(without_plus_token(address)) in own


def _first(mail: Part, name: str) -> Address | None:
    return next(iter(_all(mail, name)), None)


def _all(mail: Part, name: str) -> tuple[Address, ...]:
    values = mail.headers.get(name)
    if not values:
        return ()
    charset = mail.params.get("charset")
    return tuple(found for value in values[:5] for found in parse_addresses(value, charset))
