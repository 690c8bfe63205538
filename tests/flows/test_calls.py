"""From the PBX's wire to the log: each recorded call is one row; a hub that was away closes what it left open."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from channels.asterisk.emulator import Emulator, read_stream, retime
from hub import clock
from hub.presence import read_presence
from hub.telephony.picture import read_picture
from storage import models
from tests.flows.house import House, open_house

STREAMS = Path(__file__).resolve().parents[1] / "channels/asterisk/streams"
Row = dict[str, Any]


def pbx_line(pbx: Emulator) -> str:
    return (
        f'[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = {pbx.port}\n'
        'username = "hub"\nsecret = "demo"\nqueues = { support = "support" }\n'
        '[operator.ivan]\nname = "Ivan"\nrole = "operator"\nteams = ["support"]\nextension = "101"\n'
        '[operator.petr]\nname = "Petr"\nrole = "operator"\nteams = ["support"]\nextension = "102"\n'
    )


def stream(name: str, number: int) -> list[dict[str, str]]:
    return list(retime(read_stream(STREAMS / f"{name}.txt"), clock.now().timestamp(), number))


async def ended(house: House, count: int) -> list[Row]:
    for _ in range(500):
        rows = [row for row in await house.rows(models.interaction, line="pbx") if row["ended_at"] is not None]
        if len(rows) >= count:
            return rows
        await asyncio.sleep(0.02)
    rows = await house.rows(models.interaction, line="pbx")
    raise AssertionError((rows, await house.rows(models.line_health, line="pbx")))


async def test_each_call_is_one_row_of_the_log(tmp_path: Path, database_url: str) -> None:
    async with (
        Emulator(clock.now, queues={"support": ("PJSIP/101",)}) as pbx,
        open_house(tmp_path, database_url, pbx_line(pbx)) as house,
    ):
        await house.line_runs("pbx")
        for number, name in enumerate(("blind_transfer_sip_refer", "queue_abandoned", "click_to_call_originate"), 1):
            for event in stream(name, number):
                await pbx.say(event)
        rows = {row["call"]["to"]: row for row in await ended(house, 3)}
        answered, missed, ours = rows["8101"], rows["8001"], rows["+79261112233"]
        assert (answered["call"]["outcome"], answered["call"]["operator"]) == ("answered", "petr")
        assert answered["operator"] == "petr"
        assert [leg["operator"] for leg in answered["call"]["legs"]] == ["ivan", "petr"]
        assert (missed["call"]["outcome"], missed["call"]["reason"]) == ("missed", "abandoned")
        assert missed["operator"] is None
        assert answered["client_id"] == missed["client_id"] != ours["client_id"]
        assert (ours["direction"], ours["operator"]) == ("outbound", "ivan")
        assert all(row["team"] == "support" for row in rows.values())


async def test_telephones_are_seen_as_long_as_their_line_runs(tmp_path: Path, database_url: str) -> None:
    pbx = Emulator(clock.now, queues={"support": ("PJSIP/101", "PJSIP/102")})
    async with pbx, open_house(tmp_path, database_url, pbx_line(pbx)) as house:

        async def states() -> dict[str, str]:
            setup, now = house.hub.setup.current, clock.now()
            picture = await house.store.read(lambda connection: read_picture(connection, setup, now))
            return {one.operator: one.state for one in picture.operators}

        async def on_call() -> frozenset[str]:
            return (await house.store.read(lambda connection: read_presence(connection, clock.now()))).on_call

        async def free() -> bool:
            return await states() == {"ivan": "free", "petr": "free"}

        async def talking() -> bool:
            return await states() == {"ivan": "talking", "petr": "free"} and await on_call() == {"ivan"}

        async def unknown() -> bool:
            return await states() == {"ivan": "offline", "petr": "offline"}

        await house.wait_until("both are free", free)
        told = stream("queue_answered_caller_hangup", 1)
        cut = next(number for number, event in enumerate(told) if event["Event"] == "HangupRequest")
        for event in told[:cut]:
            await pbx.say(event)
        await house.wait_until("Ivan talks", talking)
        pbx.deaf = True
        pbx.drop()
        await house.wait_until("nothing is known", unknown)
        assert await house.rows(models.phone) == [] and await on_call() <= {"ivan"}
        pbx.deaf = False
        await house.wait_until("both are seen again", free, 40)


async def test_a_hub_that_was_away_goes_on_with_what_lasts_and_closes_what_is_gone(
    tmp_path: Path, database_url: str
) -> None:
    lasting, gone = stream("queue_answered_caller_hangup", 1), stream("queue_abandoned", 2)
    cut = next(number for number, event in enumerate(lasting) if event["Event"] == "HangupRequest")
    ringing = next(number for number, event in enumerate(gone) if event["Event"] == "DialState")
    async with Emulator(clock.now, queues={"support": ("PJSIP/101",)}) as pbx:
        async with open_house(tmp_path, database_url, pbx_line(pbx)) as house:
            await house.line_runs("pbx")
            for event in (*lasting[:cut], *gone[: ringing + 1]):
                await pbx.say(event)
            for _ in range(500):
                rows = await house.rows(models.interaction, line="pbx")
                if len(rows) == 2 and any(row["call"]["outcome"] == "answered" for row in rows):
                    break
                await asyncio.sleep(0.02)
            assert all(row["ended_at"] is None for row in rows), rows
        for event in gone[ringing + 1 :]:
            await pbx.say(event)
        async with open_house(tmp_path, database_url) as house:
            (closed,) = await ended(house, 1)
            assert (closed["call"]["outcome"], closed["call"]["reason"]) == ("missed", "failed")
            assert closed["remarks"] and closed["external_id"] == next(
                event["Linkedid"] for event in gone if "Linkedid" in event
            )
            await house.line_runs("pbx")
            for event in lasting[cut:]:
                await pbx.say(event)
            rows = await ended(house, 2)
            assert len(await house.rows(models.interaction, line="pbx")) == 2
            talked = next(row for row in rows if row["call"]["outcome"] == "answered")
            assert (talked["call"]["operator"], talked["call"]["ended_by"]) == ("ivan", "caller")
            assert [leg["result"] for leg in talked["call"]["legs"]] == ["answered"]
