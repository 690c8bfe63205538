"""What handlers do again and again: act in a transaction as the visitor, and send the browser on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from aiohttp import web

from hub.actor import Actor
from hub.composition import HUB
from hub.desk.body import Body
from hub.desk.visitor import who
from hub.errors import NotFound
from hub.setup.snapshot import SetUp
from storage.unit import Unit

T = TypeVar("T")


async def act(request: web.Request, work: Callable[[Unit, SetUp, Actor], T]) -> T:
    """Do something in one transaction, as the visitor, under the set-up now in force."""
    hub, actor = request.app[HUB], who(request).actor
    setup = hub.setup.current
    return await hub.store.write(lambda unit: work(unit, setup, actor))


def see(location: str, said: str | None = None) -> web.Response:
    """303: the browser fetches `location`, which then says what was done."""
    if said:
        base, hash_sign, fragment = location.partition("#")
        location = f"{base}{'&' if '?' in base else '?'}said={said}{hash_sign}{fragment}"
    return web.Response(status=303, headers={"Location": location})


def local_path(written: str, otherwise: str = "/desk") -> str:
    """A path on this site and nothing else, whatever somebody wrote into a link."""
    fits = written.startswith("/") and not written.startswith(("//", "/\\"))
    return written if fits and not any(ord(letter) < 33 for letter in written) else otherwise


def back(body: Body, otherwise: str) -> str:
    """Where the form wants to go on."""
    return local_path(body.text("next"), otherwise)


def number_of(request: web.Request, name: str = "id") -> int:
    """A row number from the path."""
    written = request.match_info[name]
    if not written.isdigit() or len(written) > 18:
        raise NotFound("There is nothing at this address.")
    return int(written)


def here_with(request: web.Request) -> Callable[..., str]:
    """For templates: this page's address with some parameters changed, None taking one away."""

    def changed(**changes: object) -> str:
        query = {name: value for name, value in request.query.items() if name not in ("said", *changes)}
        query |= {name: str(value) for name, value in changes.items() if value is not None}
        return str(request.rel_url.with_query(query))

    return changed


def span(seconds: float) -> timedelta:
    """For templates."""
    return timedelta(seconds=seconds)
