"""The same as `pop` with a living PBX: Asterisk, whose callers and telephones are sipp, the hub (SQLite) and Chromium
share this machine. The clock starts at the PBX's own time stamp of the event that says that a telephone rings.

Calls come to ten queues with one member each. The callers of the first five hang up while it rings, the others are
answered, talk for a second and hang up. All are recorded (MixMonitor), as most call-centres do.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from tests.bench.watching import (
    EXTENSIONS,
    Instants,
    Rows,
    cpu_seconds,
    ended,
    measure_pops,
    number_of,
    open_house,
    wait_for_the_end_of,
)
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_conf import SECRET
from tests.peers.sipp import Phones

RATES, SECONDS = (10, 25, 50), 20
_RING_MS, _TALK_MS = 450, 1_000
_ANSWER_MS = 500
"""So long Asterisk's Answer() waits for sound, which these callers do not send."""
_GIVING_UP, _TALKING = "701", "702"


def run(say: Callable[[str], None]) -> Rows:
    """Rows of name and figure."""
    rows: Rows = []
    for rate in RATES:
        say(f"{rate} calls/s")
        with tempfile.TemporaryDirectory() as folder, Asterisk(size=1, more=_configure) as pbx:
            rows += asyncio.run(_measure(Path(folder), pbx, rate))
    return rows


def _configure(pbx: Asterisk) -> Mapping[str, str]:
    """Ten telephones with a queue each; the caller's last digit says which."""
    silent, answering = pbx.outside_ports[0], pbx.desks[0].ports[0]
    phones = "".join(
        f"[{one}]\ntype=endpoint\ntransport=udp\ncontext={pbx.names.internal}\naors={one}\ndirect_media=no\n"
        f"allow=!all,ulaw\n[{one}]\ntype=aor\n"
        f"contact=sip:{one}@127.0.0.1:{silent if place < len(EXTENSIONS) / 2 else answering}\n"
        for place, one in enumerate(EXTENSIONS)
    )
    queues = "".join(
        f"[bench{place}]\nstrategy=ringall\ntimeout=15\nringinuse=yes\njoinempty=yes\nsetqueuevar=yes\n"
        f"member => PJSIP/{one}\n"
        for place, one in enumerate(EXTENSIONS)
    )
    plan = (
        f"[{pbx.names.inbound}](+)\nexten => _70[12],1,Answer()\n"
        f" same => n,MixMonitor({pbx.folder}/rec/${{UNIQUEID}}.wav,b)\n"
        " same => n,Queue(bench${CALLERID(num):-1},t,,,15)\n same => n,Hangup()\n"
    )
    return {"pjsip.conf": phones, "queues.conf": queues, "extensions.conf": plan}


async def _measure(home: Path, pbx: Asterisk, rate: int) -> Rows:
    line = (
        f'[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = {pbx.ami}\n'
        f'username = "hub"\nsecret = "{SECRET}"\n'
    )
    hub, tickets = await open_house(home, line)
    try:
        async with Phones(pbx) as phones:
            many = {"calls": 1_000_000}
            await phones.operator(pbx.outside_ports[0], "noanswer", _RING_MS, **many)
            await phones.operator(pbx.desks[0].ports[0], "answer", _RING_MS, **many)
            spent = 0.0

            async def play(per_second: float, seconds: float, first: int) -> Instants:
                nonlocal spent
                before = cpu_seconds(pbx.pid)
                rang = await _play(phones, home, per_second, seconds, first)
                spent = (cpu_seconds(pbx.pid) - before) / seconds
                return rang

            rows = await measure_pops(hub, home, tickets, play, rate, SECONDS)
            return [*rows, ("the PBX's share of a core meanwhile", f"{spent:.0%}")]
    finally:
        await asyncio.to_thread(hub.stop)


async def _play(phones: Phones, home: Path, per_second: float, seconds: float, first: int) -> Instants:
    numbers = [number_of(call) for call in range(first, first + round(per_second * seconds))]
    before = ended(home)
    half = len(EXTENSIONS) // 2
    calling = [
        await phones.callers(_GIVING_UP, _of(numbers, 0, half), per_second / 2, talk_ms=_ANSWER_MS + _RING_MS),
        await phones.callers(
            _TALKING, _of(numbers, half, 10), per_second / 2, talk_ms=_ANSWER_MS + _RING_MS + _TALK_MS
        ),
    ]
    await asyncio.gather(*(process.wait() for process in calling))
    await wait_for_the_end_of(home, before + len(numbers))
    return {number: at for number, at in _rang(home).items() if number in set(numbers)}


def _of(numbers: list[str], begin: int, end: int) -> list[str]:
    """Those whose last digit lies between, as a trunk sends them."""
    return [number[1:] for number in numbers if begin <= int(number[-1]) < end]


def _rang(home: Path) -> dict[str, float]:
    """When the PBX said that the telephone of each caller rings."""
    with sqlite3.connect(f"file:{home / 'touchline.db'}?mode=ro", uri=True, timeout=30) as connection:
        calls = [json.loads(call) for (call,) in connection.execute("SELECT call FROM interaction")]
    return {
        call["from"]: datetime.fromisoformat(call["legs"][0]["rang_at"]).timestamp()
        for call in calls
        if call["legs"] and call["legs"][0].get("rang_at")
    }
