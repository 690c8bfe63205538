"""Which lines are telephone exchanges, and what they tell the hub to obey."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from channels.exchange import ExchangeSettings
from hub.setup.lines import Line, find_channel
from hub.setup.snapshot import SetUp

_KEYS = frozenset(ExchangeSettings.model_fields) - {"route_token"}

_MOST = 100
_READ: dict[int, tuple[Line, ExchangeSettings]] = {}


def is_exchange(line: Line) -> bool:
    """Whether a line is a telephone exchange of whatever make."""
    module = find_channel(line.channel)
    return module is not None and issubclass(module.Settings, ExchangeSettings)


def rules_of(line: Line) -> ExchangeSettings:
    """What it tells the hub to obey, secrets left out; what cannot be read is as if it were not set.

    A line never changes (another takes its place), so it is read once.
    """
    known = _READ.get(id(line))
    if known is None or known[0] is not line:
        if len(_READ) >= _MOST:
            _READ.clear()
        known = _READ[id(line)] = (line, _read(line))
    return known[1]


def _read(line: Line) -> ExchangeSettings:
    try:
        return ExchangeSettings.model_validate({key: value for key, value in line.own.items() if key in _KEYS})
    except ValidationError:
        return ExchangeSettings()


def exchanges(setup: SetUp) -> Iterator[tuple[str, Line]]:
    """Those that the hub listens to."""
    return ((key, line) for key, line in setup.lines.items() if line.listens and is_exchange(line))


def team_of_queue(setup: SetUp, line: str, queue: str) -> str | None:
    """Our team that answers a queue of the PBX; that of the line where nothing else is said."""
    found = setup.lines.get(line)
    if found is None:
        return None
    return rules_of(found).queues.get(queue) or found.team
