"""From a real telephone to the operator's page, and back: a caller, a queue of a real Asterisk, a desk in Chromium."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from hub.access.tickets import make_ticket
from storage import models
from tests.flows.house import House, open_house
from tests.peers.asterisk import Asterisk, Desk
from tests.peers.asterisk_conf import SECRET
from tests.peers.chromium import open_page
from tests.peers.missing import PeerMissing, do_without
from tests.peers.sipp import Phones

LONG_MS = 20_000


def pbx_line(pbx: Asterisk, desk: Desk) -> str:
    people = "".join(
        f'[operator.op{number}]\nname = "Operator {number}"\nteams = ["support"]\nextension = "{phone}"\n'
        for number, phone in enumerate(desk.phones)
    )
    return (
        f'[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = {pbx.ami}\n'
        f'username = "hub"\nsecret = "{SECRET}"\ninterface = "{pbx.interface}"\nwrap_up = 30\n'
        f'route_agi = "127.0.0.1:{pbx.agi}"\nqueues = {{ "{desk.ring_all}" = "support" }}\n{people}'
    )


async def at_desk(browser: Browser, house: House, operator: str) -> Page:
    page = await open_page(browser)
    secret = await house.store.write(lambda unit: make_ticket(unit, "sign_in", operator))
    await page.goto(f"{house.address}/sign-in/once/{secret}")
    await page.wait_for_selector("html[data-live=on]", state="attached")
    return page


async def test_from_the_ring_to_the_page_and_from_the_page_to_the_telephone(
    own_asterisk: Asterisk, browser: Browser, tmp_path: Path, database_url: str
) -> None:
    desk = own_asterisk.desks[0]
    try:
        phones = Phones(own_asterisk)
    except PeerMissing as problem:
        do_without(problem)
    async with phones, open_house(tmp_path, database_url, pbx_line(own_asterisk, desk)) as house:
        await house.line_runs("pbx")
        first, second = await at_desk(browser, house, "op0"), await at_desk(browser, house, "op1")
        await expect(first.locator(".phone-strip summary")).to_have_class("button phone-free")
        for port in desk.ports[:2]:
            await phones.operator(port, "answer", 1_500)
        await phones.operator(desk.ports[2], "noanswer", LONG_MS)
        await phones.caller(desk.ring_all_did, "bye", LONG_MS)
        for page in (first, second):
            await expect(page.locator(".call[data-state=ringing]")).to_contain_text("+79161234567")
        row = await house.inbound(line="pbx")
        await house.wait_until("somebody talks", lambda: _talks(house, row["id"]), 20)
        operator = (await house.row(models.interaction, id=row["id"]))["operator"]
        page, other = (first, second) if operator == "op0" else (second, first)
        await expect(page.locator(".call[data-state=talking]")).to_be_visible()
        await expect(other.locator(".call")).to_have_count(0)
        await expect(page.locator(".phone-strip summary")).to_have_class("button phone-talking")
        await page.locator(".call textarea").fill("Звонил из настоящего телефона")
        await page.locator(".call").get_by_role("button", name="Положить трубку").click()
        await expect(page.locator(".call")).to_have_attribute("data-state", "wrap_up")
        await expect(page.locator(".phone-strip summary")).to_have_class("button phone-wrap_up")
        await page.locator(".call select[name=disposition]").select_option("sale")
        await page.locator(".call button.main-act").click()
        await expect(page.locator(".call")).to_have_count(0)
        await expect(page.locator(".phone-strip summary")).to_have_class("button phone-free")
        done = await house.row(models.interaction, id=row["id"])
        assert (done["text"], done["disposition"]) == ("Звонил из настоящего телефона", "sale")
        assert done["call"]["ended_by"] == "operator" and done["call"]["wrap_s"] > 0
        await page.locator(".phone-strip summary").click()
        await page.locator(".phone-strip").get_by_role("button", name="обед").click()
        await expect(page.locator(".phone-strip summary")).to_have_class("button phone-paused")
        await expect(page.locator(".phone-strip summary")).to_contain_text("обед")
        for each in (first, second):
            await each.context.close()


async def _talks(house: House, number: int) -> bool:
    row = await house.row(models.interaction, id=number)
    return bool((row["call"] or {}).get("outcome") == "answered" and row["operator"])
