"""`[team.K]` and `[operator.K]`: the people, how work is handed to them, and when they are away."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from hub.setup.norms import AnswerWithin, ServiceLevel, ShortAbandon
from hub.setup.titles import Language, Title

Role: TypeAlias = Literal["operator", "supervisor", "admin"]


class Team(BaseModel):
    """`lead` and `director` are operators: the ladder climbs to them. What it calls in time is else the company's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Title = ""
    calendar: str | None = None
    lead: str | None = None
    director: str | None = None
    script: Title = Field(default="", description="what its operators say on the telephone; shown beside every call")
    service_level: ServiceLevel | None = Field(default=None, description="formula of the service level")
    answer_within_s: AnswerWithin | None = Field(default=None, description="threshold T, in seconds")
    short_abandon: ShortAbandon | None = Field(default=None, description='seconds, or "half" of T and one second')


def _read_day(value: Any) -> Any:
    """A day or an instant, as TOML or JSON writes them."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is no date; write 2026-12-24 or 2026-12-24T13:00") from None


Day = Annotated[date | datetime, BeforeValidator(_read_day)]


class Away(BaseModel):
    """Leave of one operator. Days count whole, the last one too; without a zone they are those of his calendar."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Day = Field(alias="from")
    to: Day
    deputy: str | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Away:
        since, until = self.span(UTC)
        if until <= since:
            raise ValueError("ends before it begins")
        return self

    def span(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """From when until when, in UTC; the end does not belong to it."""
        last = self.to + timedelta(days=1) if not isinstance(self.to, datetime) else self.to
        return _instant(self.since, zone), _instant(last, zone)


def _instant(day: date | datetime, zone: tzinfo) -> datetime:
    found = day if isinstance(day, datetime) else datetime.combine(day, time())
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


class Operator(BaseModel):
    """One person at the desk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    email: str | None = None
    role: Role = "operator"
    teams: tuple[str, ...] = ()
    extension: str | None = Field(default=None, description="telephone extension")
    language: Language | None = None
    languages: tuple[str, ...] = Field(default=(), description="languages he speaks with clients; else his own")
    skills: tuple[str, ...] = ()
    capacity: int | None = Field(default=None, ge=1, description="most open conversations at once")
    away: tuple[Away, ...] = ()

    @field_validator("email")
    @classmethod
    def _check_email(cls, value: str | None) -> str | None:
        if value is None:
            return None
        local, at, domain = value.strip().rpartition("@")
        if not (local and at and domain) or any(letter.isspace() for letter in value.strip()):
            raise ValueError(f"{value!r} is no email address")
        return value.strip()

    @field_validator("extension", mode="before")
    @classmethod
    def _accept_number(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
