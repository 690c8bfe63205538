"""What an SMS line may be told, by `gateway`. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from channels.sms.quiet import QuietHours, read_hours
from channels.sms.template import Template
from channels.sms.templates import find_template, names

_HTTP = ("https://", "http://")


class Common(BaseModel):
    """The keys that both kinds of gateway have.

    `sender` is what the client sees: a number, a short code, or a name that he cannot answer. `quiet_for`: which
    messages wait for the end of the quiet hours; `unasked` are those that answer nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    gateway: Literal["smpp", "http"]
    sender: str = Field(default="", max_length=20)
    default_region: str = Field(default="RU", pattern=r"^[A-Z]{2}$")
    quiet_hours: str | None = None
    quiet_for: Literal["all", "unasked"] = "all"
    zone: str | None = None
    most_parts: int = Field(default=10, ge=1, le=255)
    timeout_s: float = Field(default=30.0, gt=0, le=120)

    @cached_property
    def quiet(self) -> QuietHours | None:
        """The hours as they are reckoned with."""
        return read_hours(self.quiet_hours) if self.quiet_hours else None

    @field_validator("sender")
    @classmethod
    def _sender_is_one(cls, value: str) -> str:
        if value and not value.isascii():
            raise ValueError("may only have Latin letters, digits and a plus")
        if any(letter.isalpha() for letter in value) and len(value) > 11:
            raise ValueError("is a name, and names have at most 11 characters")
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _hours_are_a_span(cls, value: str | None) -> str | None:
        if value:
            read_hours(value)
        return value

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(f"there is no time zone {value!r}") from None
        return value


class SmppSettings(Common):
    """`gateway = "smpp"`: an account at an SMSC.

    `per_second` and `window` (unanswered at once) are what the SMSC allows. `parts_wait_min`: so long the rest of a
    long message is waited for. `receipt_ids`: how message ids of delivery reports differ from those of answers.
    `opted_out_codes`: statuses by which this SMSC says that the recipient wants nothing.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=2775, ge=1, le=65535)
    system_id: str = Field(min_length=1, max_length=15)
    password: SecretStr
    system_type: str = Field(default="", max_length=12)
    tls: bool = False
    ca: Path | None = None
    default_alphabet: Literal["gsm", "latin1", "ascii", "utf8"] = "gsm"
    receipts: bool = True
    receipt_ids: Literal["same", "answers_in_hex", "reports_in_hex"] = "same"
    opted_out_codes: tuple[int, ...] = ()
    window: int = Field(default=10, ge=1, le=1000)
    per_second: float | None = Field(default=None, gt=0)
    enquire_s: float = Field(default=30.0, gt=0, le=600)
    parts_wait_min: float = Field(default=60.0, gt=0, le=7 * 24 * 60)

    @field_validator("password")
    @classmethod
    def _password_fits_the_wire(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) > 8 or not value.get_secret_value().isascii():
            raise ValueError("has more than the 8 ASCII characters that SMPP has room for")
        return value

    @field_validator("system_id", "system_type")
    @classmethod
    def _fits_the_wire(cls, value: str) -> str:
        if not value.isascii():
            raise ValueError("may only have ASCII characters")
        return value


class HttpSettings(Common):
    """`gateway = "http"`: requests by a template; what comes in calls our webhook with `secret`."""

    template: str | Template
    url: str = ""
    user: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    secret: SecretStr | None = None

    @cached_property
    def shape(self) -> Template:
        """The template itself, given by name or in full."""
        return find_template(self.template) if isinstance(self.template, str) else self.template

    @field_validator("secret")
    @classmethod
    def _secret_is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 8:
            raise ValueError("can be guessed: use at least 8 characters")
        return value

    @field_validator("template")
    @classmethod
    def _template_is_known(cls, value: str | Template) -> str | Template:
        if isinstance(value, str) and value not in names():
            raise ValueError(f"there is no template {value!r}: use {', '.join(names())}, or write a table")
        return value

    @field_validator("url")
    @classmethod
    def _address_is_one(cls, value: str) -> str:
        if value and not value.startswith(_HTTP):
            raise ValueError(f"{value!r} is not an http address")
        return value.rstrip("/")


_BY_GATEWAY: dict[str, type[Common]] = {"smpp": SmppSettings, "http": HttpSettings}


class Settings(SmppSettings, HttpSettings):
    """All keys that an SMS line may have; `model_validate` makes the settings of its gateway."""

    @classmethod
    def model_validate(cls, obj: Any, **how: Any) -> Self:
        """The settings of one gateway: keys of the other are refused."""
        chosen = _BY_GATEWAY.get(str(obj.get("gateway"))) if isinstance(obj, Mapping) else None
        model: Any = Common if chosen is None else chosen
        found: Self = model.model_validate(obj, **how)
        return found
