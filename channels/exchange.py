"""What the hub obeys of the keys of a telephone line: teams, wrap-up, where calls go. Channels inherit it."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?|min|minutes?)", re.IGNORECASE)
_LONGEST_S = 3600


def _seconds(value: Any) -> Any:
    """`"30 s"`, `"2 min"`, or a number of seconds."""
    if not isinstance(value, str):
        return value
    found = _LENGTH.fullmatch(value.strip())
    if found is None:
        raise ValueError('write it as "30 s" or "2 min"')
    return float(found[1]) * (60 if found[2].lower().startswith("m") else 1)


Seconds = Annotated[float, BeforeValidator(_seconds)]


class ExchangeSettings(BaseModel):
    """Keys of a line that is a telephone exchange, whatever its make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queues: dict[str, str] = Field(default_factory=dict, description="queue of the PBX -> our team")
    default_region: str = Field(default="RU", pattern=r"^[A-Z]{2}$")
    wrap_up: Seconds = Field(default=0.0, ge=0, le=_LONGEST_S, description="work after an answered call; 0 = none")
    route_http: bool = Field(default=True, description="whether the dialplan may ask /route/LINE")
    route_from: tuple[str, ...] = Field(
        default=(), description="networks that may ask /route/LINE; none = this machine and the PBX's host"
    )
    route_token: SecretStr | None = Field(default=None, description="who knows it may ask /route/LINE, from anywhere")
    route_timeout_s: float = Field(default=0.5, gt=0, le=5)
    route_closed: bool = Field(default=True, description="answer `closed` outside the team's hours")
    sticky_days: int = Field(default=30, ge=0, le=3650, description="a client's last talker gets him again; 0 = never")
    to_responsible: bool = Field(default=True, description="a client's calls go to who is responsible for him")
    dids: dict[str, str] = Field(default_factory=dict, description="number dialled -> team")
    areas: dict[str, str] = Field(default_factory=dict, description="beginning of the caller's number -> team")
    priorities: dict[str, Annotated[int, Field(ge=0, le=1000)]] = Field(
        default_factory=lambda: {"VIP": 10}, description="category of the client -> how much sooner queues answer him"
    )
    vip_queue: str | None = Field(default=None, description="queue for clients of category VIP")

    @field_validator("queues", mode="before")
    @classmethod
    def _plain_list_of_queues(cls, value: Any) -> Any:
        """`queues = ["support"]` will do where the line's own team answers."""
        return dict.fromkeys(value, "") if isinstance(value, (list, tuple)) else value

    @field_validator("route_from")
    @classmethod
    def _route_from_are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise ValueError(f'{network!r} is no network; write "192.0.2.0/24"') from None
        return value
