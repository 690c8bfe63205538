"""What a MAX line may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Settings(BaseModel):
    """The MAX channel's own keys of one line; README.md says what each is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(min_length=1)
    secret: SecretStr = Field(min_length=5, max_length=256)
    base_url: str = Field(default="https://platform-api2.max.ru", pattern=r"^https?://")
    ca_file: Path | None = None
    timeout_s: float = Field(default=30.0, gt=0)
