"""What the set-up says about where a touch came in, and who of ours stands behind an address."""

from __future__ import annotations

from dataclasses import dataclass

from hub.setup.snapshot import SetUp

FORM = "form:"
BY_HAND = "desk"


@dataclass(frozen=True, slots=True)
class Place:
    """A line's channel and team. Forms are lines too, named `form:KEY`; what people log by hand comes by `desk`."""

    channel: str
    team: str | None


def place_of(setup: SetUp, line: str) -> Place:
    """Where a touch of this line comes in; a line that is no longer set up keeps its name."""
    if line.startswith(FORM):
        form = setup.forms.get(line[len(FORM) :])
        return Place("webform", form.team if form else None)
    if line == BY_HAND:
        return Place("desk", None)
    found = setup.lines.get(line)
    return Place(found.channel, found.team) if found else Place("unknown", None)


def operator_named(setup: SetUp, name: str | None) -> str | None:
    """The operator whom a channel names by key, address or extension."""
    if not name:
        return None
    if name in setup.operators:
        return name
    return setup.operator_by_email(name) or setup.operator_by_extension(name)
