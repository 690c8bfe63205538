"""What a VK line may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Settings(BaseModel):
    """The VK channel's own keys of one line; README.md says what each is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(min_length=1)
    secret: SecretStr = Field(min_length=1)
    group_id: int = Field(gt=0)
    confirmation: str = ""
    base_url: str = Field(default="https://api.vk.com/method", pattern=r"^https?://")
    read_marks: bool = True
    api_version: str = Field(default="5.199", pattern=r"^5\.\d+$")
    timeout_s: float = Field(default=30.0, gt=0)
