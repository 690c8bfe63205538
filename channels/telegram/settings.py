"""What a Telegram line may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

OFFICIAL = "https://api.telegram.org/bot"
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]+", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)


class Settings(BaseModel):
    """The Telegram channel's own keys of one line. `groups`: what is heard of the groups that the bot is in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr
    base_url: str = OFFICIAL
    base_file_url: str | None = None
    webhook: bool = False
    webhook_secret: SecretStr | None = None
    groups: Literal["addressed", "all", "ignored"] = "addressed"
    timeout_s: float = Field(default=30.0, gt=0)

    @property
    def bot_id(self) -> int:
        """The bot's own user id: the half of the token that is no secret."""
        return int(self.token.get_secret_value().partition(":")[0])

    @property
    def file_url(self) -> str:
        """Where files are fetched from: as given, else beside `base_url` as Telegram has it."""
        if self.base_file_url is not None:
            return self.base_file_url
        return f"{self.base_url.removesuffix('/bot')}/file/bot"

    @field_validator("token")
    @classmethod
    def _token_is_one(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("is not a bot token: it looks like 4711:AAF… and comes from @BotFather")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _secret_fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("may only have letters, digits, _ and -, at most 256 of them")
        return value

    @field_validator("base_url", "base_file_url")
    @classmethod
    def _address_is_one(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError(f"{value!r} is not an http address")
        return value
