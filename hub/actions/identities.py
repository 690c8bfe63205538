"""Reads identities as people and programs write them: `phone:+7812…`, `anna@example.org`, `(812) 325 8351`."""

from __future__ import annotations

from channels import address, phone
from channels.touch import Identity
from hub.errors import BadInput
from hub.setup.snapshot import SetUp

_LONGEST = 300


def read_identity(setup: SetUp, written: str, field: str = "identity", name: str | None = None) -> Identity:
    """One identity. Without a scheme, an address is an email and anything with digits a phone.

    What does not parse is kept as written and flagged odd. Raises `BadInput` for what cannot be an identity at all.
    """
    text = written.strip()
    scheme, colon, value = text.partition(":")
    if not colon or not scheme.isascii() or not scheme.replace("_", "").isalnum() or scheme[:1].isdigit():
        scheme, value = ("email" if "@" in text else "phone"), text
    scheme, value = scheme.lower(), value.strip()
    if not value or len(value) > _LONGEST or len(scheme) > 20 or "\0" in value:
        raise BadInput(
            "%(value)s is no identity",
            field=field,
            remedy="write scheme:value, for example phone:+79161234567",
            value=repr(written[:80]),
        )
    if scheme == "email":
        found = address.normalise(value)
    elif scheme == "phone":
        found = phone.normalise(value, setup.company.default_region)
    else:
        found = Identity(scheme, value)
    return Identity(found.scheme, found.value, name or found.name, found.odd)


def read_identities(setup: SetUp, written: list[str], field: str = "identities") -> list[Identity]:
    """Several identities, without repeats; one text may hold several phone numbers."""
    found: dict[str, Identity] = {}
    for text in written:
        for one in _split(setup, text, field):
            found.setdefault(str(one), one)
    return list(found.values())


def _split(setup: SetUp, text: str, field: str) -> list[Identity]:
    first = read_identity(setup, text, field)
    if first.scheme != "phone":
        return [first]
    several = phone.read_phones(text.removeprefix("phone:"), setup.company.default_region)
    return [Identity("phone", one.value) for one in several if not one.odd] or [first]


def spellings(setup: SetUp, written: str) -> tuple[tuple[str, str], ...]:
    """The (scheme, value) pairs that a searched identity may be kept under; a space may have been a plus."""
    found: dict[tuple[str, str], None] = {}
    for text in (written.replace(" ", "+"), written):
        try:
            one = read_identity(setup, text)
        except BadInput:
            continue
        found[one.scheme, one.value] = None
        scheme, colon, value = text.strip().partition(":")
        if colon and value:
            found[scheme.lower(), value.strip()[:_LONGEST]] = None
    return tuple(found)
