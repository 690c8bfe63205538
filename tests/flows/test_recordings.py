"""A recorded call and a voice message of a real Asterisk, played in a real browser by whose they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from channels.asterisk.fastagi import AgiServer
from hub.access.tickets import make_ticket
from storage import models
from tests.channels.asterisk.gap import phones_of
from tests.channels.asterisk.show import House as Line
from tests.flows.house import House, open_house
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_conf import SECRET
from tests.peers.chromium import DESKTOP, open_page

Row = dict[str, Any]
PATIENCE_S = 60.0


def pbx_line(pbx: Asterisk, extension: str) -> str:
    return (
        f'[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = {pbx.ami}\nusername = "hub"\n'
        f'secret = "{SECRET}"\ninterface = "{pbx.interface}"\nrecordings = "{pbx.recordings}"\n'
        f'voicemail = "{pbx.folder}/spool/voicemail"\nrecordings_for = "own"\n'
        f'[operator.ivan]\nname = "Ivan"\nteams = ["support"]\nextension = "{extension}"\nlanguage = "en"\n'
    )


@asynccontextmanager
async def routing(pbx: Asterisk) -> AsyncIterator[None]:
    """Somebody answers the dialplan's questions."""
    agi = AgiServer(Line(pbx).door().route, lambda *_: None, 1.0)
    await agi.start("127.0.0.1", pbx.agi)
    try:
        yield
    finally:
        await agi.close()


async def ended(house: House, did: str, fact: str = "recording") -> Row:
    """The row of the call to a number, once it is over and this is known of it."""
    found: list[Row] = []

    async def known() -> bool:
        rows = await house.rows(models.interaction, line="pbx")
        over = [row for row in rows if row["ended_at"] is not None and row["call"].get("to") == did]
        found[:] = [row for row in over if row["call"].get(fact)]
        return bool(found)

    await house.wait_until(f"the call to {did} ends", known, PATIENCE_S)
    return found[0]


async def at_desk(browser: Browser, house: House, operator: str) -> Page:
    page = await open_page(browser, DESKTOP)
    secret = await house.store.write(lambda unit: make_ticket(unit, "sign_in", operator))
    await page.goto(f"{house.address}/sign-in/once/{secret}")
    await page.wait_for_url("**/desk")
    return page


async def hear(page: Page, label: str) -> list[int]:
    """Press play, wait until some of it was heard, jump; the statuses of what was fetched."""
    statuses: list[int] = []
    page.on("response", lambda answer: statuses.append(answer.status) if "/interactions/" in answer.url else None)
    player = page.get_by_label(label, exact=True)
    await expect(player).to_be_visible()
    await player.click(position={"x": 18, "y": 18})
    await page.wait_for_function(
        "name => document.querySelector(`audio[aria-label='${name}']`).currentTime > 0.2", arg=label
    )
    length = await player.evaluate("each => each.duration")
    assert length > 0.5
    await player.evaluate("each => { each.pause(); each.currentTime = each.duration / 2; }")
    await page.wait_for_function("name => !document.querySelector(`audio[aria-label='${name}']`).seeking", arg=label)
    assert await player.evaluate("each => each.error") is None
    return statuses


async def test_a_call_and_a_voice_message_are_played_at_the_desk(
    asterisk: Asterisk, browser: Browser, tmp_path: Path, database_url: str
) -> None:
    desk = asterisk.desks[-1 if database_url.startswith("sqlite") else -2]
    async with (
        phones_of(asterisk) as phones,
        routing(asterisk),
        open_house(tmp_path, database_url, pbx_line(asterisk, desk.phones[0])) as house,
    ):
        await house.line_runs("pbx")
        await phones.operator(desk.ports[0], "talk", 300)
        await phones.caller(desk.did, "bye", 6000)
        await phones.caller(desk.empty_did, "talk", 11500, who="79167654321")
        talked = await ended(house, desk.did)
        assert (talked["call"]["outcome"], talked["operator"]) == ("answered", "ivan")
        page = await at_desk(browser, house, "ivan")
        await page.goto(f"{house.address}/desk/conversations/{talked['conversation_id']}")
        assert 206 in await hear(page, "Recording")
        assert await page.get_by_text("Listened to").count() == 0, "that is for supervisors"
        missed = await ended(house, desk.empty_did, "voicemail")
        assert missed["call"]["outcome"] == "missed"
        await page.goto(f"{house.address}/desk/conversations/{missed['conversation_id']}")
        await expect(page.get_by_text("It is not yours to hear")).to_be_visible()
        await page.context.close()
        page = await at_desk(browser, house, "vera")
        await page.goto(f"{house.address}/desk/conversations/{missed['conversation_id']}")
        assert 206 in await hear(page, await _name(page, "voicemail"))
        await page.goto(f"{house.address}/desk/conversations/{talked['conversation_id']}")
        await hear(page, await _name(page, "recordings/1"))
        await page.reload()
        await page.locator(".recordings summary").click()
        await expect(page.locator(".recordings li")).to_have_count(2)
        await expect(page.locator(".recordings li").first).to_contain_text("Ivan")
        heard = await house.rows(models.journal, action="listened")
        assert sorted((one["who"], one["data"]["what"]) for one in heard) == [
            ("operator:ivan", "recording"),
            ("operator:vera", "recording"),
            ("operator:vera", "voicemail"),
        ]
        await _is_told_what_cannot_be_played(page, asterisk.recordings / talked["call"]["recording"])
        await page.context.close()


async def _is_told_what_cannot_be_played(page: Page, recorded: Path) -> None:
    """As if MixMonitor wrote `.gsm`: a way to get it takes the place of a player that stays silent."""
    recorded.with_suffix(".gsm").write_bytes(b"\xd2" + bytes(32))
    recorded.unlink()
    await page.reload()
    player, told = page.locator("audio[src$='recordings/1']"), page.locator(".player [data-format]").first
    await expect(told).to_be_hidden()
    await player.evaluate("each => each.play().catch(() => null)")
    await expect(told).to_be_visible()
    await expect(player).to_be_hidden()
    await expect(told.get_by_role("link")).to_have_attribute("href", re.compile("recordings/1$"))


async def _name(page: Page, ending: str) -> str:
    """What a player is called in the visitor's language."""
    found = await page.locator(f"audio[src$='{ending}']").get_attribute("aria-label")
    assert found is not None
    return found
