"""A real Chromium (Debian's), driven by playwright."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.peers.debian import Program, find_program
from tests.peers.missing import PeerMissing
from tests.peers.process import clean_environment
from tests.peers.workshop import make_folder, remove_folder

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
REMEDY = "apt-get install chromium, or: python -m tests.peers"
# The browser must not look for its makers' servers: a test talks to the loopback and to nobody else.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]
WAIT_MS = 45_000
"""However busy the machine is: what a test waits for is there by then, or never."""
expect.set_options(timeout=WAIT_MS)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A headless browser with a profile of its own; it ends with the test process, however that ends."""
    program = _find()
    home = make_folder("chromium")
    environment = clean_environment() | program.environment | {"HOME": str(home)}
    try:
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=program.path,
                args=[*FLAGS, f"--crash-dumps-dir={home}"],
                env=environment,
                timeout=2 * WAIT_MS,
            )
            try:
                yield browser
            finally:
                await browser.close()
    finally:
        remove_folder(home)


async def open_page(browser: Browser, size: ViewportSize = DESKTOP, language: str = "en") -> Page:
    """A page in a context of its own (no cookies of other tests): ``DESKTOP`` or ``PHONE`` wide."""
    phone = size == PHONE
    context = await browser.new_context(
        viewport=size, locale=language, is_mobile=phone, has_touch=phone, reduced_motion="reduce"
    )
    context.set_default_timeout(WAIT_MS)
    return await context.new_page()


def version() -> str:
    """What ``chromium --version`` says, and where it was found."""
    program = _find()
    done = subprocess.run(
        [program.path, "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env=clean_environment() | program.environment,
    )
    return f"{done.stdout.split()[1]} ({program.origin})"


def _find() -> Program:
    program = find_program("/usr/lib/chromium/chromium") or find_program("/usr/bin/chromium")
    if program is None:
        raise PeerMissing("chromium", "not installed", REMEDY)
    return program
