"""Whose pages may send us something (the `Origin` header, RFC 6454)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ORIGIN = re.compile(r"\*|https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


def read_origins(written: Iterable[str]) -> tuple[str, ...]:
    """Origins of a set-up file, lower case and bare. Raises `ValueError` for what is none."""
    bare = tuple(origin.strip().lower().removesuffix("/") for origin in written)
    for origin in bare:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is no origin: write scheme and host only, https://shop.example or "
                'https://*.shop.example, or "*" for any'
            )
    return bare


@dataclass(frozen=True, slots=True)
class Origins:
    """Exact origins, wildcards as (scheme with slashes, suffix with its dot and port), and whether any will do."""

    exact: frozenset[str]
    wildcards: tuple[tuple[str, str], ...]
    any: bool

    @classmethod
    def of(cls, written: Iterable[str]) -> Origins:
        """Read `https://shop.example`, `https://*.shop.example` and `*`."""
        written = tuple(written)
        exact = frozenset(origin for origin in written if "*" not in origin)
        cut = (origin.partition("*") for origin in written if "*" in origin and origin != "*")
        return cls(exact, tuple((scheme, suffix) for scheme, _, suffix in cut), "*" in written)

    def allows(self, origin: str) -> bool:
        """May a page of this origin send?"""
        if self.any:
            return True
        origin = origin.lower()
        return origin in self.exact or any(
            origin.startswith(scheme) and origin.endswith(suffix) and len(origin) > len(scheme) + len(suffix)
            for scheme, suffix in self.wildcards
        )


def is_own(origin: str, host: str, public_url: str) -> bool:
    """Is it a page of our own? Behind a proxy the scheme may differ from what we see, so hosts are compared."""
    origin = origin.lower()
    own = origin.partition("://")[2]
    return bool(own) and (own == host.lower() or origin == public_url.lower())
