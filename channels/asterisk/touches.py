"""A phase of a call becomes a touch. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from channels import phone
from channels.asterisk.calls import Phase
from channels.touch import Direction, Identity, Kind, Touch

_QUOTED = re.compile(r"\\([\"'\\])")


def make_touch(line: str, region: str, phase: Phase, facts: Mapping[str, Any] | None = None) -> Touch:
    """The touch of one phase. Internal calls have no other side, hidden callers no identity.

    `facts` are those of the phase as the log is to have them; None = as they are.
    """
    call = phase.facts if facts is None else facts
    theirs = _shown(phase.number, region)
    ours, maker = phase.extension, call.get("from") or phase.maker
    if phase.direction is Direction.INBOUND:
        sides = {"from": theirs, "to": phase.did or None}
    elif phase.direction is Direction.OUTBOUND:
        sides = {"from": maker, "to": theirs}
    else:
        sides = {"from": maker, "to": phase.number or None}
    known = {key: value for key, value in sides.items() if value is not None or key not in call}
    return Touch(
        line=line,
        event_key=phase.key,
        kind=Kind.CALL,
        direction=phase.direction,
        at=phase.at,
        party=find_party(phase.number, phase.caller_name, region) if phase.direction is not Direction.INTERNAL else (),
        external_id=phase.call,
        operator=ours,
        phase=phase.name,
        call={**call, **known},
        remarks=phase.remarks,
    )


def find_party(number: str, name: str, region: str) -> tuple[Identity, ...]:
    """Who is on the other side; nobody when the number is hidden."""
    if phone.is_hidden(number):
        return ()
    found = phone.normalise(number, region)
    plain = _QUOTED.sub(r"\1", name).rstrip("\ufffd").strip()  # as SIP quotes it, and cut off by Asterisk in a letter
    shown = plain if not phone.is_hidden(plain) and plain != number.strip() else ""
    return (Identity(found.scheme, found.value, shown or None, found.odd),)


def _shown(number: str, region: str) -> str | None:
    return None if phone.is_hidden(number) else phone.normalise(number, region).value
