"""What one local day looks like, and why: own days over holidays over the week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from routing.calendar.holiday_table import HolidayTable, HolidayYear
from routing.calendar.settings import CalendarSettings
from routing.calendar.span import Hours, shortened
from routing.calendar.zones import instant_of, load_zone, wall_of

ONE_DAY = timedelta(days=1)


class Why(StrEnum):
    """Why a day differs from its week; `Note.detail` says more."""

    HOLIDAY = "holiday"
    """Closed; detail: the holiday's name in the country's language."""
    MOVED_DAY_OFF = "moved_day_off"
    """Closed, though no holiday itself; detail: what the country's table calls it."""
    SHORTENED = "shortened"
    """Closes early; detail: the holiday it comes before."""
    MOVED_WORKING_DAY = "moved_working_day"
    """A day off that is worked; detail: the date it stands in for, where known."""
    OWN_CLOSED = "own_closed"
    OWN_HOURS = "own_hours"
    SKIPPED = "skipped"
    """The day does not exist: its zone jumped over it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Why a day is not an ordinary one."""

    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The hours of one local day before they are laid on the line of time."""

    date: date
    hours: Hours
    note: Note | None = None


class DayPlanner:
    """Tells what any local day looks like by one version of a calendar."""

    __slots__ = ("_days", "_holidays", "_short", "_week", "zone")

    def __init__(self, settings: CalendarSettings) -> None:
        self.zone: ZoneInfo = load_zone(settings.zone)
        self._week = settings.hours
        self._days = settings.days
        self._holidays = HolidayTable.named(settings.holidays) if settings.holidays else None
        self._short = int((settings.short_before_holiday or timedelta()).total_seconds()) // 60

    def plan(self, day: date) -> DayPlan:
        """The hours of a day, and a note if they are not those of its weekday."""
        if not self._exists(day):
            return DayPlan(day, (), Note(Why.SKIPPED))
        if (own := self._days.get(day)) is not None:
            return DayPlan(day, own, Note(Why.OWN_HOURS if own else Why.OWN_CLOSED))
        if self._holidays is None:
            return DayPlan(day, self._week[day.weekday()])
        return self._plan_by(self._holidays, day)

    def _plan_by(self, table: HolidayTable, day: date) -> DayPlan:
        year = table.year(day.year)
        if (name := year.names.get(day)) is not None:
            return DayPlan(day, (), Note(Why.HOLIDAY if day in year.real else Why.MOVED_DAY_OFF, name))
        hours, note = self._week[day.weekday()], None
        if day in year.working and not hours:
            hours, note = self._moved_hours(year, day)
        if self._short and hours and (eve_of := self._real_holiday(table, day + ONE_DAY)):
            hours, note = shortened(hours, self._short), Note(Why.SHORTENED, eve_of)
        return DayPlan(day, hours, note)

    def _moved_hours(self, year: HolidayYear, day: date) -> tuple[Hours, Note]:
        """A worked Saturday has the hours of the day it stands in for, else those of the last open weekday before."""
        stands_for = year.working[day]
        if stands_for is not None:
            return self._week[stands_for.weekday()], Note(Why.MOVED_WORKING_DAY, stands_for.isoformat())
        before = (self._week[(day.weekday() - back) % 7] for back in range(1, 7))
        return next((hours for hours in before if hours), ()), Note(Why.MOVED_WORKING_DAY)

    @staticmethod
    def _real_holiday(table: HolidayTable, day: date) -> str | None:
        year = table.year(day.year)
        return year.names.get(day) if day in year.real else None

    def _exists(self, day: date) -> bool:
        noon = datetime.combine(day, time(12))
        return wall_of(instant_of(noon, self.zone), self.zone).date() == day

    def unknown_years(self, first: int, last: int) -> list[int]:
        """Years whose moved days nobody has decreed yet and no own day makes up for."""
        table, own = self._holidays, {day.year for day in self._days}
        return [year for year in range(first, last + 1) if table and table.unknown(year) and year not in own]

    def empty_years(self, first: int, last: int) -> list[int]:
        """Years for which the country's table is empty and no own day makes up for it."""
        table, own = self._holidays, {day.year for day in self._days}
        return [year for year in range(first, last + 1) if table and not table.year(year).names and year not in own]

    @property
    def country(self) -> str:
        """Code of the country whose holidays are kept; empty without."""
        return self._holidays.country if self._holidays else ""
