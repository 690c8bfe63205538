"""What an administrator must change on the PBX, found by asking and by watching; every finding has its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable

from channels.asterisk.places import Finding, judge_places
from channels.asterisk.settings import Settings
from channels.asterisk.wire import Wire
from channels.contract import Door, Health, LineState
from channels.errors import ChannelError, Rejected

READ_CLASSES = ("system", "call", "agent", "cdr")
"""Without `call` and `agent` nothing is seen; `dialplan` adds recordings and QUEUESTATUS, for more events."""

_ACTIONS = {
    "CoreShowChannels": "system",
    "QueueStatus": "agent",
    "QueuePause": "agent",
    "QueueAdd": "agent",
    "Originate": "originate",
    "BlindTransfer": "call",
    "Atxfer": "call",
    "Redirect": "call",
    "Hangup": "call",
}
_SKEW_S = 5.0


def summary(findings: Iterable[Finding]) -> tuple[str, str]:
    """Reason and remedy of a health."""
    listed = sorted(findings, key=lambda one: not one.grave)
    return "; ".join(one.reason for one in listed), " ".join(dict.fromkeys(one.remedy for one in listed))


async def check(settings: Settings, door: Door) -> Health:
    """Sign in and examine. Never raises for what the outside world does."""
    wire = Wire(settings)
    try:
        await wire.open()
        findings = await examine(wire, settings, door)
    except ChannelError as error:
        state = LineState.WILL_RETRY if error.retryable else LineState.NEEDS_PERSON
        return Health(state, error.reason, error.remedy or "")
    finally:
        await wire.close()
    grave = any(one.grave for one in findings)
    return Health(LineState.NEEDS_PERSON if grave else LineState.RUNNING, *summary(findings))


async def examine(wire: Wire, settings: Settings, door: Door) -> list[Finding]:
    """Everything that can be found out without a call."""
    return [
        *await _actions(wire),
        *await _permissions(wire, settings),
        *await _queues(wire, settings),
        *await _phones(wire, settings, door),
        *await _clock(wire, door),
        *await judge_places(settings),
        *judge_stream(wire),
    ]


def judge_stream(wire: Wire) -> list[Finding]:
    """What the stream so far tells about itself."""
    found = []
    if wire.unstamped:
        found.append(_UNSTAMPED)
    if wire.seen[b"TestEvent"]:
        found.append(
            Finding(
                f"the PBX floods us with TestEvent ({wire.seen[b'TestEvent']} so far)",
                "Add `eventfilter = !Event: TestEvent` to the manager user.",
            )
        )
    return found


_UNSTAMPED = Finding(
    "events come without time stamps, so that times are those of arrival",
    "Set timestampevents = yes in the [general] section of manager.conf.",
)


async def _actions(wire: Wire) -> list[Finding]:
    """ListCommands lists what this user may do."""
    try:
        allowed = await wire.ask("ListCommands")
    except Rejected:
        return []
    found: list[Finding] = []
    if not allowed.ping:  # no list after all: nothing is known
        return found
    for action, privilege in _ACTIONS.items():
        if not getattr(allowed, action):
            grave = action in ("CoreShowChannels", "QueueStatus")
            found.append(Finding(f"the manager user may not do {action}", f"Add {privilege} to its write line.", grave))
    return found


async def _permissions(wire: Wire, settings: Settings) -> list[Finding]:
    """`manager show user` tells the read classes, if we may ask."""
    text = await _command(wire, f"manager show user {settings.username}")
    if text is None:
        return []
    found = []
    match = re.search(r"read perm:\s*(\S*)", text)
    classes = set(match[1].split(",")) if match else None
    if classes is not None and "all" not in classes:
        for name in READ_CLASSES:
            if name not in classes:
                grave = name in ("call", "agent")
                what = {"call": "calls are not seen", "agent": "queues are not seen"}.get(name, "less is seen")
                found.append(
                    Finding(
                        f"the manager user may not read class {name}: {what}", f"Add {name} to its read line.", grave
                    )
                )
        if "dialplan" not in classes and (settings.recordings or settings.voicemail):
            remedy = "Add dialplan to its read line, or set CDR(userfield) to the recording in the dialplan."
            found.append(Finding("the manager user may not read class dialplan: recordings are not told", remedy))
    general = await _command(wire, "manager show settings") or ""
    stamps = re.search(r"Timestamp events:\s*(\w+)", general)
    if stamps is not None and stamps[1].lower() == "no":
        found.append(_UNSTAMPED)
    return found


async def _command(wire: Wire, line: str) -> str | None:
    try:
        return (await wire.ask("Command", {"Command": line})).output or None
    except Rejected:
        return None


async def _queues(wire: Wire, settings: Settings) -> list[Finding]:
    try:
        status = await wire.ask_list("QueueStatus")
    except Rejected:
        return []
    known = sorted({item["Queue"] for item in status if item.get("Event") == "QueueParams"})
    return [
        Finding(
            f"the PBX has no queue {queue!r} (it has {', '.join(known) or 'none'})",
            f"Correct the name {queue!r} in the line's queues, or make the queue.",
            grave=True,
        )
        for queue in settings.queues
        if queue not in known
    ]


async def _phones(wire: Wire, settings: Settings, door: Door) -> list[Finding]:
    """Is every operator's telephone known to the PBX, and reachable?"""
    if not settings.interface.startswith("PJSIP/"):
        return []
    try:
        listed = await wire.ask_list("PJSIPShowEndpoints")
    except Rejected:
        return []
    states = {item.get("ObjectName", ""): item.get("DeviceState", "") for item in listed}
    found = []
    for extension, operator in sorted(door.extensions().items()):
        name = settings.interface.replace("{extension}", extension).removeprefix("PJSIP/")
        state = states.get(name)
        if state is None:
            remedy = f"Correct the extension of {operator}, or the line's interface, or add the endpoint."
            found.append(Finding(f"the PBX has no telephone {name!r} for {operator}", remedy))
        elif state.lower() in ("unavailable", "invalid"):
            remedy = f"Switch the telephone {name} on, or correct its registration."
            found.append(Finding(f"the telephone of {operator} ({name}) cannot be reached", remedy))
    return found


async def _clock(wire: Wire, door: Door) -> list[Finding]:
    try:
        text = (await wire.ask("Ping")).timestamp
        skew = float(text) - door.now().timestamp()
    except (Rejected, ValueError):
        return []
    if abs(skew) < _SKEW_S:
        return []
    way = "ahead" if skew > 0 else "behind"
    return [Finding(f"the clock of the PBX is {abs(skew):.0f} s {way}", "Let both machines keep time by NTP.")]
