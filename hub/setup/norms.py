"""What a house calls in time on the telephone: keys that `[company]` and `[team.K]` share."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

ServiceLevel: TypeAlias = Literal["SL1", "SL2", "SL3", "SL4", "SL5"]
"""The formulas stand in `hub.metrics.service_level`."""

AnswerWithin = Annotated[int, Field(ge=1, le=3600)]
ShortAbandon = Literal["half"] | Annotated[int, Field(ge=0, le=600)]
