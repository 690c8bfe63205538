"""What operators do from the desk, and where calls go, on a real Asterisk: over the API, by one process and by two."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from storage import models
from tests.flows.exchange import Exchange, open_exchange
from tests.peers.asterisk import Asterisk

Row = dict[str, Any]
CALLER = "+79161234567"


async def click(exchange: Exchange, number: int) -> Row:
    """Operator N calls the number in town that his desk's trunk reaches."""
    outside = "+" + exchange.pbx.desks[number].outside
    return await exchange.ok("POST", "/calls", {"operator": f"op{number}", "number": outside})


async def test_click_to_call_has_three_outcomes_and_keeps_the_promise_to_call_back(
    tmp_path: Path, database_url: str, own_asterisk: Asterisk
) -> None:
    async with open_exchange(tmp_path, database_url, own_asterisk) as exchange:
        pbx, phones = own_asterisk, exchange.phones
        reached, silent, busy = pbx.desks[1:4]
        await phones.caller(reached.did, "bye", 800, who=reached.outside)
        missed = await exchange.call_to("+" + reached.outside, direction="inbound")
        assert (missed["call"]["outcome"], missed["call"]["reason"]) == ("missed", "abandoned")
        promise = await exchange.house.wait_for_row(models.obligation, regulation="call-back", state="running")
        task = await exchange.house.wait_for_row(models.task, obligation_id=promise["id"], state="open")

        await phones.operator(reached.ports[0], "answer", 500)
        await phones.operator(pbx.outside_ports[1], "answer", 700)
        await phones.operator(silent.ports[0], "noanswer")
        await phones.operator(busy.ports[0], "answer", 300)
        await phones.operator(pbx.outside_ports[3], "busy")
        made = await asyncio.gather(*(click(exchange, number) for number in (1, 2, 3)))
        talk = made[0]["interaction"]
        assert talk is not None and all(one["call"] for one in made)
        await exchange.shows(1, "talking", line="pbx")
        await exchange.house.wait_until("somebody talks", lambda: _answered(exchange, talk))
        assert (await _presence(exchange))["op1"] == "on_call"
        assert await exchange.ok("POST", f"/calls/{talk}/hang-up") == {"interaction": talk}
        calls = [await exchange.call_to("+" + desk.outside, direction="outbound") for desk in (reached, silent, busy)]
        assert [(one["call"]["outcome"], one["call"]["reason"], one["operator"]) for one in calls] == [
            ("answered", None, "op1"),
            ("missed", "no_answer", "op2"),
            ("missed", "busy", "op3"),
        ]
        assert calls[0]["id"] == talk and calls[0]["client_id"] == missed["client_id"]
        await exchange.house.wait_for_row(models.obligation, id=promise["id"], state="met")
        closed = await exchange.house.wait_for_row(models.task, id=task["id"], state="done")
        assert closed["closed_by"] == f"interaction:{talk}"
        await exchange.shows(1, "free")
        assert (await exchange.api("POST", f"/calls/{talk}/hang-up"))[0] == 409
        assert (await exchange.api("POST", f"/calls/{talk}/take-back"))[0] == 409
        status, refused = await exchange.api("POST", "/calls", {"operator": "op1", "number": "call me maybe"})
        assert (status, refused["error"]["code"]) == (409, "conflict") and "number" in refused["error"]["message"]
        actions = {row["action"] for row in await exchange.house.rows(models.journal)}
        assert {"called", "hung_up"} <= actions


async def test_pauses_queues_and_wrap_up(tmp_path: Path, database_url: str, own_asterisk: Asterisk) -> None:
    async with open_exchange(tmp_path, database_url, own_asterisk, 'wrap_up = "30 s"') as exchange:
        pbx, phones = own_asterisk, exchange.phones
        desk, empty = pbx.desks[0], pbx.names.empty
        await exchange.ok("POST", "/operators/op0/pause", {"reason": "обед"})
        paused = await exchange.shows(0, "paused")
        assert (paused["reason"], paused["paused"]) == ("обед", True)
        await exchange.ok("POST", "/operators/op0/resume")
        await exchange.shows(0, "free")
        await exchange.ok("POST", "/operators/op0/queues", {"queue": empty})
        await exchange.until("he is in", lambda: _in_queue(exchange, empty))
        await exchange.ok("POST", "/operators/op0/queues", {"queue": empty, "member": False})
        assert (await exchange.api("POST", "/operators/op0/queues", {"queue": "nonsense"}))[0] == 422
        assert (await exchange.api("POST", "/operators/op0/queues", {"queue": desk.queue, "member": False}))[0] == 409

        await phones.operator(desk.ports[0], "answer", 300, calls=2)
        await phones.caller(desk.did, "bye", 2500)
        await exchange.shows(0, "talking")
        call = await exchange.call_to(CALLER, direction="inbound")
        assert call["operator"] == "op0"
        working = await exchange.shows(0, "wrap_up", interaction=call["id"])
        assert working["until"] > working["since"]
        await exchange.shows(0, "wrap_up", paused=True)
        assert (await _presence(exchange))["op0"] == "on_call", "assignment gives him nothing new"
        seconds = (await exchange.ok("POST", "/operators/op0/finish-wrap-up"))["seconds"]
        assert 0 < seconds < 30
        await exchange.shows(0, "free", paused=False)
        assert (await exchange.ok("GET", f"/interactions/{call['id']}"))["call"]["wrap_s"] == seconds
        assert (await exchange.ok("POST", "/operators/op0/finish-wrap-up"))["seconds"] is None
        assert (await _presence(exchange))["op0"] == "gone"


async def test_a_wrap_up_ends_by_itself_and_leaves_no_pause_behind(
    tmp_path: Path, database_url: str, own_asterisk: Asterisk
) -> None:
    async with open_exchange(tmp_path, database_url, own_asterisk, 'wrap_up = "1 s"') as exchange:
        desk = own_asterisk.desks[0]
        await exchange.phones.operator(desk.ports[0], "answer", 300)
        await exchange.phones.caller(desk.did, "bye", 1500)
        call = await exchange.call_to(CALLER, direction="inbound")
        wrapped = await exchange.until("it is over", lambda: _wrapped(exchange, call["id"]))
        assert wrapped == 1.0
        await exchange.shows(0, "free", paused=False)
        assert await exchange.house.rows(models.wrap_up) == []
        # one that a killed hub left behind is lifted; somebody's own pause is not
        await exchange.ok("POST", "/operators/op1/pause", {"reason": "обед"})
        phone = own_asterisk.names.phone.format(number=own_asterisk.desks[2].phones[0])
        own_asterisk.cli(f"queue pause member PJSIP/{phone} reason wrap-up")
        await exchange.shows(2, "free", paused=False)
        await exchange.shows(1, "paused", reason="обед")


async def test_the_dialplan_is_told_over_http_and_fastagi_where_calls_go(
    tmp_path: Path, database_url: str, own_asterisk: Asterisk
) -> None:
    async with open_exchange(tmp_path, database_url, own_asterisk) as exchange:
        pbx, phones = own_asterisk, exchange.phones
        queue_desk, own = pbx.desks[0], pbx.desks[1]
        await phones.operator(queue_desk.ports[0], "answer", 300, calls=2)
        await phones.caller(queue_desk.http_did, "bye", 1200)
        first = await exchange.call_to(CALLER, direction="inbound")
        assert (first["call"]["queue"], first["operator"]) == (queue_desk.queue, "op0")

        client = first["client_id"]
        await exchange.ok("PATCH", f"/clients/{client}", {"responsible": "op1"})
        await exchange.shows(0, "free")
        await phones.caller(queue_desk.did, "bye", 1200)  # over FastAGI: who talked last
        second = await _next(exchange, first)
        assert (second["call"]["queue"], second["operator"]) == (None, "op0")

        await exchange.ok("POST", "/operators/op0/pause", {"reason": "обед"})
        await exchange.shows(0, "paused")
        await phones.operator(own.ports[0], "answer", 300)
        await phones.caller(queue_desk.http_did, "bye", 1200)  # he is away: the responsible
        third = await _next(exchange, second)
        assert (third["call"]["queue"], third["operator"]) == (None, "op1")

        entry = await exchange.ok("POST", "/blocked", {"number": CALLER, "reason": "ругается"})
        assert [one["identity"] for one in (await exchange.ok("GET", "/blocked"))["items"]] == [f"phone:{CALLER}"]
        await phones.caller(queue_desk.http_did, "wait")
        fourth = await _next(exchange, third)
        assert (fourth["call"]["outcome"], fourth["call"]["reason"]) == ("missed", "blocked")
        assert (await exchange.ok("DELETE", f"/blocked/{entry['id']}"))["lifted_by"] == "token:flow"

        await phones.caller(pbx.desks[2].did, "bye", 500, who="anonymous", name="Anonymous")
        hidden = await _next(exchange, fourth)
        assert (hidden["client_id"], hidden["call"]["from"]) == (None, None)
        assert len(await exchange.house.rows(models.client)) == 1


async def test_nothing_is_done_late(tmp_path: Path, postgres_url: str, own_asterisk: Asterisk) -> None:
    async with open_exchange(tmp_path, postgres_url, own_asterisk) as exchange:
        desk = own_asterisk.desks[1]
        await exchange.phones.operator(desk.ports[0], "answer", 300)
        own_asterisk.kill()
        await exchange.house.wait_for_row(models.line_health, line="pbx", state="will_retry")
        status, refused = await exchange.api("POST", "/calls", {"operator": "op1", "number": "+" + desk.outside})
        assert (status, refused["error"]["code"]) == (503, "unavailable"), refused
        assert (await exchange.phone(1))["state"] == "offline" and (await exchange.ok("GET", "/phones"))["queues"] == []
        await asyncio.to_thread(own_asterisk.start)
        await exchange.shows(1, "free")
        assert await exchange.house.rows(models.interaction, line="pbx") == []
        assert await exchange.house.rows(models.phone_order) == []


async def _answered(exchange: Exchange, number: int) -> bool:
    row = await exchange.house.row(models.interaction, id=number)
    return bool(row["call"]["outcome"] == "answered")


async def _presence(exchange: Exchange) -> dict[str, str]:
    found = await exchange.ok("GET", "/operators")
    return {one["operator"]: one["state"] for one in found["items"]}


async def _in_queue(exchange: Exchange, queue: str) -> bool:
    return queue in (await exchange.phone(0))["queues"]


async def _wrapped(exchange: Exchange, number: int) -> float | None:
    found: float | None = (await exchange.ok("GET", f"/interactions/{number}"))["call"]["wrap_s"]
    return found


async def _next(exchange: Exchange, before: Row) -> Row:
    """The end of the inbound call after this one."""

    async def seen() -> Row | None:
        rows = await exchange.house.rows(models.interaction, line="pbx", direction="inbound")
        later = [row for row in rows if row["id"] > before["id"]]
        return later[0] if later and later[0]["ended_at"] is not None else None

    found: Row = await exchange.until(f"the call after {before['id']}", seen, 30)
    return found
