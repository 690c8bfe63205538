"""A whole hub that dies by SIGKILL while webhooks are posted: `python -m tests.flows.crash_webhooks HOME URL PORT`.

For every messenger with a webhook and every point, a process of its own is called and dies there; the vendor hears no
answer. One more process lives: everything unheard is posted to it again, and then all of it once more. Prints a line
for each death, and at the end what was acknowledged.

Points: "reading" (a touch is read, nothing is written), "committing" (all is written, nothing is committed) and
"committed" (it is in the log, nobody was told).
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event

from channels.contract import Accepted
from channels.touch import Touch, Webhook
from hub.app import open_hub
from hub.intake import Intake
from hub.settings import Settings
from tests.channels.max import vendor as max_vendor
from tests.channels.vk import vendor as vk_vendor
from tests.flows.house import EVERYTHING, OFFICE, bring
from tests.peers import viber, whatsapp

POINTS = ("reading", "committing", "committed")
NOBODY = "http://127.0.0.1:9"
"""The vendors themselves are not there: what they push is heard all the same."""
LINES = f"""
[line.whatsapp]
channel = "whatsapp"
team = "support"
token = "{whatsapp.TOKEN}"
secret = "{whatsapp.SECRET}"
verify_token = "{whatsapp.VERIFY_TOKEN}"
phone_number_id = {whatsapp.NUMBER_ID}
base_url = "{NOBODY}"

[line.viber]
channel = "viber"
team = "support"
token = "{viber.TOKEN}"
base_url = "{NOBODY}"

[line.vk]
channel = "vk"
team = "support"
token = "{vk_vendor.TOKEN}"
secret = "{vk_vendor.SECRET}"
group_id = {vk_vendor.GROUP}
base_url = "{NOBODY}"

[line.max]
channel = "max"
team = "support"
token = "{max_vendor.TOKEN}"
secret = "{max_vendor.SECRET}"
base_url = "{NOBODY}"
"""
_START_S = 60.0

Says = Callable[[str], Webhook]


def messengers() -> dict[str, Says]:
    """What brings a text to each line. WhatsApp brings two messages in one call."""
    graph, bot, community, dialog = whatsapp.GraphApi(), viber.Viber(), vk_vendor.Vendor(), max_vendor.Vendor()

    def two(text: str) -> Webhook:
        said = (f"{text}, one", f"{text}, two")
        return whatsapp.webhook(graph.body(messages=[graph.message(text={"body": one}) for one in said]))

    return {
        "whatsapp": two,
        "viber": lambda text: viber.webhook(bot.said(text)),
        "vk": lambda text: vk_vendor.call(community.message(text)),
        "max": lambda text: max_vendor.call(dialog.message(text)),
    }


def texts_of(line: str, point: str) -> list[str]:
    """What must be in the log of one death."""
    said = f"{line}, {point}"
    return [f"{said}, one", f"{said}, two"] if line == "whatsapp" else [said]


def die(*_: Any) -> None:
    """As power cuts and the kernel's memory killer do it."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str) -> None:
    """The next touch kills this process at the point."""
    deliver = Intake.deliver

    async def delivering(self: Intake, touch: Touch) -> Accepted:
        if point == "reading":
            die()
        if point == "committing":
            event.listen(self._store.engines.writer, "commit", die)
        accepted = await deliver(self, touch)
        die()
        return accepted

    Intake.deliver = delivering  # type: ignore[method-assign]


async def serve(settings: Settings) -> None:
    """A hub until it is killed."""
    async with open_hub(settings, EVERYTHING):
        await asyncio.Event().wait()


@contextlib.contextmanager
def hub(settings: Settings, point: str | None) -> Iterator[int]:
    """A hub in a process of its own, up; its number."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            if point is not None:
                arm(point)
            asyncio.run(serve(settings))
        os._exit(1)
    try:
        _wait_until_up(settings)
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _wait_until_up(settings: Settings) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if ask(settings, "GET", "/healthz") == 200:
                return
        if time.monotonic() > deadline:
            sys.exit("a hub did not come up")
        time.sleep(0.02)


def ask(settings: Settings, method: str, path: str, call: Webhook | None = None) -> int:
    """The status of one request; raises what a connection that breaks raises."""
    host, _, port = settings.listen.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        body, headers = (call.body, dict(call.headers)) if call is not None else (None, {})
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def push(settings: Settings, line: str, call: Webhook) -> int | None:
    """What the vendor hears; None when the connection broke."""
    try:
        return ask(settings, "POST", f"/hooks/{line}", call)
    except (OSError, http.client.HTTPException):
        return None


def main() -> None:
    home, url, port = sys.argv[1:]
    settings = Settings(home=Path(home), database_url=url, listen=f"127.0.0.1:{port}", log_level="error")
    bring(settings, OFFICE + LINES)
    unheard: list[tuple[str, Webhook]] = []
    for line, say in messengers().items():
        for point in POINTS:
            call = say(f"{line}, {point}")
            with hub(settings, point) as child:
                answered = push(settings, line, call)
                _, status = os.waitpid(child, 0)
            if answered is not None or not os.WIFSIGNALED(status):
                sys.exit(f"{line} {point}: answered {answered}, ended with {status}")
            print("died", line, point, flush=True)
            unheard.append((line, call))
    with hub(settings, None):
        for line, call in (*unheard, *unheard):
            answered = push(settings, line, call)
            if answered != 200:
                sys.exit(f"{line}: answered {answered}")
        print("acknowledged", len(unheard), flush=True)


if __name__ == "__main__":
    main()
