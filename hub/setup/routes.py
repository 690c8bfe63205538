"""`[route.K]`: who gets a touch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Route(BaseModel):
    """`when` is compared by routing; an empty one always fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: dict[str, Any] = Field(default_factory=dict)
    team: str
    strategy: Literal["round_robin", "least_busy", "skills", "capacity", "sticky"] | None = None
    pass_on_after: str | None = None
