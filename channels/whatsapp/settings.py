"""What a WhatsApp line may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

OFFICIAL = "https://graph.facebook.com/v25.0"


def _digits(value: Any) -> Any:
    """A set-up file may tell it as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Settings(BaseModel):
    """The WhatsApp channel's own keys of one line; README.md says what each is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(min_length=1)
    secret: SecretStr = Field(min_length=1)
    verify_token: SecretStr = Field(min_length=1)
    phone_number_id: Annotated[str, BeforeValidator(_digits)] = Field(pattern=r"^\d{1,30}$")
    base_url: str = Field(default=OFFICIAL, pattern=r"^https?://")
    read_marks: bool = True
    per_second: float = Field(default=80.0, gt=0, le=1000)
    timeout_s: float = Field(default=30.0, gt=0)
