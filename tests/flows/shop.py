"""Somebody else's website with our chat on it, beside a whole hub: for the flows of the website chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page

from hub.access.tickets import make_ticket
from hub.app import open_hub
from hub.composition import Hub
from hub.settings import Settings
from tests.flows.house import EVERYTHING, OFFICE, bring
from tests.peers.chromium import DESKTOP, PHONE, open_page
from tests.peers.workshop import free_port

WORLD = OFFICE.replace('languages = ["ru", "en"]', 'languages = ["ru", "uk", "pl", "en"]')
POLICY = (
    "default-src 'none'; script-src {hub}; connect-src {hub}; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'"
)


@dataclass(slots=True)
class Shop:
    """A site on another origin than the hub. `policy` is its Content-Security-Policy, `tag` is for the script's tag."""

    url: str = ""
    hub: str = ""
    policy: str = ""
    language: str = "ru"
    line: str = "site"
    tag: str = ""
    faults: list[str] = field(default_factory=list)

    async def show(self, request: web.Request) -> web.Response:
        """Any page of it."""
        html = (
            f'<!doctype html><html lang="{self.language}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title>'
            '<body><h1>Shop</h1><a href="/next">next</a> <button data-touchline-chat="site">Ask us</button>'
            f'<script src="{self.hub}/chat/{self.line}.js" {self.tag} async></script>'
        )
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": self.policy})

    async def visit(self, browser: Browser, *, phone: bool = False, path: str = "/", language: str = "") -> Page:
        """A visitor with a browser of his own; what the browser complains of is in `faults`."""
        page = await open_page(browser, PHONE if phone else DESKTOP, language or self.language)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self._hear(said))
        await page.goto(self.url + path)
        return page

    def _hear(self, said: ConsoleMessage) -> None:
        lost = ("ERR_CONNECTION", "status of 4", "ERR_INCOMPLETE", "ERR_EMPTY", "ERR_NETWORK", "ERR_SOCKET")
        if said.type in {"error", "warning"} and not any(one in said.text for one in lost):
            self.faults.append(said.text)


@asynccontextmanager
async def open_shop(hub_url: str) -> AsyncIterator[Shop]:
    """The site is served inside the block."""
    shop = Shop(hub=hub_url, policy=POLICY.format(hub=hub_url))
    app = web.Application()
    app.router.add_get("/{page:.*}", shop.show)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.url = f"http://localhost:{runner.addresses[0][1]}"
    try:
        yield shop
    finally:
        await runner.cleanup()


def chat_line(shop: Shop, more: str = "") -> str:
    """The set-up of its chat."""
    return f'[line.site]\nchannel = "chat"\nteam = "support"\norigins = ["{shop.url}"]\n{more}\n'


@dataclass(slots=True)
class Counter:
    """A hub that can be stopped and started again at the same address, its home and database staying."""

    settings: Settings
    hub: Hub | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"http://{self.settings.listen}"

    @property
    def running(self) -> Hub:
        assert self.hub is not None
        return self.hub

    async def start(self) -> None:
        """Open."""
        ready = asyncio.Event()
        self._stop.clear()

        async def run() -> None:
            async with open_hub(self.settings, EVERYTHING) as (self.hub, _):
                ready.set()
                await self._stop.wait()

        self._task = asyncio.create_task(run())
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Close."""
        self._stop.set()
        if self._task is not None:
            await self._task
        self.hub = None

    async def link(self, operator: str) -> str:
        """A one-time address by which somebody signs in at his desk."""
        secret = await self.running.store.write(lambda unit: make_ticket(unit, "sign_in", operator))
        return f"{self.address}/sign-in/once/{secret}"


@asynccontextmanager
async def open_counter(
    home: Path, url: str, more: str = "", office: str = WORLD
) -> AsyncIterator[tuple[Counter, Shop]]:
    """A hub and a shop that has its chat."""
    listen = f"127.0.0.1:{free_port()}"
    settings = Settings(home=home, database_url=url, listen=listen)
    async with open_shop(f"http://{listen}") as shop:
        await asyncio.to_thread(bring, settings, f"{office}\n{chat_line(shop, more)}")
        counter = Counter(settings)
        await counter.start()
        try:
            yield counter, shop
        finally:
            await counter.stop()


@asynccontextmanager
async def at_desk(
    browser: Browser, counter: Counter, operator: str = "anna", language: str = "ru"
) -> AsyncIterator[Page]:
    """An operator at his desk, who hears what happens."""
    page = await open_page(browser, DESKTOP, language)
    await page.goto(await counter.link(operator))
    await page.wait_for_selector("html[data-live=on]", state="attached")
    yield page
    await page.context.close()
