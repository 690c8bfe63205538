"""What a set-up gets wrong about time and answers is said at load: file, line, key, reason and the way out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.setup.importing import Report
from hub.setup.problem import SetUpRefused
from hub.setup.reading import read_setup

FOLLOW_UP = '[regulation.r]\ntitle = "x"\nkind = "follow_up"\nwithin = "1 hour"\n'
CALENDAR = '[calendar.c]\nzone = "Europe/Kyiv"\n'
WEEK = 'week = { mon = ["09:00-18:00"] }\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CALENDAR, "1: calendar.c.week: it never opens. Give a weekday hours"),
        (CALENDAR + "week = { mon = [] }", "3: calendar.c.week: it never opens. Give a weekday hours"),
        (
            FOLLOW_UP + 'after = { event = "call.ended", direction = ["inbund"] }',
            '5: regulation.r.after.direction: no direction is called "inbund". Did you mean "inbound"?',
        ),
        (
            FOLLOW_UP + 'after = { event = "call.ended", kind = ["message"] }',
            "5: regulation.r.after: call.ended is never a message. Leave kind out",
        ),
        (
            FOLLOW_UP + 'after = { event = "message.received", direction = "outbound" }',
            "5: regulation.r.after: message.received is never outbound. Leave direction out",
        ),
        (
            FOLLOW_UP + 'after = { event = "call.ended" }\naction = { send = ["email"], with = "atachment" }',
            '6: regulation.r.action.with: nothing is sent with "atachment". Write with = "attachment"',
        ),
        (
            FOLLOW_UP + 'after = { event = "call.ended" }\naction = { any = ["note"] }',
            "6: regulation.r.action: nobody is reached by a note. Name",
        ),
        (
            FOLLOW_UP + 'after = { event = "call.ended" }\naction = { any = ["message"], min_talk = "30 s" }',
            "6: regulation.r.action: min_talk measures calls, and only message counts here. Leave min_talk out",
        ),
        (
            FOLLOW_UP + 'after = { event = "call.ended" }\naction = { send = ["email"], direction = "inbound" }',
            "6: regulation.r.action: what we send is never inbound. Leave direction out",
        ),
        (
            FOLLOW_UP + 'after = { event = "call.ended" }\naction = { any = ["message"], direction = "inbound" }',
            '6: regulation.r.action: only what we send keeps a promise. Write direction = ["outbound"]',
        ),
        (
            FOLLOW_UP + 'after = { event = "call.ended" }\naction = { any = ["call"], with = "attachment" }',
            "6: regulation.r.action: a call has no attachment. Leave with out",
        ),
        (
            '[regulation.g]\ntitle = "x"\nkind = "gate"\nrequire = []',
            "4: regulation.g.require: a gate that asks for nothing is none. Write require",
        ),
        (
            '[regulation.g]\ntitle = "x"\nkind = "gate"\nrequire = "a"\nfor = { lifecycle = ["old"] }',
            '5: regulation.g.for.lifecycle: no state of a client is called "old". Known are potential, current, gone',
        ),
    ],
)
def test_what_nothing_can_ever_keep_is_refused(text: str, said: str) -> None:
    with pytest.raises(SetUpRefused) as refused:
        read_setup([("some.toml", text)])
    assert any(f"some.toml:{said}" in str(each) for each in refused.value.problems), str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            CALENDAR + WEEK + 'holidays = "UA"',
            "4: calendar.c.holidays: no holidays of 2026 in the table of UA. List the",
        ),
        (CALENDAR + WEEK + 'holidays = "RU"', "4: calendar.c.holidays: holidays of 2028 unknown: RU has not decreed"),
        (CALENDAR + WEEK + 'holidays = "PL"', ""),
        (
            CALENDAR + '[calendar.c.days]\n"2026-12-30" = ["09:00-15:00"]\n"2026-12-31" = "closed"',
            "1: calendar.c.week: it opens on its own days only, for the last time on 2026-12-30",
        ),
        (
            FOLLOW_UP + 'calendar = "c"\nafter = { event = "call.ended" }\naction = { send = ["emial"] }',
            "7: regulation.r.action.send.0: not yet in force: this installation has no channel 'emial'. Did you mean",
        ),
        (
            FOLLOW_UP + 'calendar = "offise"\nafter = { event = "call.ended" }\n[calendar.office]\nzone="UTC"\n' + WEEK,
            '5: regulation.r.calendar: there is no calendar "offise" yet and its team\'s is used. Did you mean',
        ),
        (
            '[operator.a]\nname = "A"\naway = [{ from = 2026-12-01, to = 2026-12-05, deputy = "b" }]\n'
            '[operator.b]\nname = "B"\naway = [{ from = 2026-12-01, to = 2026-12-05, deputy = "a" }]\n',
            "3: operator.a.away.0.deputy: 'b' is away then, too, and nobody stands in for both: it falls to",
        ),
    ],
)
def test_what_is_doubtful_is_taken_and_told(bring: Callable[[str], Report], text: str, said: str) -> None:
    told = [str(each) for each in bring(text).notices if not each.key.endswith("role")]
    told = [each for each in told if "no calendar is set" not in each]
    assert any(each.startswith(f"some.toml:{said}") for each in told) if said else not told, told
