"""When an office is open: pure, exact, and fast.

settings = read_settings("office", table)            # [calendar.office] of a set-up file
calendar = Calendar.build("office", 1, settings)     # one immutable version
calendar.open_after(start, timedelta(hours=4))       # four working hours later, in UTC
"""

from routing.calendar.calendar import Calendar, CalendarWarning
from routing.calendar.dates import add_months, anniversary, every_months
from routing.calendar.day_plan import DayPlan, Note, Why
from routing.calendar.errors import BadCalendar, NeverOpens
from routing.calendar.interval import FOREVER, Interval, merged, without
from routing.calendar.open_time import OpenDay
from routing.calendar.settings import CalendarSettings, read_settings
from routing.calendar.zones import TZDATA_VERSION, load_zone

__all__ = [
    "FOREVER",
    "TZDATA_VERSION",
    "BadCalendar",
    "Calendar",
    "CalendarSettings",
    "CalendarWarning",
    "DayPlan",
    "Interval",
    "NeverOpens",
    "Note",
    "OpenDay",
    "Why",
    "add_months",
    "anniversary",
    "every_months",
    "load_zone",
    "merged",
    "read_settings",
    "without",
]
