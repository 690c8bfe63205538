"""Figures as tiles show them: their name, value, formula and what is left out, in the operator's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel import numbers

from hub.desk.language import Speech
from hub.metrics.figures import CALLS_OF, PROMISES_OF, REPLIES_OF, TIME_OF, TOUCHES_OF, Figure
from hub.metrics.reading import Report


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


NAMES: Mapping[str, str] = {
    "offered": _("Calls offered"),
    "answered": _("Calls answered"),
    "abandoned": _("Abandoned"),
    "lost_by_us": _("Lost by us"),
    "service_level": _("Service level"),
    "service_level_sl1": "SL1",
    "service_level_sl2": "SL2",
    "service_level_sl3": "SL3",
    "service_level_sl4": "SL4",
    "service_level_sl5": "SL5",
    "abandon_rate": _("Abandon rate"),
    "abandon_rate_plain": _("Abandon rate, plain"),
    "lost_rate": _("Share lost by us"),
    "asa_s": _("Average speed of answer"),
    "wait_p50_s": _("Wait, median"),
    "wait_p90_s": _("Wait, 90 %"),
    "handled": _("Calls taken"),
    "aht_s": _("Average handling time"),
    "outbound_handled": _("Calls made"),
    "outbound_aht_s": _("Average handling time, calls made"),
    "occupancy": _("Occupancy"),
    "time_talking_s": _("On the telephone"),
    "time_wrap_up_s": _("In wrap-up"),
    "time_ready_s": _("Ready for calls"),
    "time_paused_s": _("Paused"),
    "promises_kept": _("Promises kept"),
    "promises_breached": _("Promises breached"),
    "promises_excused": _("of them excused"),
    "promises_kept_rate": _("Share of promises kept"),
    "promises_kept_or_excused_rate": _("Share kept or excused"),
    "replied": _("Answered in writing"),
    "not_replied": _("Not answered yet"),
    "first_response_p50_s": _("First response, median"),
    "first_response_p90_s": _("First response, 90 %"),
    "first_response_p95_s": _("First response, 95 %"),
    "first_response_working_p50_s": _("First response in working time, median"),
    "first_response_working_p90_s": _("First response in working time, 90 %"),
    "first_response_working_p95_s": _("First response in working time, 95 %"),
    "touches_inbound": _("Touches from clients"),
    "touches_outbound": _("Touches to clients"),
}

WORDS: Mapping[str, str] = {
    CALLS_OF: _("calls that began in the interval and have ended"),
    PROMISES_OF: _("promises whose due lies in the interval"),
    REPLIES_OF: _("conversations that began in the interval with something written by the client"),
    TOUCHES_OF: _("rows of the log that began in the interval"),
    TIME_OF: _("telephones of operators, by the quarters of an hour that began in the interval"),
    "pauses": _("pauses"),
    "ready outside working hours, or in no queue": _("ready outside working hours, or in no queue"),
    "time in which nobody listened to the exchange": _("time in which nobody listened to the exchange"),
    "(talk + hold + wrap-up) / (talk + hold + wrap-up + ready)": _(
        "(talk + hold + wrap-up) / (talk + hold + wrap-up + ready)"
    ),
    "telephones in use: talk and hold, calls made and internal ones too": _(
        "telephones in use: talk and hold, calls made and internal ones too"
    ),
    "wrap-up after calls": _("wrap-up after calls"),
    "free or ringing, and in a queue": _("free or ringing, and in a queue"),
    "paused, whatever the reason": _("paused, whatever the reason"),
    "calls still going on": _("calls still going on"),
    "outbound and internal calls": _("outbound and internal calls"),
    "calls outside working hours and barred numbers": _("calls outside working hours and barred numbers"),
    "calls lost by us (timeout, no operators, no answer, busy, declined, failed): see lost_by_us": _(
        "calls lost by us, which are shown apart"
    ),
    "internal calls": _("internal calls"),
    "a transferred call counts once, for who talked last": _("a transferred call counts once, for who talked last"),
    "cancelled promises": _("cancelled promises"),
    "promises that still run or are paused": _("promises that still run or are paused"),
    "promises without a due": _("promises without a due"),
    "calls": _("calls"),
    "automatic mail and automatic answers": _("automatic mail and automatic answers"),
    "junk and quarantined messages": _("junk and quarantined messages"),
    "abandoned sooner than s": _("abandoned sooner than s"),
    "inbound calls that somebody was meant to take": _("inbound calls that somebody was meant to take"),
    "An": _("inbound calls in which an operator and the caller talked"),
    "Ab: the caller hung up while waiting": _("the caller hung up while waiting"),
    "missed although the caller held the line": _("missed although the caller held the line"),
    "wait of the answered / An; ringing included": _("sum of the waits of the answered / answered; ringing included"),
    "median wait of the answered": _("median wait of the answered"),
    "nearest-rank 90th percentile": _("nine of ten answered calls waited no longer"),
    "inbound calls that were answered": _("inbound calls that were answered"),
    "outbound calls that were answered": _("outbound calls that were answered"),
    "(talk + hold + wrap-up) / handled": _("(talk + hold + wrap-up) / calls"),
    "met by their due": _("met by their due"),
    "late, even if met afterwards": _("late, even if met afterwards"),
    "breached and excused, counted in breached": _("breached and excused, counted in breached"),
    "kept / (kept + breached)": _("kept / (kept + breached)"),
    "(kept + excused) / (kept + breached)": _("(kept + excused) / (kept + breached)"),
    "conversations with a first answer by a person": _("conversations with a first answer by a person"),
    "those that still wait for it": _("those that still wait for it"),
    "first answer - first message, by the clock; nearest rank": _("first answer − first message, by the clock"),
    "first answer - first message, in working time; nearest rank": _("first answer − first message, in working time"),
    "lost by us / O": _("lost by us / offered"),
    "Ab / O": _("abandoned / offered"),
    "inbound rows of the log": _("inbound rows of the log"),
    "outbound rows of the log": _("outbound rows of the log"),
}
"""The words of `hub.metrics.figures`, as people say them. A formula of letters is shown as it is."""


def figures_by_name(report: Report) -> dict[str, Figure]:
    """The figures of a report."""
    return {one.name: one for one in report.figures()}


def clock(seconds: float) -> str:
    """1:05, 12:40, 1:02:03: the same in every language."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


@dataclass(frozen=True, slots=True)
class Tiles:
    """How one language says figures."""

    speech: Speech

    def name(self, one: Figure | str) -> str:
        """What it is called."""
        return self.speech.say(NAMES[one if isinstance(one, str) else one.name])

    def words(self, text: str) -> str:
        """A formula, an interval or an exclusion."""
        return self.speech.say(WORDS[text]) if text in WORDS else text

    def exclusions(self, one: Figure) -> str:
        """What is left out."""
        return "; ".join(self.words(each) for each in one.exclusions)

    def value(self, one: Figure) -> str:
        """Short: 82.7 %, 1:05, 1,200; a dash where there is nothing to count."""
        if one.value is None:
            return "–"
        if one.unit == "percent":
            written = f"{numbers.format_decimal(round(one.value, 1), locale=self.speech.locale)} %"
        elif one.unit == "seconds":
            written = clock(one.value)
        else:
            written = self.speech.number(round(one.value))
        return f"≥ {written}" if one.at_least else written
