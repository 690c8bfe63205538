"""A calendar: one immutable version of when an office is open, answering questions about open time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from routing.calendar.day_plan import ONE_DAY, DayPlan, DayPlanner
from routing.calendar.errors import BadCalendar, NeverOpens
from routing.calendar.interval import Interval
from routing.calendar.open_time import OpenDay, OpenTime
from routing.calendar.settings import CalendarSettings
from routing.calendar.zones import TZDATA_VERSION, instant_of, wall_of

YEARS = range(1970, 2200)
"""The years a calendar can be asked about."""
PATIENCE = 10
"""After so many years without an opening a walk gives up."""


@dataclass(frozen=True, slots=True)
class CalendarWarning:
    """What a calendar is not sure of. Codes: `holidays_unknown` (no decree yet), `holidays_empty` (no table)."""

    code: str
    country: str
    year: int

    def __str__(self) -> str:
        if self.code == "holidays_unknown":
            return f"holidays of {self.year} unknown: {self.country} has not decreed its moved days, list own days"
        return f"no holidays of {self.year} in the table of {self.country}: if the office rests, list own days"

    def as_json(self) -> dict[str, str | int]:
        """The warning as plain JSON values."""
        return {"code": self.code, "country": self.country, "year": self.year, "text": str(self)}


class Calendar:
    """Open time of one version of a calendar.

    Years are laid out when first asked for and kept, so a question costs microseconds; threads may share it. All
    instants are aware; those that come back are UTC. Touching intervals (a desk open around the clock) are not joined:
    each belongs to its day.
    """

    __slots__ = ("_growing", "_index", "_planner", "key", "settings", "version")

    def __init__(self, key: str, version: int, settings: CalendarSettings) -> None:
        self.key = key
        self.version = version
        self.settings = settings
        self._planner = DayPlanner(settings)
        never = datetime.min.replace(tzinfo=UTC)
        self._index = OpenTime(range(0), never, never, ())
        self._growing = Lock()

    @classmethod
    def build(cls, key: str, version: int, settings: CalendarSettings) -> Calendar:
        """A calendar ready to be asked; BadCalendar if it could never open."""
        if not any(settings.hours) and not any(settings.days.values()):
            raise BadCalendar(f"calendar.{key}.week", "it never opens", 'give a weekday hours: mon = ["09:00-18:00"]')
        return cls(key, version, settings)

    @property
    def zone(self) -> ZoneInfo:
        """The zone the hours are meant in."""
        return self._planner.zone

    @property
    def tzdata(self) -> str:
        """Release of the zone table in use."""
        return TZDATA_VERSION

    def local(self, instant: datetime) -> datetime:
        """An instant on the wall clock of the calendar, with its offset."""
        return instant.astimezone(self.zone)

    def date_of(self, instant: datetime) -> date:
        """The local day an instant falls on."""
        return instant.astimezone(self.zone).date()

    def at_wall(self, wall: datetime) -> datetime:
        """The instant of a wall time; of two the first, and in a gap shifted forward by the gap."""
        return instant_of(wall, self.zone)

    def wall(self, instant: datetime) -> datetime:
        """The wall time of an instant, without offset."""
        return wall_of(instant, self.zone)

    def is_open(self, instant: datetime) -> bool:
        """True from an opening up to, but not at, its closing."""
        found = self._around(instant).next_interval(instant)
        return found is not None and found.start <= instant

    def next_opening(self, instant: datetime) -> datetime:
        """The first open instant from here on: the instant itself while it is open."""
        index = self._around(instant)
        while (found := index.next_interval(instant)) is None:
            index = self._later()
        return max(found.start, instant.astimezone(UTC))

    def last_closing(self, instant: datetime) -> datetime:
        """The last closing at or before an instant."""
        index = self._around(instant)
        while (found := index.last_close(instant)) is None:
            index = self._earlier()
        return found

    def intervals(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """Open intervals inside [start, end), cut to it, in order."""
        self._around(start)
        return self._around(end).intervals(start.astimezone(UTC), end.astimezone(UTC))

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """Open time in [start, end); nothing when it ends before it starts."""
        if end <= start:
            return timedelta()
        self._around(start)
        index = self._around(end)
        return index.passed(end) - index.passed(start)

    def open_after(self, instant: datetime, amount: timedelta) -> datetime:
        """The first instant by which so much open time has passed since another."""
        if amount <= timedelta():
            return instant.astimezone(UTC)
        index = self._around(instant)
        passed = index.passed(instant) + amount
        while index.total < passed:
            index = self._later()
        return index.earliest(passed)

    def open_before(self, instant: datetime, amount: timedelta) -> datetime:
        """The last instant from which so much open time is left; an opening rather than the closing before it."""
        if amount <= timedelta():
            return instant.astimezone(UTC)
        index = self._around(instant)
        while (passed := index.passed(instant) - amount) < timedelta():
            index = self._earlier()
        return index.latest(passed)

    def open_day_after(self, day: date, number: int) -> OpenDay:
        """The n-th open day after a day."""
        index = self._around_day(day)
        while (at := index.first_after(day) + number - 1) >= len(index.days):
            index = self._later()
        return index.days[at]

    def open_day_before(self, day: date, number: int) -> OpenDay:
        """The n-th open day before a day."""
        index = self._around_day(day)
        while (at := index.first_from(day) - number) < 0:
            index = self._earlier()
        return index.days[at]

    def open_day_closing_after(self, instant: datetime) -> OpenDay:
        """The first open day whose closing time comes after an instant."""
        index = self._around(instant)
        while (at := index.first_closing_after(instant)) >= len(index.days):
            index = self._later()
        return index.days[at]

    def day(self, day: date) -> tuple[DayPlan, tuple[Interval, ...]]:
        """What a local day looks like, and its open intervals."""
        index = self._around_day(day)
        at = index.first_from(day)
        opens = at < len(index.days) and index.days[at].date == day
        return self._planner.plan(day), index.days[at].intervals if opens else ()

    def warnings(self, today: date, until: date | None = None) -> tuple[CalendarWarning, ...]:
        """What is not known about the holidays between two days, by default of the coming year."""
        last = (until or today + 365 * ONE_DAY).year
        country = self._planner.country
        unknown = self._planner.unknown_years(today.year, last)
        empty = self._planner.empty_years(today.year, last)
        found = [("holidays_unknown", year) for year in unknown] + [("holidays_empty", year) for year in empty]
        return tuple(CalendarWarning(code, country, year) for code, year in found)

    def _around(self, instant: datetime) -> OpenTime:
        """The index, grown until it covers an instant."""
        index = self._index
        return index if index.since <= instant < index.until else self._covering(self.date_of(instant).year)

    def _around_day(self, day: date) -> OpenTime:
        index = self._index
        return index if day.year in index.years else self._covering(day.year)

    def _covering(self, year: int) -> OpenTime:
        if year not in YEARS:
            reason = f"asked about {year}"
            raise BadCalendar(f"calendar.{self.key}", reason, f"{YEARS[0]} to {YEARS[-1]} can be answered")
        with self._growing:
            known = self._index.years or range(year, year)
            return self._lay_out(range(min(year, known.start), max(year + 1, known.stop)))

    def _later(self) -> OpenTime:
        """Twice the years laid out: however far a walk goes, it is laid out a handful of times."""
        with self._growing:
            years, days = self._index.years, self._index.days
            self._bear(years[-1] - (days[-1].date.year if days else years[0] - 1), years[-1] == YEARS[-1])
            return self._lay_out(range(years.start, min(years.stop + len(years), YEARS.stop)))

    def _earlier(self) -> OpenTime:
        """The same towards the past."""
        with self._growing:
            years, days = self._index.years, self._index.days
            self._bear((days[0].date.year if days else years[-1] + 1) - years[0], years[0] == YEARS[0])
            return self._lay_out(range(max(years.start - len(years), YEARS.start), years.stop))

    def _bear(self, shut: int, ended: bool) -> None:
        """Give up after too many years without an opening, or where all calendars end."""
        if shut >= PATIENCE:
            reason = f"there is no opening for {shut} years on end"
            raise NeverOpens(f"calendar.{self.key}", reason, "give it weekly hours")
        if ended:
            reason = f"the answer lies beyond {YEARS[0]}–{YEARS[-1]}"
            raise BadCalendar(f"calendar.{self.key}", reason, "ask for less time")

    def _lay_out(self, years: range) -> OpenTime:
        """Widen the index to these years, planning only days that are new to it; it never shrinks."""
        known = self._index
        if years == known.years:
            return known
        first, end = date(years.start, 1, 1), date(years.stop, 1, 1)
        eve = first - ONE_DAY  # its night runs over into the first year
        if known.years:
            known_first, known_end = date(known.years.start, 1, 1) - ONE_DAY, date(known.years.stop, 1, 1)
            days = (*self._open_days(eve, known_first), *known.days, *self._open_days(known_end, end))
        else:
            days = tuple(self._open_days(eve, end))
        since, until = (self.at_wall(datetime.combine(day, time())) for day in (first, end))
        self._index = OpenTime(years, since, until, days)
        return self._index

    def _open_days(self, first: date, end: date) -> Iterator[OpenDay]:
        for number in range((end - first).days):
            plan = self._planner.plan(first + number * ONE_DAY)
            walls = (span.on(plan.date) for span in plan.hours)
            instants = ((self.at_wall(opens), self.at_wall(closes)) for opens, closes in walls)
            intervals = tuple(Interval(opens, closes) for opens, closes in instants if opens < closes)
            if intervals:
                yield OpenDay(plan.date, intervals)
