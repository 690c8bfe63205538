"""The web forms' door: hosted page, snippet for any site, and a plain lead endpoint; three ways in, one road.

    app.add_routes(webforms.routes(door))

Knows channels (the touch) and aiohttp, but no hub, no database, no routing: what it needs comes in as a `FormsDoor`.
"""

from __future__ import annotations

from aiohttp import web

from webforms import assets
from webforms.door import Company, FormsDoor
from webforms.embed import Embed
from webforms.form import Forms
from webforms.intake import Intake
from webforms.pages import Pages
from webforms.replay import parse_again
from webforms.sender import client_address
from webforms.settings import FormSettings

__all__ = ["Company", "FormSettings", "FormsDoor", "client_address", "parse_again", "routes"]


def routes(door: FormsDoor) -> list[web.RouteDef]:
    """Everything under `/forms` and `/embed`."""
    forms = Forms(door.find)
    pages = Pages(door, forms)
    intake = Intake(door, forms, pages)
    embed = Embed(door, forms)
    return [
        web.post("/forms/{key}", intake.post),
        web.options("/forms/{key}", intake.ask),
        web.get("/forms/{key}", pages.show),
        web.get("/forms/{key}/thanks", pages.thank),
        web.get("/forms/{key}/token", pages.token),
        web.get("/forms/-/{name}", assets.serve),
        web.get(r"/embed/{key:[^/]+}.js", embed.serve),
    ]
