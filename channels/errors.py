"""The closed vocabulary of what can go wrong with the outside world; `retryable` alone decides what happens next."""

from __future__ import annotations


class ChannelError(Exception):
    """A channel could not do what was asked. `reason` is for people, `remedy` says what to do about it."""

    retryable = False

    def __init__(self, reason: str, *, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class Unreachable(ChannelError):
    """The server cannot be reached or broke off: trying again later is right."""

    retryable = True


class Throttled(ChannelError):
    """The server asks for patience. `retry_after` is in seconds."""

    retryable = True

    def __init__(self, reason: str, *, retry_after: float, remedy: str | None = None) -> None:
        super().__init__(reason, remedy=remedy)
        self.retry_after = retry_after


class Rejected(ChannelError):
    """The server refused this message for good (unknown recipient, too large, forbidden content)."""


class OptedOut(ChannelError):
    """The recipient does not want to hear from us on this channel. `only` is what of ("marketing"), None: anything."""

    def __init__(self, reason: str, *, remedy: str | None = None, only: str | None = None) -> None:
        super().__init__(reason, remedy=remedy)
        self.only = only


class BadSettings(ChannelError):
    """The line cannot work as it is set up (wrong password, unknown host name): it needs a person."""


class Uncertain(ChannelError):
    """The connection broke after the message was handed over: it may be out. Ask `was_sent` before sending again."""

    retryable = True
