"""The table `[calendar.K]` of a set-up file, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, ValidationError, model_validator

from routing.calendar.errors import BadCalendar, fault, suggestion
from routing.calendar.holiday_table import HolidayTable
from routing.calendar.span import Hours, overlapping, read_hours
from routing.calendar.zones import load_zone
from routing.duration import BadDuration, Duration, Measure

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _read_zone(value: object) -> str:
    if not isinstance(value, str):
        raise fault(f"{value!r} is not a zone", 'write a name such as "Europe/Warsaw"')
    return load_zone(value).key


def _read_weekday(value: object) -> str:
    if value not in WEEKDAYS:
        word = str(value)
        near = word[:3].lower() if word[:3].lower() in WEEKDAYS else word
        raise fault(f'no weekday is called "{word}"', suggestion(near, list(WEEKDAYS), "they are mon … sun"))
    return str(value)


def _read_date(value: object) -> date:
    text = str(value)
    try:
        if ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise fault(f'"{text}" is not a date', 'write it as "2026-12-30"')


def _read_own_day(value: object) -> Hours:
    if isinstance(value, str) and value != "closed":
        raise fault(f'"{value}" says nothing about a day', 'write "closed" or ["09:00-15:00"]')
    return () if value == "closed" else read_hours(value)


def _read_holidays(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise fault(f"{value!r} is not a country", 'write its code, such as "PL" or "DE-BY"')
    HolidayTable.named(value)
    return value


def _read_short(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    remedy = 'write "1 hour" or "30 min"'
    try:
        duration = Duration.target(str(value))
    except BadDuration as error:
        raise fault(str(error), remedy) from None
    if duration.measure is not Measure.CLOCK or duration.amount % 60 or duration.amount >= 86_400:
        raise fault(f'a day cannot be shortened by "{value}"', remedy)
    return duration.span


def _write_short(value: timedelta | None) -> str | None:
    return None if value is None else str(Duration(Measure.CLOCK, int(value.total_seconds())))


def _write_hours(hours: Hours) -> list[str]:
    return [str(span) for span in hours]


def _write_own_day(hours: Hours) -> str | list[str]:
    return _write_hours(hours) or "closed"


Weekday = Annotated[str, PlainValidator(_read_weekday)]
DayHours = Annotated[Hours, PlainValidator(read_hours), PlainSerializer(_write_hours)]
OwnDate = Annotated[date, PlainValidator(_read_date), PlainSerializer(date.isoformat, return_type=str)]
OwnDay = Annotated[Hours, PlainValidator(_read_own_day), PlainSerializer(_write_own_day)]


class CalendarSettings(BaseModel):
    """One calendar as a manager writes it; `model_dump` gives back what he could have written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Annotated[str, PlainValidator(_read_zone)]
    week: dict[Weekday, DayHours] = Field(default_factory=dict)
    holidays: Annotated[str | None, PlainValidator(_read_holidays)] = None
    short_before_holiday: Annotated[
        timedelta | None, PlainValidator(_read_short), PlainSerializer(_write_short, return_type=str | None)
    ] = None
    days: dict[OwnDate, OwnDay] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, table: Any) -> Any:
        for key in table if isinstance(table, Mapping) else ():
            if key not in cls.model_fields:
                known = list(cls.model_fields)
                raise fault(
                    f'a calendar has no key "{key}"', suggestion(str(key), known, f"known are {', '.join(known)}")
                )
        return table

    @model_validator(mode="after")
    def _nights_end_before_days(self) -> CalendarSettings:
        if clash := overlapping(self.hours):
            day, night, morning = WEEKDAYS[clash[0]], clash[1], clash[2]
            raise fault(f'"{night}" of the night before and "{morning}" of {day} overlap', f"let {day} start later")
        if self.short_before_holiday and not self.holidays:
            raise fault("short_before_holiday without holidays shortens nothing", 'add holidays, such as "PL"')
        return self

    @property
    def hours(self) -> tuple[Hours, ...]:
        """The week's hours, Monday first."""
        return tuple(self.week.get(day, ()) for day in WEEKDAYS)


def read_settings(key: str, table: Mapping[str, Any]) -> CalendarSettings:
    """Check one table; BadCalendar names the key of the first thing wrong in it, as in `calendar.RU.week.mon`."""
    try:
        return CalendarSettings.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(("calendar", key, *(str(part) for part in first["loc"] if part != "[key]")))
        context = first.get("ctx", {})
        reason, remedy = context.get("reason", first["msg"]), context.get("remedy", "see docs/regulations.md")
        raise BadCalendar(place, reason, remedy) from None
