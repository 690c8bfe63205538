"""Messages a second through an SMSC, in and out, beside aiosmpplib doing the same alone.

Our scripted SMSC runs in another process. In: the library parses, counts and acknowledges; ours hands in and keeps what
tells repeats apart. Out: through the library's queue, and by us with our notes in the line's memory. Also what a text
costs to be measured, which the desk does at every key.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

import aiosmpplib

from channels.contract import Accepted
from channels.sms import measure
from channels.sms.settings import Settings, SmppSettings
from channels.sms.smpp import SmppChannel
from channels.touch import Identity, Message, Touch
from tests.channels.door import FakeDoor
from tests.peers.smsc import Smsc, body

IN = 1_500
OUT = 600
WINDOW = 10
ROUNDS = 2
TEXT = "Здравствуйте! Сколько стоит доставка? Заказ {}"


class _CountingDoor(FakeDoor):
    """Accepts and forgets."""

    async def _deliver(self, touch: Touch) -> Accepted:
        self.touches.append(touch)
        return Accepted(1)


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        smsc = Smsc()
        await smsc.start()
        pipe.send(smsc.port)
        while await asyncio.to_thread(pipe.recv) == "more":
            smsc.push(*(body(TEXT.format(n).encode("utf-16-be"), coding=8) for n in range(IN)))
            pipe.send("there")
        await smsc.stop()

    asyncio.run(serve())


@contextmanager
def _server() -> Iterator[tuple[int, Connection]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        ours.send("enough")
        process.join(10)


async def _fill(pipe: Connection) -> None:
    pipe.send("more")
    await asyncio.to_thread(pipe.recv)


def _channel(port: int, door: FakeDoor) -> SmppChannel:
    told = {"gateway": "smpp", "host": "127.0.0.1", "port": port, "system_id": "hub", "password": "secret"}
    settings = Settings.model_validate({**told, "window": WINDOW})
    assert isinstance(settings, SmppSettings)
    return SmppChannel("sms", settings, door.door())


async def _in_by_us(port: int, pipe: Connection) -> float:
    await _fill(pipe)
    door = _CountingDoor()
    channel = _channel(port, door)
    began = time.perf_counter()
    listening = asyncio.create_task(channel.listen())
    while len(door.touches) < IN:
        await asyncio.sleep(0.002)
    spent = time.perf_counter() - began
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await channel.close()
    return IN / spent


class _Counter(aiosmpplib.AbstractHook):
    """Counts what the library hears."""

    def __init__(self) -> None:
        self.heard: dict[str, int] = {}

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None: ...

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        name = type(smpp_message).__name__
        self.heard[name] = self.heard.get(name, 0) + 1

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None: ...


def _bare(port: int, counter: _Counter) -> Any:
    return aiosmpplib.ESME(
        "127.0.0.1",
        port,
        "hub",
        "secret",
        hook=counter,
        log_level=logging.CRITICAL,
        log_handler=logging.NullHandler(),
    )


async def _run_bare(esme: Any, counter: _Counter, kind: str, count: int) -> float:
    began = time.perf_counter()
    running = asyncio.create_task(esme.start())
    while counter.heard.get(kind, 0) < count:
        await asyncio.sleep(0.002)
    spent = time.perf_counter() - began
    await asyncio.sleep(0.1)
    await esme.stop()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    if esme._writer is not None:
        esme._writer.close()
    return count / spent


async def _in_by_the_library(port: int, pipe: Connection) -> float:
    await _fill(pipe)
    counter = _Counter()
    return await _run_bare(_bare(port, counter), counter, "DeliverSm", IN)


async def _out_by_us(port: int) -> float:
    channel, numbers = _channel(port, FakeDoor()), iter(range(OUT))
    to, at = (Identity("phone", "+79161234567"),), datetime(2026, 11, 21, tzinfo=UTC)

    async def send() -> None:
        for number in numbers:
            await channel.send(Message(f"r{number}", to, TEXT.format(number), at))

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(WINDOW)))
    spent = time.perf_counter() - began
    await channel.close()
    return OUT / spent


async def _out_by_the_library(port: int) -> float:
    counter = _Counter()
    esme = _bare(port, counter)
    for number in range(OUT):
        message: Any = aiosmpplib.SubmitSm(
            short_message=TEXT.format(number),
            source=aiosmpplib.PhoneNumber("7000"),
            destination=aiosmpplib.PhoneNumber("79161234567"),
            auto_message_payload=False,
            esm_class=0x40,
        )
        await esme.broker.enqueue(message)
    return await _run_bare(esme, counter, "SubmitSmResp", OUT)


def _measuring() -> float:
    texts = [TEXT.format(number) * 3 for number in range(2_000)]
    began = time.perf_counter()
    for text in texts:
        measure(text)
    return (time.perf_counter() - began) / len(texts) * 1e6


def run() -> list[tuple[str, str]]:
    """Rows of name and figure."""
    best = dict.fromkeys(("in", "bare in", "out", "bare out"), 0.0)
    with _server() as (port, pipe):
        for _ in range(ROUNDS):
            best["in"] = max(best["in"], asyncio.run(_in_by_us(port, pipe)))
            best["bare in"] = max(best["bare in"], asyncio.run(_in_by_the_library(port, pipe)))
            best["out"] = max(best["out"], asyncio.run(_out_by_us(port)))
            best["bare out"] = max(best["bare out"], asyncio.run(_out_by_the_library(port)))
    return [
        ("SMS in over SMPP", f"{best['in']:.0f}/s, {best['in'] / best['bare in']:.0%} of the bare library"),
        ("SMS out over SMPP", f"{best['out']:.0f}/s, {best['out'] / best['bare out']:.0%} of the bare library"),
        ("what a text of three parts costs", f"{_measuring():.0f} µs"),
    ]


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name}: {figure}")
