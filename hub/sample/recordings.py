"""Recorded calls of a real Asterisk 22, told again with other people: streams for the emulator. Pure.

The files in `streams/` hold the events that matter of one recorded call each, as they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from channels.asterisk.emulator import read_stream, retime
from hub.sample.cast import OUR_NUMBER, Person

Event = dict[str, str]

_FOLDER = Path(__file__).parent / "streams"
_CALLERS = ("79161234567", "79261112233")
_OURS = ("74950000000", "8001", "8002", "8101")
_NAME = "Ivan"
_AGENT = re.compile(r"(?<![\d.])(101|102|103)(?!\d)")
_SUFFIX = re.compile(r"-([0-9a-f]{4})([0-9a-f]{4})$")
_KEPT = ("Timestamp", "Uniqueid", "Linkedid", "DestUniqueid", "DestLinkedid", "BridgeUniqueid")


@dataclass(frozen=True, slots=True)
class Story:
    """A recorded call. `phones` are the extensions that ring in it, the one who talks first of them."""

    name: str
    phones: tuple[str, ...]

    @property
    def talks(self) -> bool:
        """Whether somebody is reached."""
        return self.name not in ("abandoned", "timeout")


ANSWERED = Story("answered", ("101",))
HELD = Story("held", ("101",))
ABANDONED = Story("abandoned", ("101",))
TRANSFERRED = Story("transferred", ("101", "102"))
DECLINED = Story("declined", ("102", "101", "103"))
RING_ALL = Story("ring_all", ("101", "102", "103"))
TIMEOUT = Story("timeout", ("101", "102", "103"))
CALLED_BACK = Story("called_back", ("101",))
STORIES = (ANSWERED, HELD, ABANDONED, TRANSFERRED, DECLINED, RING_ALL, TIMEOUT, CALLED_BACK)


@cache
def _events(name: str) -> tuple[Event, ...]:
    return tuple(read_stream(_FOLDER / f"{name}.txt"))


def tell(
    story: Story, person: Person, extensions: Sequence[str], start: datetime, number: int, slower: float = 1.0
) -> Iterator[tuple[timedelta, Event]]:
    """The call's events with their time since its start; their own time stamps begin at `start`.

    `extensions` take the places of the story's phones, `number` tells this call from all others, and everything
    takes `slower` times as long as it did.
    """
    phones = dict(zip(story.phones, extensions, strict=True))
    told = [_told(event, person, phones, number) for event in _events(story.name)]
    first = float(told[0]["Timestamp"])
    for event in told:
        event["Timestamp"] = f"{first + (float(event['Timestamp']) - first) * slower:.6f}"
    for event in retime(told, start.timestamp(), number):
        yield timedelta(seconds=float(event["Timestamp"]) - start.timestamp()), event


def pause(extension: str, queues: Sequence[str], reason: str, at: datetime) -> Iterator[Event]:
    """An operator pauses (or, without a reason, goes on) in all queues."""
    for queue in queues:
        yield {
            "Event": "QueueMemberPause",
            "Timestamp": f"{at.timestamp():.6f}",
            "Queue": queue,
            "MemberName": f"Operator {extension}",
            "Interface": f"PJSIP/{extension}",
            "StateInterface": f"PJSIP/{extension}",
            "Status": "1",
            "Paused": "1" if reason else "0",
            "PausedReason": reason,
        }


def _told(event: Mapping[str, str], person: Person, phones: Mapping[str, str], number: int) -> Event:
    return {key: _told_value(key, value, person, phones, number) for key, value in event.items()}


def _told_value(key: str, value: str, person: Person, phones: Mapping[str, str], number: int) -> str:
    if key == "BridgeUniqueid":
        return f"{value}-{number}"
    if key in _KEPT:
        return value
    if value in _OURS:
        return OUR_NUMBER
    if value == _NAME:
        return person.name
    for caller in _CALLERS:
        value = value.replace(caller, person.number)
    if key.endswith("Channel"):
        value = _SUFFIX.sub(lambda found: f"-{number % 0x10000:04x}{found[2]}", value)
    return _AGENT.sub(lambda found: phones.get(found[1], found[1]), value)
