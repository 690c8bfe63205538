"""Proof of work by the altcha protocol: SHA-256(salt + number) = challenge, signed, expiring, good for one time.

Protocol: altcha.org, "Proof-of-Work captcha", first version. The package accepts replays, so every proof is
remembered until it expires; the client's half is our own (static/proof.js).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha import v1

LIFE = timedelta(hours=2)


def make_challenge(form_key: str, difficulty: int, now: datetime, sign: Callable[[str], str]) -> dict[str, Any]:
    """A task for the visitor's browser; about half of `difficulty` digests solve it."""
    secret = _secret(form_key, sign)
    challenge = v1.create_challenge(v1.ChallengeOptions(max_number=difficulty, hmac_key=secret, expires=now + LIFE))
    return dict(challenge.to_dict())


async def judge(
    form_key: str,
    payload: str,
    now: datetime,
    sign: Callable[[str], str],
    seen_proof: Callable[[str, datetime], Awaitable[bool]],
) -> str | None:
    """Why a proof does not count, or None when it does."""
    if not payload:
        return "no_proof_of_work"
    try:
        proof = v1.Payload.from_base64(payload)
        expires = proof.parse_salt()[1]
        good, _ = v1.verify_solution(proof, _secret(form_key, sign), check_expires=False)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "bad_proof_of_work"
    if not good or expires is None:
        return "bad_proof_of_work"
    until = datetime.fromtimestamp(expires, UTC)
    if until <= now:
        return "stale_proof_of_work"
    return "repeated_proof_of_work" if await seen_proof(proof.signature, until) else None


def _secret(form_key: str, sign: Callable[[str], str]) -> str:
    return sign(f"proof:{form_key}")
