"""Passwords as argon2id hashes. A hash takes about 0.2 s on purpose, hence the threads."""

from __future__ import annotations

import asyncio
from functools import cache

from pwdlib import PasswordHash

SHORTEST = 10
LONGEST = 1000


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys_hash() -> str:
    """Compared against when there is no hash, so that the time taken does not tell which operators exist."""
    return _hasher().hash("nobody has this password")


def judge_password(text: str, name: str = "") -> str | None:
    """What is wrong with a new password, for people; None = nothing."""
    if len(text) < SHORTEST:
        return f"at least {SHORTEST} characters"
    if len(text) > LONGEST:
        return f"at most {LONGEST} characters"
    if len(set(text)) < 4 or (name and name.lower() == text.lower()):
        return "too easy to guess"
    return None


async def hash_password(text: str) -> str:
    """The hash to keep."""
    return await asyncio.to_thread(_hasher().hash, text)


async def password_fits(text: str, kept: str | None) -> bool:
    """Whether it is the one; takes as long for an operator without a password."""
    return await asyncio.to_thread(_fits, text, kept)


def _fits(text: str, kept: str | None) -> bool:
    found = _hasher().verify(text[:LONGEST], kept or _nobodys_hash())
    return found and kept is not None
