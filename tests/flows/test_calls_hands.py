"""What an operator presses at his desk happens on a real Asterisk: pauses, queues, the recording, and handing over,
after asking and at once. That it happened is read from the exchange itself."""

from __future__ import annotations

import asyncio
import json
import re
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from storage import models
from tests.flows.house import House, open_house
from tests.flows.test_calls_pop import at_desk, pbx_line
from tests.peers.asterisk import Asterisk, Desk
from tests.peers.missing import PeerMissing, do_without
from tests.peers.sipp import Phones

CALL_BACK = """
[regulation.call-back]
title = "Перезвонить"
kind = "follow_up"
after = { event = "call.missed" }
within = "1 working hours"
"""
SLOW_MS = 30_000
LONG_MS = 300_000
LOUD = 500
ENOUGH_SOUND = 20_000
"""Bytes: a second and a quarter, of which the exchange keeps a quarter in its buffer."""


def line(pbx: Asterisk, desk: Desk, *queues: str) -> str:
    more = f'recordings = "{pbx.recordings}"\nqueues = {json.dumps(queues)}\n'
    found = re.sub(r"queues = \{.*\}\n", lambda _: more, pbx_line(pbx, desk))
    assert more in found
    return found


def card(page: Page, state: str) -> Locator:
    return page.locator(f".call[data-state={state}]")


def press(where: Locator, name: str) -> Locator:
    return where.get_by_role("button", name=name, exact=True)


async def until(house: House, what: str, seen: Callable[[], bool]) -> None:
    """Wait for the exchange, which is asked on its console."""

    async def looked() -> bool:
        return await asyncio.to_thread(seen)

    await house.wait_until(what, looked, 30)


def talks(pbx: Asterisk, phone: str) -> bool:
    """Whether the exchange has a channel of this telephone that is up and in a bridge."""
    name = f"PJSIP/{pbx.names.phone.format(number=phone)}-"
    rows = [row.split("!") for row in pbx.cli("core show channels concise").splitlines() if row.startswith(name)]
    return any(row[4] == "Up" and row[12] for row in rows)


def has_channel(pbx: Asterisk, phone: str) -> bool:
    return f"PJSIP/{pbx.names.phone.format(number=phone)}-" in pbx.cli("core show channels concise")


async def test_a_pause_and_a_queue_are_one_press_each(
    own_asterisk: Asterisk, browser: Browser, tmp_path: Path, database_url: str
) -> None:
    pbx, desk = own_asterisk, own_asterisk.desks[0]
    member = f"PJSIP/{pbx.names.phone.format(number=desk.phones[0])}"

    def shown(queue: str) -> str:
        return next((row for row in pbx.cli(f"queue show {queue}").splitlines() if member in row), "")

    async with open_house(tmp_path, database_url, line(pbx, desk, desk.queue, pbx.names.empty)) as house:
        await house.line_runs("pbx")
        page = await at_desk(browser, house, "op0")
        strip = page.locator(".phone-strip")
        await expect(strip.locator("summary")).to_have_class("button phone-free", timeout=SLOW_MS)
        await strip.locator("summary").click()
        await press(strip, "обед").click()
        await expect(strip.locator("summary")).to_have_class("button phone-paused", timeout=SLOW_MS)
        await expect(strip.locator("summary")).to_contain_text("обед")
        await until(house, "the queue rings him no more", lambda: "paused:lunch" in shown(desk.queue))
        await strip.locator("summary").click()
        await press(strip, "учёба").or_(press(strip, "обучение")).click()
        await until(house, "another reason", lambda: "paused:training" in shown(desk.queue))
        await strip.locator("summary").click()
        await press(strip, "Готов к звонкам").click()
        await expect(strip.locator("summary")).to_have_class("button phone-free", timeout=SLOW_MS)
        await until(house, "the queue rings him again", lambda: "paused" not in shown(desk.queue))

        await page.goto(f"{house.address}/desk/phone")
        await page.wait_for_selector("html[data-live=on]", state="attached", timeout=SLOW_MS)
        row = page.get_by_role("row", name=pbx.names.empty)
        assert shown(pbx.names.empty) == ""
        await press(row, "Войти в очередь").click()
        await expect(press(row, "Выйти из очереди")).to_be_visible(timeout=SLOW_MS)
        await until(house, "he is a member", lambda: bool(shown(pbx.names.empty)))
        await press(row, "Выйти из очереди").click()
        await expect(press(row, "Войти в очередь")).to_be_visible(timeout=SLOW_MS)
        await until(house, "he is none", lambda: not shown(pbx.names.empty))
        fixed = page.get_by_role("row", name=desk.queue)
        await press(fixed, "Выйти из очереди").click()
        await expect(page.locator("#trouble")).to_contain_text("queues.conf", timeout=SLOW_MS)
        assert shown(desk.queue)
        wanted = ["logged_in", "logged_out", "paused", "paused", "unpaused"]  # noted after the exchange has done it

        async def noted() -> bool:
            done = [one["action"] for one in await house.rows(models.journal, who="operator:op0")]
            return sorted(one for one in done if one != "signed_in") == wanted

        await house.wait_until("all of it is noted", noted, 30)
        await page.context.close()


async def test_one_call_is_silenced_taken_back_and_handed_over_twice(
    own_asterisk: Asterisk, browser: Browser, tmp_path: Path, database_url: str
) -> None:
    pbx, desk = own_asterisk, own_asterisk.desks[0]
    try:
        phones = Phones(pbx)
    except PeerMissing as problem:
        do_without(problem)
    async with phones, open_house(tmp_path, database_url, line(pbx, desk, desk.queue, pbx.names.empty)) as house:
        await house.line_runs("pbx")
        first, second, third = [await at_desk(browser, house, f"op{number}") for number in range(3)]
        await expect(first.locator(".phone-strip summary")).to_have_class("button phone-free", timeout=SLOW_MS)
        for port in desk.ports:
            await phones.operator(port, "talk", 500, calls=2)
        await phones.caller(desk.did, "talk", LONG_MS)
        talking = card(first, "talking")
        await expect(talking).to_be_visible(timeout=SLOW_MS)
        await silence_a_while(house, talking, pbx)

        await ask(first, "Operator 1")
        await expect(talking.locator(".aside")).to_contain_text(f"Operator 1 ({desk.phones[1]})", timeout=SLOW_MS)
        await expect(talking).to_contain_text("На удержании")
        await expect(press(talking, "Соединить их")).to_be_visible(timeout=SLOW_MS)
        await expect(card(second, "asked")).to_contain_text("Operator 0", timeout=SLOW_MS)
        await expect(card(second, "asked").locator("textarea")).to_have_count(0)
        await until(house, "the colleague talks", lambda: talks(pbx, desk.phones[1]))
        await press(talking, "Вернуться к клиенту").click()
        await expect(talking.locator("details[data-transfer]")).to_be_visible(timeout=SLOW_MS)
        await expect(talking.locator(".aside")).to_have_count(0)
        await expect(second.locator(".call")).to_have_count(0)
        await until(house, "the colleague is gone", lambda: not has_channel(pbx, desk.phones[1]))
        assert talks(pbx, desk.phones[0])

        await ask(first, "Operator 1")
        await press(talking, "Соединить их").click(timeout=SLOW_MS)
        await expect(card(second, "talking").locator("textarea")).to_be_visible(timeout=SLOW_MS)
        over = card(first, "wrap_up")
        await expect(over.locator(".aside")).to_contain_text(
            f"Передано: Operator 1 ({desk.phones[1]})", timeout=SLOW_MS
        )
        await until(house, "the first is out", lambda: not has_channel(pbx, desk.phones[0]))
        assert talks(pbx, desk.phones[1])

        await hand_over(second, "Operator 2", "Перевести сразу")
        await expect(card(third, "talking")).to_be_visible(timeout=SLOW_MS)
        await expect(card(second, "wrap_up").locator(".aside")).to_contain_text("Operator 2", timeout=SLOW_MS)
        await until(house, "the third talks", lambda: talks(pbx, desk.phones[2]))
        await until(house, "the second is out", lambda: not has_channel(pbx, desk.phones[1]))
        await press(card(third, "talking"), "Положить трубку").click()
        await expect(card(third, "wrap_up")).to_be_visible(timeout=SLOW_MS)
        await until(house, "nobody is left", lambda: not has_channel(pbx, desk.phones[2]))

        row = await house.inbound(line="pbx")
        call = (await house.row(models.interaction, id=row["id"]))["call"]
        assert (call["outcome"], call["operator"], call["ended_by"]) == ("answered", "op2", "operator")
        assert [leg["operator"] for leg in call["legs"]] == ["op0", "op1", "op1", "op2"]
        assert [leg["asked_by"] for leg in call["legs"]] == [None, "op0", None, None]
        assert call["hold_s"] > 0
        assert has_silence_between_sounds(pbx.recordings)
        player = over.get_by_label("Запись разговора", exact=False).first
        await expect(player).to_be_visible(timeout=SLOW_MS)
        await player.evaluate("each => { each.muted = true; return each.play(); }")
        await first.wait_for_function("() => document.querySelector('#calls audio').currentTime > 0.2", timeout=SLOW_MS)
        await house.wait_for_row(models.journal, action="listened", who="operator:op0")
        for page in (first, second, third):
            await page.context.close()


async def test_who_was_missed_is_called_back_from_the_task(
    own_asterisk: Asterisk, browser: Browser, tmp_path: Path, database_url: str
) -> None:
    pbx, desk = own_asterisk, own_asterisk.desks[0]
    number = "+" + desk.outside
    try:
        phones = Phones(pbx)
    except PeerMissing as problem:
        do_without(problem)
    async with phones, open_house(tmp_path, database_url, line(pbx, desk, pbx.names.empty) + CALL_BACK) as house:
        await house.line_runs("pbx")
        page = await at_desk(browser, house, "op0")
        await expect(page.locator(".phone-strip summary")).to_have_class("button phone-free", timeout=SLOW_MS)
        await phones.caller(desk.empty_did, "bye", 800, who=desk.outside)  # no telephone rings
        promise = await house.wait_for_row(models.obligation, regulation="call-back", state="running")
        await house.wait_for_row(models.task, obligation_id=promise["id"], state="open")
        await phones.operator(desk.ports[0], "answer", 500)
        await phones.operator(pbx.outside_ports[0], "answer", 1_000)
        await page.goto(f"{house.address}/desk/tasks?tab=team")
        await page.wait_for_selector("html[data-live=on]", state="attached", timeout=SLOW_MS)
        await page.locator(f"main button[name=number][value='{number}']").first.click(timeout=SLOW_MS)
        calling = page.locator(".call").filter(has_text=number)
        await expect(calling).to_have_attribute("data-state", "talking", timeout=SLOW_MS)
        await until(house, "he talks", lambda: talks(pbx, desk.phones[0]))
        await calling.locator("textarea").fill("Перезвонили")
        await press(calling, "Положить трубку").click()
        await expect(calling).to_have_attribute("data-state", "wrap_up", timeout=SLOW_MS)
        await until(house, "he has hung up", lambda: not has_channel(pbx, desk.phones[0]))
        await house.wait_for_row(models.obligation, id=promise["id"], state="met")
        await house.wait_for_row(models.task, obligation_id=promise["id"], state="done")
        await expect(page.locator(f"main button[name=number][value='{number}']")).to_have_count(0, timeout=SLOW_MS)
        await calling.locator("select[name=disposition]").select_option("sale")
        await press(calling, "Завершить обработку").click()
        await expect(page.locator(".call")).to_have_count(0, timeout=SLOW_MS)
        row = await house.wait_for_row(models.interaction, line="pbx", direction="outbound")
        assert (row["text"], row["disposition"], row["call"]["to"]) == ("Перезвонили", "sale", number)
        await page.context.close()


async def silence_a_while(house: House, talking: Locator, pbx: Asterisk) -> None:
    """A second of sound, a second of silence, a second of sound: as the exchange writes it."""
    await more_sound(house, pbx)
    await press(talking, "Остановить запись").click()
    await expect(press(talking, "Продолжить запись")).to_be_visible(timeout=SLOW_MS)
    await expect(talking.locator(".silent")).to_be_visible()
    await more_sound(house, pbx)
    await talking.page.reload()
    await press(talking, "Продолжить запись").click(timeout=SLOW_MS)
    await expect(press(talking, "Остановить запись")).to_be_visible(timeout=SLOW_MS)
    await more_sound(house, pbx)


async def more_sound(house: House, pbx: Asterisk) -> None:
    def size() -> int:
        return sum(path.stat().st_size for path in pbx.recordings.rglob("*.wav"))

    wanted = size() + ENOUGH_SOUND
    await until(house, "the recording grows", lambda: size() >= wanted)


def has_silence_between_sounds(folder: Path) -> bool:
    """Whether some recording is loud, then silent for half a second at least, then loud again."""
    for path in folder.rglob("*.wav"):
        with wave.open(str(path)) as sound:
            samples = array("h", sound.readframes(sound.getnframes()))
        tenths = "".join(
            "x" if max(map(abs, samples[start : start + 800]), default=0) > LOUD else "."
            for start in range(0, len(samples), 800)
        )
        if re.search(r"x\.{5,}x", tenths):
            return True
    return False


async def ask(page: Page, name: str) -> None:
    await hand_over(page, name, "Сначала поговорить")


async def hand_over(page: Page, name: str, how: str) -> None:
    talking = card(page, "talking")
    await talking.locator("details[data-transfer] summary").click()
    await talking.get_by_role("radio", name=name).check(timeout=SLOW_MS)
    await press(talking, how).click()
