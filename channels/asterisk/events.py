"""What each event of the PBX says about a call: one reader per event. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from channels.asterisk.call import BY_KEY, Call, Leg, Visit
from channels.asterisk.endpoints import Side

if TYPE_CHECKING:
    from channels.asterisk.calls import Calls

Event = Mapping[str, str]

_UNREACHABLE = frozenset({"4", "5"})
_NOBODY = frozenset({"", "<unknown>"})


def _read_newchannel(calls: Calls, event: Event, at: datetime) -> None:
    calls.leg(event, at)


def _read_newstate(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is None:
        return
    leg = found[1]
    state = event.get("ChannelState")
    if state == "5" and leg.ringing_at is None:
        leg.ringing_at = at
    elif state == "6" and leg.up_at is None:
        leg.up_at = at


def _read_rename(calls: Calls, event: Event, at: datetime) -> None:
    call = calls.owner.get(event.get("Uniqueid", ""))
    name = event.get("Newname", "")
    if call is not None and name and "<" not in name:
        leg = call.legs[event["Uniqueid"]]
        leg.name, leg.endpoint = name, calls.endpoints.of(name)
        calls.bridges.note(leg.uid, name)


def _read_dial_begin(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at, "Dest")
    if found is None:
        return
    call, leg = found
    source = calls.leg(event, at)
    if leg.dialled_at is None:
        leg.dialled_at = at
        leg.source = source[1].uid if source is not None else None
        leg.dial_string = event.get("DialString", "")
        leg.wanted = given(event, "DestConnectedLineNum") if source is None else ""
        if call.talk.mode == "hold" and leg.talked_at is None:
            leg.asked_by = next((uid for uid in call.legs if uid in call.talk.holding), None)
        visit = call.waits_in()
        leg.queue = leg.queue or (visit.queue if visit is not None else None)
    if leg.endpoint.side is not Side.LOCAL and not leg.status and leg.ended_at is None:
        calls.emit(call, "ringing", leg.uid, at)


def _read_dial_state(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at, "Dest")
    if found is not None and found[1].ringing_at is None and event.get("DialStatus") == "RINGING":
        found[1].ringing_at = at


def _read_dial_end(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at, "Dest")
    if found is None:
        return
    call, leg = found
    status = "FORWARD" if event.get("Forward") else event.get("DialStatus", "")
    if leg.status in ("", "CANCEL") and status:
        leg.dial_ended_at = leg.dial_ended_at or at
        leg.status = status
    if status == "ANSWER":
        leg.up_at = leg.up_at or at
        calls.settle(call, at)
        if _is_asked(leg):
            calls.emit(call, "asking", leg.uid, at)
    elif call.ended_at is None and (_is_asked(leg) or (status != "CANCEL" and call.talk.answered_at is None)):
        calls.emit(call, "unanswered", leg.uid, at)


def _is_asked(leg: Leg) -> bool:
    """A colleague is rung, or talked to, while the other side is held."""
    return leg.asked_by is not None and leg.endpoint.side is not Side.LOCAL


def _read_bridge_enter(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is None or found[1].ended_at is not None:
        return
    if swapped := event.get("SwapUniqueid"):
        calls.bridges.leave(swapped)
    uid = found[1].uid
    calls.bridges.enter(uid, event.get("BridgeUniqueid", ""))
    _settle_around(calls, uid, found[0], at)


def _read_bridge_leave(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is None:
        return
    uid = found[1].uid
    around = _calls_around(calls, uid, found[0])
    calls.bridges.leave(uid, event.get("BridgeUniqueid"))
    for call in around:
        calls.settle(call, at)


def _settle_around(calls: Calls, uid: str, call: Call, at: datetime) -> None:
    for one in _calls_around(calls, uid, call):
        calls.settle(one, at)


def _calls_around(calls: Calls, uid: str, call: Call) -> list[Call]:
    found = {call.id: call}
    for other in calls.bridges.heard_by(uid):
        one = calls.owner.get(other)
        if one is not None:
            found.setdefault(one.id, one)
    return list(found.values())


def _read_hold(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is None:
        return
    call, leg = found
    if any(leg is other for other in call.others()):
        return  # the client put us on hold: that is his time
    if event.get("Event") == "Hold":
        call.talk.holding.add(leg.uid)
    else:
        call.talk.holding.discard(leg.uid)
    calls.settle(call, at)


def _read_hangup_request(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is None:
        return
    leg = found[1]
    leg.asked_at = leg.asked_at or at
    leg.cause = leg.cause or event.get("Cause", "")


def _read_hangup(calls: Calls, event: Event, at: datetime) -> None:
    uid = event.get("Uniqueid", "")
    if uid not in calls.owner and event.get("Linkedid", "") not in calls.live:
        return  # the end of something whose beginning nobody saw
    found = calls.leg(event, at)
    if found is None:
        return
    call, leg = found
    leg.ended_at = leg.ended_at or at
    cause = event.get("Cause", "")
    leg.cause = leg.cause if leg.cause and cause in ("", "0", "127") else cause or leg.cause
    around = _calls_around(calls, uid, call)
    calls.bridges.forget(uid)
    for one in around:
        one.live.discard(uid)
        one.talk.holding.discard(uid)
    call.live.discard(uid)
    for one in around:
        calls.settle(one, at)
        calls.end_if_over(one, at)
    asked_others = leg.talked_at is not None and leg.left_at is None  # everybody else left with his bridge
    if call.ended_at is None and (asked_others or (_is_asked(leg) and leg.picked_up)):
        calls.emit(call, "left", uid, at)


def _read_join(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is None:
        return
    call = found[0]
    queue = event.get("Queue", "")
    waiting = call.waits_in()
    if waiting is None or waiting.queue != queue:
        call.visits.append(Visit(queue, at, staffed=calls.is_staffed(queue), place=_place(event)))
        calls.emit(call, "queued", f"{queue}|{len(call.visits)}", at)


def _read_leave(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    visit = found[0].waits_in() if found is not None else None
    if visit is not None and visit.queue == event.get("Queue", visit.queue):
        visit.left_at = at
        visit.deserted = not calls.is_staffed(visit.queue)
        here = _place(event)
        if all(visit.place) and all(here) and here != visit.place:  # sent on before he left: only a digit does that
            visit.status = visit.status or BY_KEY


def _place(event: Event) -> tuple[str, str]:
    return event.get("Context", ""), event.get("Exten", "")


def _read_agent_called(calls: Calls, event: Event, at: datetime) -> None:
    interface = event.get("Interface", "")
    calls.endpoints.note_member(interface)
    found = calls.leg(event, at, "Dest")
    if found is not None:
        leg = found[1]
        leg.queue = event.get("Queue")
        if leg.endpoint.side is Side.OUTSIDE:
            leg.endpoint = calls.endpoints.of(leg.name)


def _read_agent_complete(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is not None and event.get("Reason") in ("agent", "caller"):
        found[0].completed_by = event["Reason"]


def _read_originate_response(calls: Calls, event: Event, at: datetime) -> None:
    call = calls.owner.get(event.get("Uniqueid", ""))
    origin = call.origin if call is not None else None
    if origin is not None and not origin.wanted:
        origin.wanted = event.get("Exten", "")


def _read_cdr(calls: Calls, event: Event, at: datetime) -> None:
    call = calls.owner.get(event.get("UniqueID", "")) or calls.done.get(event.get("LinkedID", ""))
    if call is None:
        return
    call.last_application = event.get("LastApplication", "") or call.last_application
    _note_recording(call, event.get("UserField", ""))
    calls.tell_late(call, at)


def _read_variable(calls: Calls, event: Event, at: datetime) -> None:
    call = calls.owner.get(event.get("Uniqueid", ""))
    if call is None:
        return
    name, value = event.get("Variable", "").strip(), event.get("Value", "").strip()
    if name == "MIXMONITOR_FILENAME":
        _note_recording(call, value)
    elif name == "VM_MESSAGEFILE" and value:
        call.voicemail = value
    elif name == "ROUTE" and value:
        call.route = value
    elif name == "QUEUESTATUS" and value:
        call.queue_status = value
        if call.visits:
            call.visits[-1].status = value
    calls.tell_late(call, at)


def _read_monitor(calls: Calls, event: Event, at: datetime) -> None:
    found = calls.leg(event, at)
    if found is not None and found[1].name not in found[0].recorders:
        found[0].recorders.append(found[1].name)


def _read_mute(calls: Calls, event: Event, at: datetime) -> None:
    """The recording is silenced while card numbers are spoken, or goes on."""
    call = calls.owner.get(event.get("Uniqueid", ""))
    if call is None or call.ended_at is not None:
        return
    silent = bool(call.pauses) and call.pauses[-1][1] is None
    wanted = event.get("State", "0") != "0"
    if wanted == silent:
        return
    if wanted:
        call.pauses.append((at, None))
    else:
        call.pauses[-1] = (call.pauses[-1][0], at)
    name = "recording_paused" if wanted else "recording_resumed"
    calls.emit(call, name, str(int(at.timestamp() * 1_000_000)), at)


def _read_message_waiting(calls: Calls, event: Event, at: datetime) -> None:
    call = calls.owner.get(event.get("Uniqueid", ""))
    if call is not None and event.get("Waiting", "1") != "0":
        call.voicemail = call.voicemail or event.get("Mailbox") or "voicemail"
        calls.tell_late(call, at)


def _note_recording(call: Call, path: str) -> None:
    looks = "." in path.rpartition("/")[2] and " " not in path.rpartition("/")[2]
    if path and looks and path not in call.recordings:
        call.recordings.append(path)


def _read_member(calls: Calls, event: Event, at: datetime) -> None:
    queue, interface = event.get("Queue", ""), event.get("Interface", event.get("Location", ""))
    calls.endpoints.note_member(interface)
    if event.get("Event") == "QueueMemberRemoved":
        calls.staffing(queue, interface, None)
    else:
        paused = event.get("Paused", "0") == "1"
        calls.staffing(queue, interface, not paused and event.get("Status", "1") not in _UNREACHABLE)


READERS: dict[str, Callable[[Calls, Event, datetime], None]] = {
    "Newchannel": _read_newchannel,
    "Newstate": _read_newstate,
    "Rename": _read_rename,
    "DialBegin": _read_dial_begin,
    "DialState": _read_dial_state,
    "DialEnd": _read_dial_end,
    "BridgeEnter": _read_bridge_enter,
    "BridgeLeave": _read_bridge_leave,
    "Hold": _read_hold,
    "Unhold": _read_hold,
    "HangupRequest": _read_hangup_request,
    "Hangup": _read_hangup,
    "QueueCallerJoin": _read_join,
    "QueueCallerLeave": _read_leave,
    "AgentCalled": _read_agent_called,
    "AgentComplete": _read_agent_complete,
    "OriginateResponse": _read_originate_response,
    "MixMonitorStart": _read_monitor,
    "MixMonitorMute": _read_mute,
    "Cdr": _read_cdr,
    "VarSet": _read_variable,
    "MessageWaiting": _read_message_waiting,
    "QueueMember": _read_member,
    "QueueMemberAdded": _read_member,
    "QueueMemberPause": _read_member,
    "QueueMemberStatus": _read_member,
    "QueueMemberRemoved": _read_member,
}


def stamp(event: Event, now: datetime) -> datetime:
    """When it happened, by the clock of the PBX (`timestampevents=yes`); else when it was read."""
    text = event.get("Timestamp")
    if text is None:
        return now
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return now


def given(event: Event, key: str) -> str:
    """A field; empty where Asterisk says that it does not know."""
    value = event.get(key, "")
    return "" if value in _NOBODY else value
