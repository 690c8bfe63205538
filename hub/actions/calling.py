"""What operators do with their telephones: call, hand over, hang up, pause, wrap up. An operator acts for himself, a
supervisor (or a program with that role) for anyone.

All of it is done by the exchange at once or refused, never later. Raises, in the hub's words: `NotFound`, `BadInput`,
`Forbidden`, `Conflict` (the exchange refuses, or the call is over), `Unavailable` (the exchange is away, or has not
answered: the message says whether anything was done).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from channels.touch import Direction, Kind, Touch
from hub.actions import finding
from hub.actor import Actor
from hub.composition import Hub
from hub.errors import BadInput, Conflict, Forbidden, NotFound
from hub.journal import note
from hub.setup.problem import suggest
from hub.telephony import wrapping
from hub.telephony.exchanges import exchanges, rules_of
from hub.telephony.orders import order
from hub.telephony.picture import OperatorNow, read_picture
from hub.telephony.wrap_up import REASON
from storage import models

Row = Mapping[str, Any]


async def call(hub: Hub, actor: Actor, operator: str, number: str) -> str:
    """Ring the operator, then dial `number` (as written, E.164, or an extension); answers the call's external id.

    The call becomes an interaction of that `external_id` as soon as the operator's telephone rings.
    """
    phone = await _phone_of(hub, actor, operator)
    line = _line_of(hub, phone)
    found: str = await order(hub, line, "call", extension=phone.extension, number=number.strip())
    await _note(hub, actor, "called", "operator", operator, {"number": number, "line": line, "call": found})
    return found


async def transfer(hub: Hub, actor: Actor, interaction: int, to: str, attended: bool = False) -> None:
    """Hand the other side over to `to`: an operator's key, an extension or a number. Attended: talk to `to` first."""
    found = await _find_call(hub, actor, interaction)
    extension = found.extension_of(actor)
    wanted = _whereto(hub, to)
    await order(hub, found.line, "transfer", call=found.external_id, extension=extension, to=wanted, attended=attended)
    await _note(hub, actor, "transferred", "interaction", interaction, {"to": to, "attended": attended})


async def take_back(hub: Hub, actor: Actor, interaction: int) -> None:
    """Leave whom the operator talks to before handing over, and go back to the other side."""
    found = await _find_call(hub, actor, interaction)
    await order(hub, found.line, "take_back", call=found.external_id, extension=found.asker_of(actor))
    await _note(hub, actor, "taken_back", "interaction", interaction, {})


async def redirect(hub: Hub, actor: Actor, interaction: int, to: str) -> None:
    """Send the other side of a call that rings or waits elsewhere; an operator may also take it to himself."""
    wanted = _whereto(hub, to)
    own = hub.setup.current.operators.get(actor.operator or "")
    found = await _find_call(hub, actor, interaction, anybodys=own is not None and own.extension == wanted)
    await order(hub, found.line, "redirect", call=found.external_id, to=wanted)
    await _note(hub, actor, "redirected", "interaction", interaction, {"to": to})


async def hang_up(hub: Hub, actor: Actor, interaction: int) -> None:
    """End an operator's own part of a call (a call that rings is declined); a supervisor ends the whole call."""
    found = await _find_call(hub, actor, interaction)
    own = found.extensions.get(actor.operator or "")
    await order(hub, found.line, "hang_up", call=found.external_id, extension=own)
    await _note(hub, actor, "hung_up", "interaction", interaction, {"extension": own})


async def pause_recording(hub: Hub, actor: Actor, interaction: int, paused: bool) -> None:
    """Record silence while card numbers are spoken, and the voice again."""
    found = await _find_call(hub, actor, interaction)
    await order(hub, found.line, "pause_recording", call=found.external_id, paused=paused)
    await hub.intake.deliver(_silence(found, paused, hub.store.now()))
    action = "recording_paused" if paused else "recording_resumed"
    await _note(hub, actor, action, "interaction", interaction, {})


async def pause(hub: Hub, actor: Actor, operator: str, reason: str = "") -> None:
    """No calls from any queue until he is unpaused. `reason` is shown to supervisors (lunch, training, …)."""
    phone = await _phone_of(hub, actor, operator)
    if reason == REASON:
        raise BadInput("this word is the hub's own", field="reason", remedy="use another one")
    await order(hub, _line_of(hub, phone), "pause", extension=phone.extension, reason=reason)
    await _note(hub, actor, "paused", "operator", operator, {"reason": reason})


async def unpause(hub: Hub, actor: Actor, operator: str) -> None:
    """Calls again; ends a wrap-up, too."""
    phone = await _phone_of(hub, actor, operator)
    await wrapping.finish(hub, operator)
    await order(hub, _line_of(hub, phone), "unpause", extension=phone.extension)
    await _note(hub, actor, "unpaused", "operator", operator, {})


async def log_in(hub: Hub, actor: Actor, operator: str, queue: str) -> None:
    """Make him a member of a queue of the exchange; already being one is no error."""
    phone = await _phone_of(hub, actor, operator)
    line = _line_of(hub, phone, queue)
    name = hub.setup.current.operators[operator].name
    await order(hub, line, "log_in", extension=phone.extension, queue=queue, name=name)
    await _note(hub, actor, "logged_in", "operator", operator, {"queue": queue, "line": line})


async def log_out(hub: Hub, actor: Actor, operator: str, queue: str) -> None:
    """End the membership; not being a member is no error."""
    phone = await _phone_of(hub, actor, operator)
    line = _line_of(hub, phone, queue)
    await order(hub, line, "log_out", extension=phone.extension, queue=queue)
    await _note(hub, actor, "logged_out", "operator", operator, {"queue": queue, "line": line})


async def finish_wrap_up(hub: Hub, actor: Actor, operator: str) -> float | None:
    """He is done with his last call; answers for how many seconds he was at it, None if he was not."""
    _check_whose(actor, operator)
    finding.check_operator(hub.setup.current, operator, "operator")
    seconds = await wrapping.finish(hub, operator)
    if seconds is not None:
        await _note(hub, actor, "wrapped_up", "operator", operator, {"seconds": seconds})
    return seconds


def _check_whose(actor: Actor, operator: str) -> None:
    if actor.operator != operator and not actor.may("supervisor"):
        raise Forbidden("this is somebody else's telephone", remedy="ask a supervisor")


async def _phone_of(hub: Hub, actor: Actor, operator: str) -> OperatorNow:
    """His telephone as it is now. Raises `Forbidden`, and `BadInput` when he has none."""
    _check_whose(actor, operator)
    setup, now = hub.setup.current, hub.store.now()
    finding.check_operator(setup, operator, "operator")
    picture = await hub.store.read(lambda connection: read_picture(connection, setup, now))
    phone = picture.of(operator)
    if phone is None:
        raise BadInput(
            "%(operator)s has no extension",
            field="operator",
            remedy="Set operator.%(operator)s.extension.",
            operator=operator,
        )
    return phone


def _line_of(hub: Hub, phone: OperatorNow, queue: str | None = None) -> str:
    """The exchange on which he is seen; of several that have such a queue, or of which nothing is seen, the first."""
    lines = dict(exchanges(hub.setup.current))
    if not lines:
        raise Conflict("there is no telephone line", remedy='Import a line with channel = "asterisk".')
    having = [key for key, line in lines.items() if queue is not None and queue in rules_of(line).queues]
    if having and phone.line not in having:
        return having[0]
    if queue is not None and not having and any(rules_of(line).queues for line in lines.values()):
        known = [name for line in lines.values() for name in rules_of(line).queues]
        raise BadInput(
            "no telephone line has a queue %(queue)r", field="queue", remedy=suggest(queue, known), queue=queue
        )
    return phone.line if phone.line is not None and phone.line in lines else next(iter(lines))


def _whereto(hub: Hub, to: str) -> str:
    """An operator's key becomes his extension; numbers are the exchange's to judge."""
    wanted = to.strip()
    operator = hub.setup.current.operators.get(wanted)
    if operator is None:
        return wanted
    if not operator.extension:
        raise BadInput(
            "%(operator)s has no extension", field="to", remedy="Set operator.%(operator)s.extension.", operator=wanted
        )
    return operator.extension


@dataclass(frozen=True, slots=True)
class _LiveCall:
    """A call that lasts. `extensions` are those of the operators whose telephones ring or talk in it now, `askers` are
    the operators who hold the other side and ask somebody."""

    line: str
    external_id: str
    operator: str | None
    extensions: Mapping[str, str]
    direction: str
    silences: Sequence[Mapping[str, Any]] = ()
    askers: Sequence[str] = ()

    def extension_of(self, actor: Actor) -> str:
        """By whose channel it is handed over: the actor's own, else that of who talks."""
        for key in (actor.operator, self.operator, *self.extensions):
            if key is not None and key in self.extensions:
                return self.extensions[key]
        raise Conflict("no operator is in this call", remedy="Redirect it instead.")

    def asker_of(self, actor: Actor) -> str:
        """By whose channel somebody is asked: the actor's own, else that of who asks."""
        for key in (actor.operator, *self.askers):
            if key is not None and key in self.askers and key in self.extensions:
                return self.extensions[key]
        raise Conflict("nobody is asked in this call before it is handed over")


async def _find_call(hub: Hub, actor: Actor, interaction: int, *, anybodys: bool = False) -> _LiveCall:
    """Raises `NotFound`, `Conflict` when it is over, and `Forbidden` when the actor has no part in it."""
    row = await hub.store.read(lambda connection: _read_row(connection, interaction))
    if row["kind"] != "call" or row["external_id"] is None:
        raise Conflict("this is no call of a telephone line")
    if row["ended_at"] is not None:
        raise Conflict("this call is over")
    setup = hub.setup.current
    legs = [leg for leg in (row["call"] or {}).get("legs") or () if leg.get("ended_at") is None]
    extensions = {leg["operator"]: leg["extension"] for leg in legs if leg.get("operator") and leg.get("extension")}
    talking = row["operator"]
    if talking in setup.operators and talking not in extensions and setup.operators[talking].extension:
        extensions[talking] = str(setup.operators[talking].extension)
    if not anybodys and actor.operator not in extensions and not actor.may("supervisor"):
        raise Forbidden("this is somebody else's call", remedy="ask a supervisor")
    silences = (row["call"] or {}).get("recording_pauses") or ()
    askers = [leg["asked_by"] for leg in legs if leg.get("asked_by")]
    return _LiveCall(row["line"], row["external_id"], talking, extensions, row["direction"], silences, askers)


def _silence(call: _LiveCall, paused: bool, at: datetime) -> Touch:
    """The phase that tells the log where the recording is silent: `call.recording_pauses`, the last open-ended."""
    known = [dict(one) for one in call.silences]
    if paused and not (known and known[-1].get("to") is None):
        known.append({"from": at.isoformat(), "to": None})
    elif not paused and known and known[-1].get("to") is None:
        known[-1]["to"] = at.isoformat()
    phase = "recording_paused" if paused else "recording_resumed"
    return Touch(
        line=call.line,
        event_key=f"{call.external_id}:{phase}:{at.isoformat()}"[:300],
        kind=Kind.CALL,
        direction=Direction(call.direction),
        at=at,
        external_id=call.external_id,
        phase=phase,
        call={"recording_pauses": known},
    )


def _read_row(connection: Connection, interaction: int) -> Row:
    table = models.interaction
    row = connection.execute(select(table).where(table.c.id == interaction)).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no interaction %(number)s", number=interaction)
    return dict(row)


async def _note(hub: Hub, actor: Actor, action: str, subject: str, number: int | str, data: dict[str, Any]) -> None:
    await hub.store.write(lambda unit: note(unit, actor, action, subject, number, data))
