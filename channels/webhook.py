"""What channels with a webhook share: signatures over the raw body, the address we are called at, and how we are."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable

from channels.contract import Door, Health, LineState
from channels.errors import BadSettings, ChannelError


def sign_body(body: bytes, secret: str) -> str:
    """HMAC-SHA256 of the bytes as they came over the wire, in hex. Never of JSON that was read and written again."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, secret: str, given: str | None) -> bool:
    """Did whoever sent this know the secret? Takes as long whatever is wrong with it; an empty secret signs nothing."""
    if not secret or not given:
        return False
    return hmac.compare_digest(sign_body(body, secret).encode(), given.strip().lower().encode("utf-8", "replace"))


def is_secret(known: str, given: str | None) -> bool:
    """Is this the secret that we agreed on (a header or a field that repeats it)? An empty one is nobody's."""
    return bool(known and given) and hmac.compare_digest(known.encode(), str(given).encode("utf-8", "replace"))


def hook_of(door: Door, vendor: str) -> str:
    """Where the vendor reaches this line. Raises `BadSettings` while the hub has no public address."""
    address = door.hook()
    if address is None:
        raise BadSettings(
            f"{vendor} cannot call us: this hub has no public address",
            remedy=f"Set company.public_url to an https address that {vendor} can reach.",
        )
    return address


def health_after(error: ChannelError) -> Health:
    """How a line is that could not do what was asked: `retryable` alone decides."""
    state = LineState.WILL_RETRY if error.retryable else LineState.NEEDS_PERSON
    return Health(state, error.reason, error.remedy or "")


async def stay_known(door: Door, greet: Callable[[], Awaitable[object]], look_s: float) -> None:
    """Listening where everything is pushed: see now and then that the vendor knows us. Raises what `greet` raises."""
    await greet()
    door.health(Health(LineState.RUNNING))
    while True:
        await asyncio.sleep(look_s)
        await greet()


async def check_by(ask: Callable[[], Awaitable[object]]) -> Health:
    """How a line is by what the vendor answers now."""
    try:
        await ask()
    except ChannelError as error:
        return health_after(error)
    return Health(LineState.RUNNING)
