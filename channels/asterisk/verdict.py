"""What a call came to, in the words of the log: outcome, reason, waits, who ended it. Pure.

Asterisk announces a time-out as an abandonment; here the caller's own hang-up decides: whoever still holds the line
when the queue gives up has not abandoned anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels.asterisk.call import BY_KEY, Call, Leg, Visit
from channels.asterisk.endpoints import Side, number_in
from channels.touch import Direction

_EMPTY = frozenset({"JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL"})
_BUSY, _DECLINED, _ELSEWHERE = "17", "21", "26"
_RESULTS = {
    "FORWARD": "forwarded",
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "CHANUNAVAIL": "failed",
    "CONGESTION": "failed",
}
_ROUTED = frozenset({"closed", "blocked"})


def find_facts(call: Call, keys: Mapping[str, str]) -> dict[str, Any]:
    """The `call` of a touch: everything known so far. `keys` maps extensions to operators."""
    talk, before = call.talk, call.before
    ended = call.ended_at
    answered = talk.answered_at
    outcome = "answered" if answered is not None else ("missed" if ended is not None else None)
    operator = find_operator(call)
    facts: dict[str, Any] = {
        "outcome": outcome,
        "reason": find_reason(call) if outcome == "missed" else None,
        "queue": call.visits[-1].queue if call.visits else None,
        "operator": keys.get(operator, operator) if operator is not None else None,
        "legs": _legs(call, keys),
        **_lasting(call),
        "wait_s": _wait(call),
        "talk_s": round(talk.talk_s, 3) if ended is not None else None,
        "hold_s": round(talk.hold_s, 3) if ended is not None else None,
        "ended_by": find_ender(call) if ended is not None else None,
        "voicemail": call.voicemail,
        "recording": call.recordings[0] if call.recordings else None,
        "recordings": list(call.recordings),
        "recording_pauses": [{"from": show(begin), "to": show(end)} for begin, end in call.pauses],
        "answered_at": show(answered),
        "ended_at": show(ended),
    }
    if before:  # taken up after a gap: what was known before is better than what is not known now
        facts = {**before, **{key: value for key, value in facts.items() if value not in (None, [])}}
        facts |= _lasting(call)
        facts["reason"] = facts["reason"] if facts["outcome"] == "missed" else None
    return facts


def _lasting(call: Call) -> dict[str, Any]:
    """What is so now, and is no longer so once the call is over."""
    if call.ended_at is not None:
        return {"ringing": [], "held_since": None}
    return {"ringing": call.ringing(), "held_since": show(call.talk.since) if call.talk.mode == "hold" else None}


def find_operator(call: Call) -> str | None:
    """The extension of who talked last; of a call of ours that nobody answered, of who made it."""
    spoke = call.legs.get(call.talk.last or "")
    if spoke is not None and call.direction is not Direction.INTERNAL:
        return spoke.extension or _last_of_ours(call)
    return find_caller_of_ours(call) if call.direction is not Direction.INBOUND else None


def _last_of_ours(call: Call) -> str | None:
    """Who talked before the call was handed over to somebody outside."""
    talked = [leg for leg in call.attempts() if leg.talked_at is not None and leg.extension]
    return max(talked, key=lambda leg: leg.talked_at or call.at).extension if talked else None


def find_caller_of_ours(call: Call) -> str | None:
    """The extension that made an outbound or internal call; a program that rings the client first is nobody."""
    origin = call.origin
    if origin is None:
        return next((leg.extension for leg in call.attempts() if leg.extension), None)
    return origin.extension if origin.endpoint.side is not Side.OUTSIDE else None


def find_reason(call: Call) -> str:
    """Why nobody talked."""
    if call.lost:
        return "failed"
    if call.direction is Direction.OUTBOUND and not _reached_in_vain(call):
        return _reason_of_dialling(call, [leg for leg in call.others() if leg.dialled_at] or call.attempts())
    if call.visits and (reason := _reason_of_waiting(call, call.visits[-1])):
        return reason
    tried = [leg for leg in call.attempts() if leg.dialled_at is not None and leg is not call.origin]
    if tried:
        reason = _reason_of_dialling(call, tried)
        return "no_operators" if reason == "failed" and call.direction is not Direction.INTERNAL else reason
    return _reason_of_nothing(call)


def _reached_in_vain(call: Call) -> bool:
    """A program rang the client, he picked up, and then nobody of ours did."""
    origin = call.origin
    return origin is not None and call.originated and origin.endpoint.side is Side.OUTSIDE and origin.picked_up


def _reason_of_waiting(call: Call, visit: Visit) -> str | None:
    origin = call.origin
    asked = origin.asked_at if origin is not None else None
    if visit.left_at is None or (asked is not None and asked <= visit.left_at):
        return "abandoned"
    if visit.status in _EMPTY or (not visit.status and visit.deserted):
        return "no_operators"
    if visit.status == "FULL":
        return "busy"
    after = [leg for leg in call.attempts() if leg.dialled_at is not None and leg.dialled_at >= visit.left_at]
    if after:
        return None
    if visit.status == BY_KEY:
        return "cancelled"
    rung = any(leg.queue == visit.queue for leg in call.attempts())
    return "timeout" if rung or visit.staffed else "no_operators"


def _reason_of_dialling(call: Call, tried: list[Leg]) -> str:
    origin = call.origin
    last = tried[-1]
    gave_up = origin is not None and origin.asked_at is not None and last.dialled_at is not None and last is not origin
    if gave_up and last.status in ("", "CANCEL") and last.cause not in (_BUSY, _DECLINED):
        return "cancelled"
    results = [find_result(call, leg) for leg in tried]
    if last is origin:  # a click to call that the operator himself did not pick up
        return results[-1] if results[-1] in ("busy", "declined", "failed") else "no_answer"
    for result in ("declined", "busy", "no_answer"):
        if results[-1] == result:
            return result
    return "cancelled" if results[-1] == "cancelled" else "failed"


def _reason_of_nothing(call: Call) -> str:
    origin = call.origin
    if call.route in _ROUTED:
        return call.route
    if call.queue_status in _EMPTY or (call.last_application == "Queue" and not call.visits):
        return "no_operators"
    if call.queue_status == "FULL":
        return "busy"
    if call.voicemail:
        return "no_operators"
    if origin is not None and origin.asked_at is not None:
        return "cancelled"
    return "no_operators" if origin is not None and origin.up_at is not None else "failed"


def find_result(call: Call, leg: Leg) -> str | None:
    """What became of trying one leg; None while that is open."""
    if leg.picked_up:
        return "answered"
    if leg is call.origin and leg.dialled_at is None:
        return "answered" if call.talk.answered_at else ("cancelled" if leg.ended_at else None)
    if not leg.status and leg.ended_at is None:
        return None
    if leg.cause == _DECLINED:
        return "declined"
    if leg.cause == _BUSY:
        return "busy"
    if leg.cause == _ELSEWHERE or (leg.status == "CANCEL" and _answered_while_ringing(call, leg)):
        return "answered_elsewhere"
    return _RESULTS.get(leg.status, "cancelled" if leg.status == "CANCEL" else "no_answer")


def _answered_while_ringing(call: Call, leg: Leg) -> bool:
    end = leg.dial_ended_at or leg.ended_at
    if leg.dialled_at is None or end is None:
        return False
    return any(
        one.talked_at is not None and leg.dialled_at <= (one.dial_ended_at or one.talked_at) <= end
        for one in call.attempts()
        if one is not leg
    )


def find_ender(call: Call) -> str:
    """Who hung up first: the other side (`caller`), our side (`operator`), or neither."""
    if call.lost:
        return "system"
    theirs = {leg.uid for leg in call.others()}
    ours = {call.talk.last} if call.talk.last else {leg.uid for leg in call.attempts() if leg is call.origin}
    asked = [(leg.asked_at, leg.uid) for leg in call.legs.values() if leg.asked_at and leg.uid in theirs | ours]
    if asked:
        return "caller" if min(asked)[1] in theirs else "operator"
    if call.completed_by == "agent":
        return "operator"
    return "caller" if call.completed_by == "caller" else "system"


def find_number(call: Call) -> tuple[str, str]:
    """The other side's number as it came over the wire, and the name beside it."""
    origin = call.origin
    if origin is None:
        return "", ""
    if call.direction is Direction.INBOUND:
        return origin.number, origin.caller_name
    if call.expected:
        return call.expected, ""
    for leg in call.legs.values():
        if leg.endpoint.side is Side.OUTSIDE and leg.dialled_at is not None and leg is not origin:
            return number_in(leg.dial_string) or leg.number or origin.exten, ""
    if call.originated:
        return (number_in(origin.dial_string) or "") if origin.endpoint.side is Side.OUTSIDE else origin.wanted, ""
    return origin.exten, ""


def _wait(call: Call) -> float | None:
    """Seconds from joining the queue (else from the start, else from dialling) to the answer, or to giving up."""
    began = call.at
    if call.visits:
        began = call.visits[0].joined_at
    elif call.direction is Direction.OUTBOUND:
        began = next((leg.dialled_at for leg in call.others() if leg.dialled_at is not None), call.at)
    end = call.talk.answered_at or call.ended_at
    if call.talk.answered_at is None and call.ended_at is not None and call.visits:
        end = call.visits[-1].left_at or call.ended_at
    return round(max((end - began).total_seconds(), 0.0), 3) if end is not None else None


def _legs(call: Call, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    shown = [
        {
            "id": leg.uid,
            "operator": keys.get(leg.extension or ""),
            "extension": leg.extension or number_in(leg.dial_string) or leg.endpoint.device,
            "rang_at": show(leg.dialled_at),
            "answered_at": show(leg.talked_at or (leg.up_at if leg.status == "ANSWER" else None)),
            "ended_at": show(leg.left_at or leg.dial_ended_at or leg.ended_at)
            if not leg.picked_up
            else show(leg.left_at or leg.ended_at),
            "result": find_result(call, leg),
            "asked_by": _asker(call, leg, keys),
        }
        for leg in call.attempts()
    ]
    known = {leg["id"]: leg for leg in call.before.get("legs") or () if leg.get("id")}
    for leg in shown:
        old = known.pop(leg["id"], {}) | {"asked_by": None}
        leg.update({key: old[key] for key, value in leg.items() if value is None and old.get(key) is not None})
    return [*known.values(), *shown]


def _asker(call: Call, leg: Leg, keys: Mapping[str, str]) -> str | None:
    """Who of ours holds the other side and asks this one; the operator's key, else his extension."""
    asker = call.legs.get(leg.asked_by or "")
    if asker is None:
        return None
    return keys.get(asker.extension or "") or asker.extension or asker.name


def show(at: datetime | None) -> str | None:
    """An instant as JSON has it."""
    return at.isoformat() if at is not None else None
