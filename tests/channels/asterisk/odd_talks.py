"""What becomes of calls while they are talked: transfers, pick-up, parking, conferences, forwards, second lines."""

from __future__ import annotations

import asyncio

from tests.channels.asterisk.scene import ANSWERED, QUEUE, Scene, odd


@odd(
    "Answer()\nQueue({q},t,,,9)\nHangup()",
    inside={"7{n}9": "Queue({other},t,,,9)\nHangup()"},
    queues="[{other}]\nstrategy=linear\n" + QUEUE + "member => {p2},0,Operator {e2}\n",
    **ANSWERED,
    operator=2,
    queue="other",
    legs=["0:answered", "2:answered"],
    ended_by="caller",
)
async def transferred_to_another_queue(scene: Scene) -> None:
    await scene.operator(0)
    await scene.operator(2, ms=800)
    await scene.caller(ms=8000)
    call = await scene.reached("answered")
    await asyncio.sleep(0.5)
    await scene.line.transfer(call, scene.desk.phones[0], f"7{scene.desk.number}9")


@odd(
    "Answer()\nQueue({q},t,,,9)\nHangup()",
    inside={"7{n}8": "Queue({other},t,,,9)\nHangup()"},
    queues="[{other}]\nstrategy=linear\n" + QUEUE + "member => {p2},0,Operator {e2}\n",
    **ANSWERED,
    operator=0,
    ended_by="caller",
)
async def transferred_to_a_queue_where_nobody_answers(scene: Scene) -> None:
    await scene.operator(0)
    await scene.operator(2, "noanswer")
    await scene.caller(ms=8000)
    call = await scene.reached("answered")
    await asyncio.sleep(0.5)
    await scene.line.transfer(call, scene.desk.phones[0], f"7{scene.desk.number}8")


@odd(
    "Answer()\nQueue({q},t,,,9)\nHangup()",
    **ANSWERED,
    operator=0,
    legs=["0:answered", "out:answered"],
    ended_by="caller",
)
async def transferred_outside(scene: Scene) -> None:
    await scene.operator(0)
    await scene.outside()
    await scene.caller(ms=8000)
    call = await scene.reached("answered")
    await asyncio.sleep(0.5)
    await scene.line.transfer(call, scene.desk.phones[0], "+" + scene.desk.outside)


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=0, legs=["0:answered", "1:declined"], ended_by="caller")
async def asked_colleague_declines(scene: Scene) -> None:
    await scene.operator(0, "talk")
    await scene.operator(1, "decline", 800)
    await scene.caller(ms=9000)
    call = await scene.reached("answered")
    await asyncio.sleep(0.5)
    await scene.line.transfer(call, scene.desk.phones[0], scene.desk.phones[1], attended=True)


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=0, legs=["0:answered", "1:answered"], ended_by="caller")
async def asked_colleague_and_came_back(scene: Scene) -> None:
    await scene.operator(0, "talk")
    await scene.operator(1, "answer", 600)
    await scene.caller(ms=9000)
    call = await scene.reached("answered")
    await asyncio.sleep(0.5)
    await scene.line.transfer(call, scene.desk.phones[0], scene.desk.phones[1], attended=True)
    await scene.reached("asking")
    await asyncio.sleep(0.5)
    await scene.press(await scene.phone_channel(0), "*1")


@odd(
    "Dial({p0},9,tT)\nHangup()",
    inside={"8{e0}": "PickupChan({p0})\nHangup()"},
    **ANSWERED,
    operator=1,
    legs=["0:answered_elsewhere", "1:answered"],
    ended_by="caller",
)
async def picked_up_by_a_colleague(scene: Scene) -> None:
    await scene.operator(0, "noanswer")
    await scene.caller(ms=8000)
    await scene.reached("ringing")
    await scene.inside(1, f"8{scene.desk.phones[0]}", "wait")


@odd(
    "Dial({p0},9,tT)\nHangup()",
    inside={"75{n}": "ParkedCall(default,${{DB(slot/{n})}})\nHangup()"},
    **ANSWERED,
    operator=1,
    ended_by="caller",
)
async def parked_and_fetched(scene: Scene) -> None:
    await scene.operator(0)
    await scene.caller(ms=8000)
    call = await scene.reached("answered")
    channel = await scene.caller_channel(call)
    await asyncio.sleep(0.5)
    await scene.wire.ask("Park", {"Channel": channel, "Parkinglot": "default", "AnnounceChannel": ""})
    for _ in range(100):
        lots = await scene.wire.ask_list("ParkedCalls")
        slot = next((one["ParkingSpace"] for one in lots if one.get("ParkeeUniqueid") == call), "")
        if slot:
            break
        await asyncio.sleep(0.05)
    await scene.wire.ask("DBPut", {"Family": "slot", "Key": str(scene.desk.number), "Val": slot})
    await asyncio.sleep(1)
    await scene.inside(1, f"75{scene.desk.number}", "wait")


@odd(
    "Answer()\nConfBridge(room{n},,silent)\nHangup()",
    inside={"76{n}": "ConfBridge(room{n},,silent)\nHangup()"},
    **ANSWERED,
    operator=1,
)
async def three_in_a_conference(scene: Scene) -> None:
    await scene.caller(ms=8000)
    await scene.inside(0, f"76{scene.desk.number}", "wait")
    await scene.reached("answered")
    await scene.inside(1, f"76{scene.desk.number}", "wait")
    await scene.reached("transferred")
    await asyncio.sleep(0.5)
    await scene.wire.ask("Hangup", {"Channel": await scene.phone_channel(0)})
    await scene.reached("ended")
    await scene.wire.ask("Hangup", {"Channel": await scene.phone_channel(1)})


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=1, legs=["0:forwarded", "1:answered"], ended_by="caller")
async def forwarded_by_the_telephone(scene: Scene) -> None:
    await scene.operator(0, "forward", to=scene.desk.phones[1])
    await scene.operator(1)
    await scene.caller(ms=8000)


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=None, legs=["0:forwarded", "out:answered"], ended_by="caller")
async def forwarded_outside(scene: Scene) -> None:
    await scene.operator(0, "forward", to=scene.desk.outside)
    await scene.outside()
    await scene.caller(ms=8000)


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=0)
async def a_strange_name(scene: Scene) -> None:
    await scene.operator(0)
    await scene.caller(ms=2500, name="Žółć, «Рога 'и' Копыта» | = & <b>  漢字 " + "д" * 60)


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=0, rows=2)
async def a_second_line_is_answered(scene: Scene) -> None:
    await scene.operator(0, calls=2)
    await scene.caller(ms=8000)
    await scene.reached("answered")
    await scene.caller(ms=2000, who="79169998877")


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=1, rows=2)
async def two_calls_joined_by_the_telephone(scene: Scene) -> None:
    """As a telephone does it by REFER with Replaces: the calls of both its lines become one."""
    await scene.operator(0)
    await scene.operator(1)
    await scene.caller(ms=8000)
    call = await scene.reached("answered")
    await scene.inside(0, scene.desk.phones[1], "wait")
    await scene.reached("answered", scene.desk.phones[1])
    await asyncio.sleep(0.5)
    theirs, asked = await scene.caller_channel(call), await scene.phone_channel(1)
    await scene.wire.ask("Bridge", {"Channel1": theirs, "Channel2": asked})


@odd(
    "Hangup()",
    direction="outbound",
    outcome="answered",
    operator=1,
    made_by=0,
    legs=["0:answered", "1:answered"],
)
async def outbound_and_handed_over(scene: Scene) -> None:
    await scene.outside()
    await scene.operator(1)
    await scene.inside(0, scene.desk.outside, "wait")
    call = await scene.reached("answered", "+" + scene.desk.outside)
    await asyncio.sleep(0.5)
    await scene.line.transfer(call, scene.desk.phones[0], scene.desk.phones[1])
    await scene.reached("transferred", "+" + scene.desk.outside)
    await asyncio.sleep(0.5)
    await scene.line.hang_up(call, scene.desk.phones[1])


@odd("Dial({p0}&{p1}&{p2},9,tT)\nHangup()", **ANSWERED, operator=1, queue=None)
async def a_ring_group(scene: Scene) -> None:
    await scene.operator(0, "noanswer")
    await scene.operator(1, "answer", 900)
    await scene.operator(2, "noanswer")
    await scene.caller(ms=8000)
