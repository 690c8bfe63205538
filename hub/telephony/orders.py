"""Orders to an exchange from any process: done at once by the process that listens on the line, or not at all.

In the same process they are plain calls. Between processes an order is a row: the live bus says that it is there, the
listening process takes it (nobody takes it twice), and its answer comes back the same way. Whoever asks waits a few
seconds; what nobody has begun by then is withdrawn, and refused. Nothing is ever done late.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from channels.contract import Telephone
from channels.errors import BadSettings, ChannelError
from hub.composition import Hub
from hub.errors import Conflict, Unavailable
from storage.events import Event
from storage.repositories import phone_orders as rows
from storage.store import Store

log = structlog.get_logger(__name__)

BEGIN_S = 3.0
"""Within this an order is begun, or withdrawn."""
FINISH_S = 15.0
"""Within this whoever has begun it answers: an exchange is waited for ten seconds."""
_LOOK_S = 0.5
_SKEW_S = 5.0
"""Clocks of two machines differ; who asked withdraws by his own, this is for when he has died."""
ACTIONS = frozenset(
    (
        *("call", "transfer", "take_back", "redirect", "hang_up", "pause", "unpause", "log_in", "log_out"),
        *("pause_recording", "routed"),
    )
)


async def order(hub: Hub, line: str, action: str, **arguments: Any) -> Any:
    """Let an exchange do something: `action` is a method of `Telephone`, `arguments` are its own.

    Raises `Unavailable` (not done, or not known to be done: the message says which) and `Conflict` (refused).
    """
    assert action in ACTIONS
    telephone = listening(hub, line)
    if telephone is not None:
        try:
            return await carry_out(telephone, action, arguments)
        except ChannelError as error:
            raise told(type(error).__name__, error.reason, error.remedy) from error
    return _read_answer(await _ask(hub, line, action, arguments))


def listening(hub: Hub, line: str) -> Telephone | None:
    """The exchange of a line, if this process listens on it."""
    if not hub.listeners.listens_to(line):
        return None
    try:
        channel = hub.listeners.channel_of(line)
    except BadSettings:
        return None
    return channel if isinstance(channel, Telephone) else None


async def carry_out(telephone: Telephone, action: str, arguments: Mapping[str, Any]) -> Any:
    """Raises `ChannelError`."""
    found = getattr(telephone, action)(**arguments)
    return await found if isinstance(found, Awaitable) else found


def _nobody() -> Unavailable:
    return Unavailable(
        "nobody listens on this telephone line just now; nothing was done",
        remedy="Look at the line; try again when it runs.",
    )


def told(kind: str, reason: str, remedy: str | None) -> Unavailable | Conflict:
    """A channel's error in the hub's words."""
    refused = Conflict if kind in ("Rejected", "OptedOut") else Unavailable
    return refused("%(reason)s", remedy="%(what_to_do)s" if remedy else None, reason=reason, what_to_do=remedy)


async def _ask(hub: Hub, line: str, action: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Write the order down and wait for its answer; None when it was begun and is still not answered."""
    number = secrets.token_hex(16)
    until = hub.store.now() + timedelta(seconds=BEGIN_S + _SKEW_S)
    async with hub.live.listen() as queue:
        if not await hub.store.write(lambda unit: rows.place(unit, number, line, action, dict(arguments), until)):
            raise _nobody()
        try:
            if (answer := await _wait(hub, queue, number, BEGIN_S)) is not None:
                return answer
            if await hub.store.write(lambda unit: rows.withdraw(unit, number)):
                raise _nobody()
            return await _wait(hub, queue, number, FINISH_S)
        finally:
            await hub.store.write(lambda unit: rows.forget(unit, number))


async def _wait(hub: Hub, queue: asyncio.Queue[Event | None], number: str, seconds: float) -> Mapping[str, Any] | None:
    """Look when the bus says so, and now and then without it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        if (answer := await hub.store.read(lambda connection: rows.find_answer(connection, number))) is not None:
            return answer
        try:
            async with asyncio.timeout(min(left, _LOOK_S)):
                while (event := await queue.get()) is not None:
                    if event.subject == "phone_order" and event.id == number:
                        break
        except TimeoutError:
            continue
    return await hub.store.read(lambda connection: rows.find_answer(connection, number))


def _read_answer(answer: Mapping[str, Any] | None) -> Any:
    if answer is None:
        raise Unavailable("the exchange has not answered in time; look whether it was done before you try again")
    if "error" in answer:
        raise told(answer["error"], answer.get("reason", ""), answer.get("remedy"))
    return answer.get("result")


class OrderTaker:
    """In a process that listens: carries out what other processes order."""

    def __init__(self, store: Store, name: str, telephone_of: Callable[[str], Telephone | None]) -> None:
        self._store = store
        self._name = name
        self._telephone_of = telephone_of
        self._at_work: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """What is being done is let go of; whoever asked is told that it is not known."""
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    def hear(self, event: Event) -> None:
        """What `Live.on_event` calls."""
        if event.subject != "phone_order" or event.what != "placed" or not isinstance(event.id, str):
            return
        line = event.id.partition(" ")[2]
        if self._telephone_of(line) is not None:
            task = asyncio.create_task(self._do(event.id.partition(" ")[0]))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

    async def _do(self, number: str) -> None:
        try:
            taken = await self._store.write(lambda unit: rows.take(unit, number, self._name))
            if taken is None:
                return
            answer = await self._answer(taken.line, taken.action, taken.arguments)
            await self._store.write(lambda unit: rows.answer(unit, number, answer))
        except Exception as error:  # the database is away: whoever asked is refused by the clock
            log.warning("order_not_done", order=number, error=repr(error))

    async def _answer(self, line: str, action: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        telephone = self._telephone_of(line)
        if telephone is None or action not in ACTIONS:
            return {"error": "Unreachable", "reason": "the line has stopped"}
        try:
            return {"result": await carry_out(telephone, action, arguments)}
        except ChannelError as error:
            return {"error": type(error).__name__, "reason": error.reason, "remedy": error.remedy}
        except Exception as error:
            log.exception("order_failed", line=line, action=action)
            return {"error": "Unreachable", "reason": f"unexpected error: {error!r}"}
