"""What a Viber line may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

OFFICIAL = "https://chatapi.viber.com/pa"
MOST_NAME = 28
MOST_WELCOME = 7000


class Settings(BaseModel):
    """The Viber channel's own keys of one line; README.md says what each is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(min_length=1)
    secret: SecretStr | None = None
    sender: str = Field(default="", max_length=MOST_NAME)
    welcome: str = Field(default="", max_length=MOST_WELCOME)
    base_url: str = Field(default=OFFICIAL, pattern=r"^https?://")
    timeout_s: float = Field(default=30.0, gt=0)

    @property
    def signing(self) -> tuple[str, ...]:
        """What a callback may be signed with: the token, and the secret of whoever stands in between."""
        return (self.token.get_secret_value(), *((self.secret.get_secret_value(),) if self.secret else ()))
