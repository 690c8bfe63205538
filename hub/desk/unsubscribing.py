"""Page for clients: stop mailings, by its button or by a mail program's one click (RFC 8058). Nobody signs in."""

from __future__ import annotations

from aiohttp import web

from hub.actions.consents import Mailing, find_mailing, stop_mailings
from hub.composition import HUB
from hub.desk.body import read_body
from hub.desk.pages import show_outside, speech_of
from hub.errors import NotFound
from hub.mailings import is_proved

ONE_CLICK = "List-Unsubscribe=One-Click"


async def show(request: web.Request) -> web.StreamResponse:
    """GET /unsubscribe/{reference}/{signature}: asks first, for mail scanners follow every link."""
    mailing = await _mailing_of(request)
    return show_outside(request, "unsubscribe.html", mailing=mailing, done=mailing.stopped)


async def stop(request: web.Request) -> web.StreamResponse:
    """POST /unsubscribe/{reference}/{signature}: at once. The address is the proof, so any origin may."""
    mailing, hub = await _mailing_of(request), request.app[HUB]
    by_machine = (await read_body(request)).text("List-Unsubscribe") == "One-Click"
    words = ONE_CLICK if by_machine else speech_of(request).say("I do not want mailings to this address any more.")
    setup = hub.setup.current
    await hub.store.write(lambda unit: stop_mailings(unit, setup, mailing, words))
    return show_outside(request, "unsubscribe.html", mailing=mailing, done=True)


async def _mailing_of(request: web.Request) -> Mailing:
    """Raises `NotFound` for an address that is not ours."""
    hub, reference = request.app[HUB], request.match_info["reference"]
    if not is_proved(hub.settings.secret, reference, request.match_info["signature"]):
        raise NotFound("There is nothing at this address.")
    found = await hub.store.read(lambda connection: find_mailing(connection, reference))
    if found is None:
        raise NotFound("There is nothing at this address.")
    return found
