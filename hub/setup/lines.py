"""`[line.K]`: the keys that all lines share; the rest belongs to the line's channel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from channels import registry
from channels.contract import ChannelModule
from channels.errors import BadSettings
from hub.settings import MissingSecret, Settings, is_reference, resolve_secrets
from hub.setup.templates import check_automatic
from hub.setup.titles import Title

PLANNED = frozenset({"asterisk", "chat", "email", "max", "sms", "telegram", "viber", "vk", "whatsapp"})
"""Channels of the set-up format. One that this installation has no folder for is kept, and reported as not in force."""

_MASK = "x"

log = structlog.get_logger(__name__)


@cache
def find_channel(name: str) -> ChannelModule | None:
    """The channel's module; None for one that is not here, or that does not load: no reason to stop the others."""
    try:
        return registry.find(name)
    except KeyError:
        return None
    except ImportError:
        log.exception("channel_does_not_load", channel=name)
        return None


def trait_of(channel: str, name: str, otherwise: Any) -> Any:
    """What a channel says of itself beyond the contract (`channels.contract.ChannelModule`), else `otherwise`."""
    return getattr(find_channel(channel), name, otherwise)


class Line(BaseModel):
    """One configured account of a channel. `own` are the channel's keys as they were written, secrets unresolved."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: str
    title: Title = ""
    team: str | None = None
    policy: Literal["allowed", "receive_only", "off"] = "allowed"
    acknowledge: Annotated[Title | None, AfterValidator(check_automatic)] = Field(
        default=None, description="automatic acknowledgement, on any channel; none = none is sent"
    )
    rate: Annotated[Title | None, AfterValidator(check_automatic)] = Field(
        default=None, description='"how did we do?" after a conversation is closed as answered; none = nobody asks'
    )
    own: dict[str, Any] = Field(default_factory=dict, repr=False)

    @property
    def known(self) -> bool:
        """Whether this installation has the channel."""
        return find_channel(self.channel) is not None

    @property
    def listens(self) -> bool:
        """Whether the hub starts it."""
        return self.known and self.policy != "off"

    @property
    def sends(self) -> bool:
        """Whether the hub may write to clients through it; a telephone line carries no messages."""
        return self.policy == "allowed" and getattr(find_channel(self.channel), "WRITES", self.known)


COMMON = frozenset(Line.model_fields) - {"own"}


def read_line(body: Mapping[str, Any]) -> Line:
    """Split the keys and check the common half. Raises `ValidationError`."""
    common = {key: value for key, value in body.items() if key in COMMON}
    return Line(**common, own={key: value for key, value in body.items() if key not in COMMON})


def own_faults(body: Mapping[str, Any]) -> list[Any]:
    """What the channel finds wrong with its keys, as pydantic tells it; what a secret only points to is not judged."""
    module = find_channel(str(body.get("channel")))
    if module is None:
        return []
    masked, places = _mask({key: value for key, value in body.items() if key not in COMMON}, ())
    try:
        module.Settings.model_validate(masked)
    except ValidationError as error:
        return [fault for fault in error.errors() if not _inside(fault["loc"], places)]
    return []


def settings_of(line: Line, settings: Settings) -> Any:
    """The channel's own settings object, secrets read now. Raises `BadSettings` with what a person can do."""
    module = find_channel(line.channel)
    if module is None:
        raise BadSettings(
            f"this installation has no channel {line.channel!r}", remedy="update Touchline, or retire the line"
        )
    try:
        return module.Settings.model_validate(resolve_secrets(line.own, settings.home))
    except MissingSecret as missing:
        raise BadSettings(missing.reason, remedy=missing.remedy) from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise BadSettings(faults, remedy="correct the set-up file and import it again") from None


def _mask(value: Any, place: tuple[str | int, ...]) -> tuple[Any, list[tuple[str | int, ...]]]:
    if is_reference(value):
        return _MASK, [place]
    pairs: list[tuple[str | int, Any]]
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return value, []
    masked = [(key, *_mask(inner, (*place, key))) for key, inner in pairs]
    places = [found for _, _, inner in masked for found in inner]
    if isinstance(value, dict):
        return {key: inner for key, inner, _ in masked}, places
    return [inner for _, inner, _ in masked], places


def _inside(loc: tuple[int | str, ...], places: list[tuple[str | int, ...]]) -> bool:
    return any(loc[: len(place)] == place for place in places)
