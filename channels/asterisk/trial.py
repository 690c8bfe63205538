"""One test call, watched from its first event to its last: what was seen of it, and what ought to have been."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from channels.asterisk.calls import Calls, Phase
from channels.asterisk.doctor import examine, judge_stream
from channels.asterisk.endpoints import Endpoints
from channels.asterisk.files import find_recording, find_voicemail, shorten
from channels.asterisk.ledgers import read_ledgers
from channels.asterisk.places import Finding, judge_places
from channels.asterisk.settings import Settings
from channels.asterisk.wire import Wire
from channels.contract import Door, OpenCall, Watched

_LATE_S = 1.0
_WRITTEN_S = (0.5, 1.0, 2.0, 4.0)
"""How long the PBX is given to write the call down."""
_WORDS = {
    "queued": "it waited in the queue {queue}",
    "ringing": "the telephone {extension} rang",
    "unanswered": "a telephone was not answered",
    "answered": "it was answered at {extension}",
    "held": "it was held",
    "resumed": "it went on after the hold",
    "transferred": "it was transferred to {extension}",
    "recording_paused": "its recording was paused",
    "recording_resumed": "its recording went on",
    "ended": "it ended: {outcome}",
}


@dataclass(slots=True)
class Report:
    """The phases of the call, findings about it and about the line, and how many events of each kind were heard."""

    phases: list[Phase] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the call came to."""
        return self.phases[-1].facts if self.phases else {}

    def as_told(self) -> Watched:
        """For the hub."""
        grave = any(one.grave for one in self.findings)
        missing = [(one.reason, one.remedy) for one in self.findings]
        return Watched(bool(self.phases) and not grave, tuple(self.seen), tuple(missing), self.facts, self.events)


async def watch_call(settings: Settings, door: Door, seconds: float) -> Report:
    """Watch until one call has ended, or so long; say what was seen of it and what not. Raises `ChannelError`."""
    wire = Wire(settings)
    report = Report()
    try:
        await wire.open()
        report.findings += await examine(wire, settings, door)
        unwritten = await judge_places(settings)  # the first call of a PBX makes its files
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                endpoints = Endpoints(settings.interface, door.extensions, frozenset(settings.trunks))
                await _watch(wire, Calls(endpoints, door.extensions), door, report)
        report.events = {name.decode("ascii", "replace"): count for name, count in wire.seen.items()}
        report.findings = [one for one in report.findings if one not in unwritten]
        more = (
            *await judge_places(settings),
            *judge_stream(wire),
            *judge_call(report, settings),
            *await _judge_kept(report, settings),
        )
        report.findings += [one for one in more if one not in report.findings]
        report.seen = tell(report)
    finally:
        await wire.close()
    return report


async def _watch(wire: Wire, calls: Calls, door: Door, report: Report) -> None:
    phases: list[Phase] = []
    try:
        async for event in wire.events():
            phases += calls.feed(event, door.now())
            if any(phase.name == "ended" for phase in phases):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LATE_S):  # what comes late belongs to it
                        async for late in wire.events():
                            phases += calls.feed(late, door.now())
                return
    finally:
        ended = next((phase.call for phase in phases if phase.name == "ended"), phases[0].call if phases else "")
        report.phases = [phase for phase in phases if phase.call == ended]


def tell(report: Report) -> list[str]:
    """What was seen, in sentences."""
    if not report.phases:
        return []
    first, facts = report.phases[0], report.facts
    lines = [
        f"a call from {first.number or 'nobody knows whom'} to {first.did or first.number or 'nobody knows where'}"
    ]
    for phase in report.phases:
        if phase.name in _WORDS:
            known = {
                "queue": phase.facts.get("queue"),
                "extension": _telephone(phase),
                "outcome": _outcome(phase.facts),
            }
            lines.append(_WORDS[phase.name].format(**known))
    if facts.get("ended_by"):
        lines.append(f"who ended it: the {facts['ended_by']}")
    lines += [f"its recording: {name}" for name in facts.get("recordings") or ()]
    if facts.get("voicemail"):
        lines.append(f"a voice message: {facts['voicemail']}")
    return lines


def _telephone(phase: Phase) -> str:
    ringing = phase.facts.get("ringing") or ()
    found = phase.extension if phase.name != "ringing" else ", ".join(ringing)
    return found or "of nobody"


def _outcome(facts: Mapping[str, Any]) -> str:
    return f"missed, {facts['reason']}" if facts.get("outcome") == "missed" else str(facts.get("outcome"))


def judge_call(report: Report, settings: Settings) -> list[Finding]:
    """What one call ought to have shown and did not."""
    if not report.phases:
        if not report.events.get("Newchannel"):
            return [Finding("no call was seen", "Call one of your numbers, and let class call be read.", grave=True)]
        return [Finding("channels were seen, but nobody was called", "Does the dialplan dial or queue?", grave=True)]
    facts = report.facts
    found = []
    if not any(phase.name == "ended" for phase in report.phases):
        found.append(Finding("the end of the call was not seen", "Hang up before the time is over, or watch longer."))
    elif facts.get("outcome") == "answered" and not facts.get("recording"):
        remedy = "Let class dialplan be read, or set CDR(userfield) to the file in the dialplan, before MixMonitor."
        found.append(Finding("the call showed no recording", remedy))
    if facts.get("queue") and settings.queues and facts["queue"] not in settings.queues:
        found.append(Finding(f"the queue {facts['queue']!r} is none of the line's queues", "Add it to queues."))
    if not any(phase.number for phase in report.phases):
        found.append(Finding("the caller's number was not seen", "Does the trunk pass it on?"))
    for extension in dict.fromkeys(leg.get("extension") for leg in facts.get("legs") or () if not leg.get("operator")):
        remedy = "Give an operator this extension, or correct `interface`."
        found.append(Finding(f"nobody is known by the extension {extension}", remedy))
    return found


async def _judge_kept(report: Report, settings: Settings) -> list[Finding]:
    """Are the sounds where the line says, and is the call in the PBX's records?"""
    if not any(phase.name == "ended" for phase in report.phases):
        return []
    last = report.phases[-1]
    call = OpenCall(last.call, report.phases[0].at, last.direction.value, shorten(last.facts, settings))
    found = await asyncio.to_thread(_judge_sounds, call, settings)
    if settings.records():
        found += await _judge_records(call, settings)
    return found


def _judge_sounds(call: OpenCall, settings: Settings) -> list[Finding]:
    found = []
    for name in call.call.get("recordings") or ():
        if settings.recordings and find_recording(name, call, settings) is None:
            remedy = "Mount the folder that MixMonitor writes into, or correct recordings."
            found.append(Finding(f"the recording {name} is not in {settings.recordings}", remedy))
    if call.call.get("voicemail") and find_voicemail(call, settings) is None:
        remedy = "Set voicemail to the spool's folder (…/spool/voicemail), and mount it."
        found.append(Finding("the voice message cannot be found", remedy))
    return found


async def _judge_records(call: OpenCall, settings: Settings) -> Sequence[Finding]:
    missing: list[str] = []
    for pause in _WRITTEN_S:
        ledgers = await asyncio.to_thread(read_ledgers, settings.records(), call.at - timedelta(minutes=1))
        written = {"cdr": set(ledgers.cdr), "cel": set(ledgers.cel), "queue_log": set(ledgers.stories)}
        missing = [kind for kind in settings.records() if call.external_id not in written[kind]]
        if not call.call.get("queue"):
            missing = [kind for kind in missing if kind != "queue_log"]
        if not missing:
            return []
        await asyncio.sleep(pause)
    remedy = "Is this where the PBX writes it, with unique ids, and not in batches of minutes?"
    return [Finding(f"the call is not in {kind}", remedy) for kind in missing]
