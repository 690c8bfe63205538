"""What a mailbox line may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from channels.email.address import is_address

Tls = bool | Literal["starttls"]


class ImapSettings(BaseModel):
    """Where mail is read. `tls`: true = from the first byte, "starttls" = upgraded, false = in the clear."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    user: str = Field(min_length=1)
    password: SecretStr
    tls: Tls = True
    ca: Path | None = None
    folder: str = "INBOX"
    sent: bool | str = True
    move_to: str | None = None
    since: date | None = None
    poll_s: float = Field(default=60.0, gt=0)
    idle_s: float = Field(default=240.0, gt=0, le=300)
    timeout_s: float = Field(default=30.0, gt=0)

    def effective_port(self) -> int:
        """The port as given, else the customary one for this kind of TLS."""
        return self.port or (993 if self.tls is True else 143)


class SmtpSettings(BaseModel):
    """Where mail is handed over. Without `user` nobody signs in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    user: str | None = None
    password: SecretStr | None = None
    tls: Tls = "starttls"
    ca: Path | None = None
    timeout_s: float = Field(default=30.0, gt=0)

    def effective_port(self) -> int:
        """The port as given, else the customary one for this kind of TLS."""
        return self.port or (465 if self.tls is True else 587)


class Settings(BaseModel):
    """The email channel's own keys of one line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    aliases: tuple[str, ...] = ()
    name: str | None = None
    imap: ImapSettings
    smtp: SmtpSettings
    signature: str | None = None
    plus_address: bool = False
    max_message_bytes: int = Field(default=30 * 1024 * 1024, ge=64 * 1024)

    @field_validator("address")
    @classmethod
    def _address_is_one(cls, value: str) -> str:
        if not is_address(value):
            raise ValueError(f"{value!r} is not an e-mail address")
        return value

    @field_validator("aliases")
    @classmethod
    def _aliases_are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for alias in value:
            if not is_address(alias):
                raise ValueError(f"{alias!r} is not an e-mail address")
        return value

    @field_validator("signature", "name")
    @classmethod
    def _no_nul(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("may not contain a NUL character")
        return value
