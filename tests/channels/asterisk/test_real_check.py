"""`touchline check` on a real PBX: what an administrator must change, and one test call watched from the shell."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.channels.asterisk.gap import phones_of
from tests.channels.asterisk.show import House
from tests.channels.door import until
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_conf import SECRET


def set_up(pbx: Asterisk, extension: str, **more: str) -> str:
    keys = {"recordings": f'"{pbx.recordings}"', "cdr": f'"{pbx.cdr}"', "cel": f'"{pbx.cel}"', **more}
    own = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return (
        f'[operator.anna]\nname = "Anna"\nextension = "{extension}"\n'
        f'[line.pbx]\nchannel = "asterisk"\nhost = "127.0.0.1"\nport = {pbx.ami}\n'
        f'username = "hub"\nsecret = "{SECRET}"\ninterface = "{pbx.interface}"\n{own}'
    )


async def touchline(home: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", *words),
        env={**os.environ, "TOUCHLINE_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(home: Path, *words: str) -> tuple[int, str]:
    process = await touchline(home, *words)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, (out + err).decode()


async def test_a_test_call_is_watched_from_the_shell(own_asterisk: Asterisk, home: Path) -> None:
    desk = own_asterisk.desks[0]
    (home / "pbx.toml").write_text(set_up(own_asterisk, desk.phones[0]))
    assert (await run(home, "import", str(home / "pbx.toml")))[0] == 0
    code, said = await run(home, "check", "--test-call")
    assert code == 2 and "which line" in said
    async with phones_of(own_asterisk) as phones, House(own_asterisk, "hublean").listening():  # it routes
        watching = await touchline(home, "check", "pbx", "--test-call", "--json", "--seconds", "60")

        def signed_in() -> bool:
            return own_asterisk.cli("manager show connected").count("hub ") > 0

        await until(signed_in, 40, lambda: "the watcher did not sign in")
        await phones.operator(desk.ports[0], "answer", 300)
        await phones.caller(desk.did, "bye", 4000)
        out, err = await watching.communicate()
    told = json.loads(out)
    assert (watching.returncode, told["well"], told["line"]) == (0, True, "pbx"), (told, err)
    assert told["seen"][0] == "a call from 79161234567 to 8001"
    assert {"it was answered at 101", "who ended it: the caller", "it ended: answered"} <= set(told["seen"])
    assert any(line.startswith("its recording: ") for line in told["seen"])
    assert not any("recording" in one["reason"] or "cdr" in one["reason"] for one in told["missing"]), told["missing"]
    assert told["call"]["outcome"] == "answered" and told["events"]["Newchannel"] == 2


async def test_a_test_call_that_never_comes_says_so(own_asterisk: Asterisk, home: Path) -> None:
    (home / "pbx.toml").write_text(set_up(own_asterisk, "101", queues='["support0", "suport"]'))
    assert (await run(home, "import", str(home / "pbx.toml")))[0] == 0
    code, said = await run(home, "check", "pbx", "--test-call", "--seconds", "1")
    assert code == 1 and "Seen:\n  nothing" in said
    assert "no call was seen. Call one of your numbers" in said and "no queue 'suport'" in said
    code, said = await run(home, "check", "pbx", "--json")
    found = json.loads(said)["lines"][0]
    assert (code, found["state"]) == (1, "needs_person") and "Correct the name 'suport'" in found["remedy"]
