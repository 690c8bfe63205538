"""The dialplan is answered in time, whatever the hub does: AGI blocks the caller without limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from channels.asterisk.fastagi import AgiServer
from channels.contract import Question
from tests.peers.workshop import free_port

PATIENCE_S = 30.0
ASKED = (
    "agi_network: yes\nagi_request: agi://127.0.0.1/route\nagi_channel: PJSIP/trunk-1\nagi_callerid: 79161234567\n"
    "agi_uniqueid: 1.7\nagi_extension: 8001\nagi_arg_1: 1.5\n\n"
)


async def ask(route: Callable[[Question], Awaitable[str]], text: str = ASKED) -> tuple[str, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    port = free_port()
    server = AgiServer(route, lambda *pair: told.append(pair), 0.2)
    await server.start("127.0.0.1", port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    line = (await asyncio.wait_for(reader.readline(), PATIENCE_S)).decode()
    writer.write(b"200 result=1\n200 result=1\n")
    rest = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert rest in (b"", b'SET VARIABLE ROUTE "support"\n')
    writer.close()
    await server.close()
    return line, told


async def test_the_answer_becomes_route() -> None:
    asked: list[Question] = []

    async def route(question: Question) -> str:
        asked.append(question)
        return "op/101"

    line, told = await ask(route)
    assert line == 'SET VARIABLE ROUTE "op/101"\n'
    assert asked == [Question("79161234567", "8001", "1.7", "1.5", priority=True)]
    assert told == [("1.5", "op/101")]


async def test_the_priority_is_set_before_the_place() -> None:
    async def route(question: Question) -> str:
        return "support,10" if question.priority else "support"

    line, told = await ask(route)
    assert line == 'SET VARIABLE QUEUE_PRIO "10"\n'
    assert told == [("1.5", "support")]


@pytest.mark.parametrize("answer", ["support,0", "support", "support,", "support,-1", "support,1e3", "support,٣x"])
async def test_who_has_no_priority_changes_nothing_of_it(answer: str) -> None:
    async def route(question: Question) -> str:
        return answer

    assert (await ask(route))[0] == 'SET VARIABLE ROUTE "support"\n'


async def test_a_hub_that_hangs_lets_the_call_go_on() -> None:
    given_up = asyncio.Event()

    async def route(question: Question) -> str:
        try:
            await asyncio.Event().wait()  # never
        finally:
            given_up.set()
        return "late"

    line, told = await ask(route)
    assert line == "" and told == [] and given_up.is_set()


async def test_a_hub_that_fails_lets_the_call_go_on() -> None:
    async def route(question: Question) -> str:
        raise RuntimeError("no database")

    assert (await ask(route))[0] == ""


@pytest.mark.parametrize("answer", ["", 'x"\nHANGUP', "a b", "op/1;rm"])
async def test_what_is_no_route_is_not_passed_on(answer: str) -> None:
    async def route(question: Question) -> str:
        return answer

    assert (await ask(route))[0] == ""


async def test_a_caller_who_is_unknown_and_arguments_in_the_address() -> None:
    asked: list[Question] = []

    async def route(question: Question) -> str:
        asked.append(question)
        return "support"

    text = "agi_request: agi://h/route?linkedid=9.1&did=74951112233\nagi_callerid: unknown\nagi_uniqueid: 9.2\n\n"
    await ask(route, text)
    assert asked == [Question("", "74951112233", "9.2", "9.1", priority=True)]


async def test_garbage_is_hung_up_on() -> None:
    async def route(question: Question) -> str:
        return "support"

    await ask(route, "x" * 20_000 + "\n\n")
