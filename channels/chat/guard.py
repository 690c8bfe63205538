"""Who may talk to us, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from channels.chat.lobby import Lobby
from channels.chat.refusal import Refusal
from channels.chat.settings import Settings
from channels.origins import Origins, is_own
from channels.throttle import Rate, Throttle, network_of, read_rate
from channels.touch import Webhook

MOST_BODY = 64 * 1024
_ASKED: Rate = (1200, 60.0)
"""Everything but writing: sessions, streams, reports of what was seen. Many visitors may share one address."""
_PER_SESSION, _PER_NETWORK, _PER_PROCESS = 12, 500, 10_000
_CORS = {"Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}


class Guard:
    """Counts for one line, in this process."""

    def __init__(self, settings: Settings) -> None:
        self._origins = Origins.of(settings.origins)
        limits = settings.limits
        self._rates = {
            "address": read_rate(limits.per_address),
            "session": read_rate(limits.per_session),
            "line": read_rate(limits.per_line),
        }
        self._throttle = Throttle()

    def check_origin(self, webhook: Webhook, hook: str | None) -> Mapping[str, str]:
        """The headers that let this page read our answer. Raises `Refusal` for a page that may not talk to us.

        No `Origin` at all is no page (RFC 6454): a program, welcome like any.
        """
        origin = webhook.headers.get("origin")
        if origin is None:
            return {}
        public = urlsplit(hook or "")
        own = is_own(origin, webhook.headers.get("host", ""), f"{public.scheme}://{public.netloc}")
        if not own and not self._origins.allows(origin):
            raise Refusal(
                403, "foreign_origin", "this page may not use the chat", "name its origin in the line's set-up"
            )
        return {"Access-Control-Allow-Origin": origin, **_CORS}

    def may_ask(self, webhook: Webhook, now: float) -> None:
        """Raises `Refusal` for too many calls of any kind."""
        self._take(f"ask {network_of(webhook.remote)}", _ASKED, now)

    def may_say(self, webhook: Webhook, session: str, now: float) -> None:
        """Raises `Refusal` over the limits of the set-up. What one limit refuses does not count for the others."""
        keys = {
            "session": f"session {session}",
            "address": f"address {network_of(webhook.remote)}",
            "line": "line",
        }
        for name, key in keys.items():
            if wait := self._throttle.wait(key, self._rates[name], now):
                raise _throttled(wait)
        for name, key in keys.items():
            self._take(key, self._rates[name], now)

    def may_follow(self, webhook: Webhook, session: str, lobby: Lobby) -> None:
        """Raises `Refusal` when a browser, an address or all together hold too many streams open."""
        network = network_of(webhook.remote)
        full = (
            lobby.count(session=session) >= _PER_SESSION
            or lobby.count(network=network) >= _PER_NETWORK
            or lobby.count() >= _PER_PROCESS
        )
        if full:
            raise Refusal(429, "throttled", "too many streams are open", "close some tabs", wait_s=30.0)

    def _take(self, key: str, rate: Rate | None, now: float) -> None:
        if wait := self._throttle.take(key, rate, now):
            raise _throttled(wait)


def _throttled(wait: float) -> Refusal:
    return Refusal(429, "throttled", "that was too often", "wait a little", wait_s=max(1.0, wait))
