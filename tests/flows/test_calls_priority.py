"""Who is worth more to the house is answered first though he called later: asked over HTTP and over FastAGI."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import models
from tests.flows.exchange import Exchange, open_exchange
from tests.peers.asterisk import Asterisk

VIP, PLAIN = "+79161112233", "+79164445566"


@pytest.mark.parametrize("asked", ["http", "agi"])
async def test_the_vip_who_came_second_is_answered_first(
    tmp_path: Path, database_url: str, own_asterisk: Asterisk, asked: str
) -> None:
    async with open_exchange(tmp_path, database_url, own_asterisk) as exchange:
        desk = own_asterisk.desks[0]
        did = desk.http_did if asked == "http" else desk.did
        phones = [f"PJSIP/{own_asterisk.names.phone.format(number=one)}" for one in desk.phones]
        await exchange.ok("POST", "/clients", {"name": "Важный", "category": "VIP", "identities": [f"phone:{VIP}"]})
        for phone in phones:
            own_asterisk.cli(f"queue pause member {phone} queue {desk.queue}")
        await exchange.phones.operator(desk.ports[0], "answer", 300)
        await exchange.phones.caller(did, "bye", 30_000, who=PLAIN)
        await exchange.until("the first waits", lambda: _waits(exchange, PLAIN))
        await exchange.phones.caller(did, "bye", 2_000, who=VIP)
        await exchange.until("the second waits", lambda: _waits(exchange, VIP))
        own_asterisk.cli(f"queue unpause member {phones[0]} queue {desk.queue}")
        vip = await exchange.call_to(VIP, direction="inbound")
        assert (vip["call"]["outcome"], vip["operator"], vip["call"]["queue"]) == ("answered", "op0", desk.queue)
        spent = await exchange.house.wait_for_row(models.phone_time, operator="op0", kind="talk")
        assert spent["seconds"] > 0 and spent["extension"] == desk.phones[0], "what occupancy is made of"
        (plain,) = await _calls_of(exchange, PLAIN)
        assert plain["call"]["outcome"] != "answered" and plain["at"] < vip["at"]


async def _waits(exchange: Exchange, number: str) -> bool:
    return any(row["call"]["queue"] for row in await _calls_of(exchange, number))


async def _calls_of(exchange: Exchange, number: str) -> list[dict[str, object]]:
    rows = await exchange.house.rows(models.interaction, line="pbx", kind="call")
    return [row for row in rows if row["call"]["from"] == number]
