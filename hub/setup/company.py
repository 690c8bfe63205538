"""`[company]`: what holds for the whole house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.setup.norms import AnswerWithin, ServiceLevel, ShortAbandon
from hub.setup.titles import Language, Title
from routing.duration import Duration, Measure

LONGEST_WINDOW = timedelta(days=3)


class Company(BaseModel):
    """Frozen. `calendar` and `alert_line` name other parts of the set-up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="Touchline", description="how mails and pages call the company")
    default_region: str = Field(default="RU", description="country of telephone numbers without one, e.g. PL")
    public_url: str | None = Field(default=None, description="address of the desk in links, https://…")
    calendar: str | None = Field(default=None, description="for everything that names no calendar of its own")
    languages: tuple[Language, ...] = Field(default=("en", "ru", "uk", "pl"), min_length=1)
    alert_line: str | None = Field(default=None, description="line that mails alerts and invitations")
    service_level: ServiceLevel = Field(default="SL4", description="formula of the service level, SL1 to SL5")
    answer_within_s: AnswerWithin = Field(default=20, description="threshold T of the service level, in seconds")
    short_abandon: ShortAbandon = Field(
        default=5, description='who hangs up sooner is no abandonment: seconds, or "half" = half of T and one second'
    )
    marketing: Literal["consent", "unless_refused"] = Field(
        default="consent", description="mailings need the client's consent beforehand, or only no refusal"
    )
    conversation_window: str = Field(
        default="30 min", description="touches of a client within this time are one conversation, on whatever channel"
    )
    dispositions: Mapping[str, Title] = Field(
        default={}, description="what may come of a call, key and title, in the order offered; none = the usual list"
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: Any) -> Any:
        """An empty text says that a key is to be as if it had never been written."""
        return {key: value for key, value in values.items() if value != ""} if isinstance(values, dict) else values

    @field_validator("default_region")
    @classmethod
    def _check_region(cls, value: str) -> str:
        import phonenumbers

        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"no such region: {value!r}; write two capital letters, for example RU, UA or PL")
        return value

    @property
    def window(self) -> timedelta:
        """The time within which touches are one conversation."""
        return Duration.parse(self.conversation_window).span

    @field_validator("conversation_window")
    @classmethod
    def _check_window(cls, value: str) -> str:
        found = Duration.parse(value)
        if found.measure is not Measure.CLOCK or not timedelta(0) <= found.span <= LONGEST_WINDOW:
            raise ValueError('write clock time up to three days: "30 min", "4 hours"; "0 min" joins nothing')
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("begins with http:// or https://")
        return value.rstrip("/") if value else None
