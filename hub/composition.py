"""The parts of a running hub, as handlers and jobs see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from hub.recordings.audit import Listenings

if TYPE_CHECKING:
    from hub.intake import Intake
    from hub.listeners import Listeners
    from hub.live import Live
    from hub.settings import Settings
    from hub.setup.live import LiveSetUp
    from storage.store import Store


@dataclass(slots=True)
class Hub:
    """One process. `setup.current` is the set-up snapshot now in force."""

    settings: Settings
    store: Store
    setup: LiveSetUp
    live: Live
    intake: Intake
    listeners: Listeners
    listenings: Listenings = field(default_factory=Listenings)


HUB: web.AppKey[Hub] = web.AppKey("hub")
