"""Calls as dialplans make them besides: menus, overflow, exits, campaigns."""

from __future__ import annotations

import asyncio

from tests.channels.asterisk.scene import ANSWERED, MISSED, QUEUE, Scene, odd


@odd(
    "Answer()\nPlayback(beep)\nWait(1)\nQueue({q},t,,,9)\nHangup()",
    **ANSWERED,
    operator=0,
    queue="q",
    legs=["0:answered"],
)
async def menu_then_queue(scene: Scene) -> None:
    await scene.operator(0)
    await scene.caller(ms=7000)


@odd("Answer()\nWait(10)\nHangup()", **MISSED, reason="cancelled", queue=None, legs=[], ended_by="caller")
async def gone_from_the_menu(scene: Scene) -> None:
    await scene.caller(ms=1000)


@odd("Answer()\nMusicOnHold(default,2)\nHangup()", **MISSED, legs=[], ended_by="system")
async def music_only(scene: Scene) -> None:
    await scene.caller("wait")


@odd("Answer()\nVoiceMail(100@default,s)\nHangup()", **MISSED, reason="no_operators", legs=[])
async def straight_to_voicemail(scene: Scene) -> None:
    await scene.caller("talk", 6000)


@odd(
    "Answer()\nQueue({q},t,,,2)\nQueue({other},t,,,9)\nHangup()",
    queues="[{other}]\nstrategy=linear\n" + QUEUE + "member => {p2},0,Operator {e2}\n",
    **ANSWERED,
    operator=2,
    queue="other",
    legs=["0:no_answer", "2:answered"],
)
async def overflow_to_another_queue(scene: Scene) -> None:
    await scene.operator(0, "noanswer")
    await scene.operator(2)
    await scene.caller(ms=8000)


@odd(
    "Answer()\nQueue({q},t,,,2)\nQueue({other},t,,,30)\nHangup()",
    queues="[{other}]\nstrategy=linear\n" + QUEUE + "member => {p2},0,Operator {e2}\n",
    **MISSED,
    reason="abandoned",
    queue="other",
    ended_by="caller",
)
async def abandoned_in_the_second_queue(scene: Scene) -> None:
    await scene.operator(0, "noanswer")
    await scene.operator(2, "noanswer")
    await scene.caller(ms=7000)


@odd(
    "Answer()\nQueue({other},t,,,20)\nHangup()",
    queues="[{other}]\nstrategy=linear\njoinempty=yes\nleavewhenempty=paused\n"
    + QUEUE
    + "member => {p0},0,Operator {e0}\n",
    **MISSED,
    reason="no_operators",
    queue="other",
    ended_by="system",
)
async def queue_left_when_empty(scene: Scene) -> None:
    await scene.operator(0, "noanswer")
    await scene.caller("wait")
    await scene.reached("ringing")
    await scene.line.pause(scene.desk.phones[0], "lunch")


@odd(
    "Answer()\nQueue({other},t,,,20)\nHangup()",
    queues="[{other}]\nstrategy=linear\njoinempty=no\n" + QUEUE,
    **MISSED,
    reason="no_operators",
    legs=[],
    ended_by="system",
)
async def queue_not_joined(scene: Scene) -> None:
    await scene.caller("wait")


@odd(
    "Answer()\nQueue({other},t,,,20)\nHangup()",
    queues="[{other}]\nstrategy=linear\ncontext=exits{n}\n" + QUEUE + "member => {p0},0,Operator {e0}\n",
    **MISSED,
    reason="cancelled",
    queue="other",
    ended_by="caller",
)
async def out_of_the_queue_by_a_digit(scene: Scene) -> None:
    await scene.operator(0, "noanswer")
    await scene.caller(ms=7000)
    call = await scene.reached("ringing")
    await scene.press(await scene.caller_channel(call), "1")


@odd(
    "Answer()\nQueue({other},t,,,20)\nHangup()",
    queues="[{other}]\nstrategy=linear\ncontext=exits{n}\n" + QUEUE + "member => {p1},0,Operator {e1}\n",
    **ANSWERED,
    operator=0,
    queue="other",
)
async def by_a_digit_to_an_operator(scene: Scene) -> None:
    await scene.operator(0)
    await scene.operator(1, "noanswer")
    await scene.caller(ms=8000)
    call = await scene.reached("ringing")
    await scene.press(await scene.caller_channel(call), "2")


@odd("Answer()\nQueue({q},t,,,9)\nHangup()", **ANSWERED, rows=2)
async def the_same_caller_twice(scene: Scene) -> None:
    await scene.operator(0)
    await scene.operator(1)
    await scene.caller(ms=8000)
    await scene.reached("answered")
    await scene.caller(ms=8000)


@odd("Dial({p0},9,tT)\nHangup()", **ANSWERED, operator=0, legs=["0:answered"], hold_s=0)
async def digits_are_pressed(scene: Scene) -> None:
    await scene.operator(0)
    await scene.caller(ms=6000)
    call = await scene.reached("answered")
    await scene.press(await scene.caller_channel(call), "12#*0")


@odd(
    "Answer()\nQueue({other},t,,,12)\nHangup()",
    queues="[{other}]\nstrategy=linear\nautopause=all\n"
    + QUEUE
    + "member => {p0},0,Operator {e0}\nmember => {p1},0,Operator {e1}\n",
    **ANSWERED,
    operator=1,
    legs=["0:no_answer", "1:answered"],
)
async def the_silent_one_is_paused(scene: Scene) -> None:
    await scene.operator(0, "noanswer")
    await scene.operator(1)
    await scene.caller(ms=9000)


@odd(
    "Answer()\nQueue({other},t,,,12)\nHangup()",
    queues="[{other}]\nstrategy=linear\n" + QUEUE + "member => Local/{e0}@{inside}/n,0,Operator {e0},{p0}\n",
    **ANSWERED,
    operator=0,
    queue="other",
    legs=["0:answered"],
    ended_by="caller",
)
async def member_behind_a_local_channel(scene: Scene) -> None:
    await scene.operator(0)
    await scene.caller(ms=6000)


@odd(
    "Dial({p0},9,g)\nDial({p1},9,g)\nHangup()",
    **ANSWERED,
    operator=1,
    legs=["0:answered", "1:answered"],
    ended_by="caller",
)
async def goes_on_to_the_next(scene: Scene) -> None:
    await scene.operator(0, "hangup", 200)
    await scene.operator(1)
    await scene.caller(ms=9000)


@odd(
    "Dial({p0},9,g)\nPlayback(beep)\nWait(9)\nHangup()",
    **ANSWERED,
    operator=0,
    ended_by="operator",
    legs=["0:answered"],
)
async def asked_how_it_was(scene: Scene) -> None:
    await scene.operator(0, "hangup", 200)
    await scene.caller(ms=7000)


@odd(
    "Hangup()",
    inside={"78{n}": "Answer()\nQueue({q},t,,,9)\nHangup()"},
    direction="internal",
    outcome="answered",
    queue="q",
)
async def an_operator_calls_a_queue(scene: Scene) -> None:
    await scene.operator(1)
    await scene.operator(0, "busy", calls=3)
    await scene.inside(2, f"78{scene.desk.number}", "bye", 7000)


@odd(
    "Hangup()",
    direction="outbound",
    outcome="answered",
    operator=0,
    inside={"77{n}": "Answer()\nQueue({q},t,,,9)\nHangup()"},
)
async def a_campaign_that_is_answered(scene: Scene) -> None:
    await scene.outside("answer", 500)
    await scene.operator(0)
    await scene.call_file(f"77{scene.desk.number}")
    await scene.reached("answered", "+" + scene.desk.outside)
    await asyncio.sleep(1)
    await scene.wire.ask("Hangup", {"Channel": await scene.phone_channel(0)})


@odd(
    "Hangup()",
    direction="outbound",
    outcome="missed",
    reason="busy",
    inside={"77{n}": "Answer()\nQueue({q},t,,,9)\nHangup()"},
)
async def a_campaign_that_is_busy(scene: Scene) -> None:
    await scene.outside("busy")
    await scene.call_file(f"77{scene.desk.number}")


@odd(
    "Hangup()",
    direction="outbound",
    outcome="missed",
    operator=None,
    reason="timeout",
    inside={"77{n}": "Answer()\nQueue({q},t,,,2)\nHangup()"},
)
async def a_campaign_without_an_operator(scene: Scene) -> None:
    await scene.outside("answer", 300)
    await scene.operator(0, "noanswer")
    await scene.call_file(f"77{scene.desk.number}")


@odd("Hangup()", rows=0)
async def a_number_that_leads_nowhere(scene: Scene) -> None:
    """The exchange refuses it before there is a call."""
    await scene.phones.caller("5550000", "wait")
