"""From a client's phone to the log, and answers back to his phone; reports, STOP, and restarts of the SMSC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.actions.writing import Letter, reply, write_first
from hub.actor import Actor
from hub.clock import now
from hub.errors import BadInput
from storage import models
from tests.channels.door import until
from tests.flows.house import House, open_house
from tests.peers.smsc import CLIENT, Smsc, body, in_parts, report

ANNA = Actor("operator", "anna", "operator", ("support",))
SECRET = "a-secret-of-the-flow"
LONG = "Здравствуйте! " * 12
Row = dict[str, Any]


def sms_line(smsc: Smsc) -> str:
    return (
        f'[line.sms]\nchannel = "sms"\nteam = "support"\ngateway = "smpp"\nhost = "127.0.0.1"\nport = {smsc.port}\n'
        'system_id = "hub"\npassword = "secret"\nsender = "Touchline"\ntimeout_s = 5\n'
    )


WEB_LINE = (
    '[line.web-sms]\nchannel = "sms"\nteam = "support"\ngateway = "http"\ntemplate = "json-bearer"\n'
    f'url = "http://127.0.0.1:9/messages"\ntoken = "x"\nsecret = "{SECRET}"\n'
)


@dataclass(slots=True)
class Office:
    """A house with an account at an SMSC."""

    house: House
    smsc: Smsc

    async def answer(self, conversation: int, text: str) -> int:
        """Anna answers; the number of the delivery."""
        setup = self.house.hub.setup.current
        return await self.house.store.write(lambda unit: reply(unit, setup, conversation, ANNA, Letter(text)))


@pytest.fixture
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    smsc = Smsc()
    await smsc.start()
    async with open_house(tmp_path, database_url, sms_line(smsc), WEB_LINE) as house:
        await house.line_runs("sms")
        yield Office(house, smsc)
    await smsc.stop()


async def test_a_long_message_and_a_long_answer(office: Office) -> None:
    house, smsc = office.house, office.smsc
    smsc.push(*in_parts(LONG))
    asked = await house.inbound(channel="sms")
    assert asked["text"] == LONG and asked["party"][0]["identity"] == f"phone:+{CLIENT}"
    assert (await house.row(models.obligation, started_by=asked["id"]))["state"] == "running"
    smsc.reports_early = True
    number = await office.answer(asked["conversation_id"], LONG)
    await house.wait_for_row(models.delivery, id=number, state="delivered")
    assert smsc.texts() == [LONG.strip()]
    await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")
    assert smsc.submitted[0].destination == CLIENT


async def test_a_report_before_the_answer_finds_its_delivery(office: Office) -> None:
    house, smsc = office.house, office.smsc
    smsc.say("Где заказ?")
    asked = await house.inbound()
    smsc.reports_early = True
    number = await office.answer(asked["conversation_id"], "Едет")
    row = await house.wait_for_row(models.delivery, id=number, state="delivered")
    assert row["external_id"] == smsc.submitted[0].id


async def test_a_message_that_did_not_arrive_reopens_what_it_answered(office: Office) -> None:
    house, smsc = office.house, office.smsc
    smsc.say("Где заказ?")
    asked = await house.inbound()
    number = await office.answer(asked["conversation_id"], "Едет")
    await house.wait_for_row(models.delivery, id=number, state="sent")
    smsc.push(report(smsc.submitted[0].id, "UNDELIV", "001"))
    row = await house.wait_for_row(models.delivery, id=number, state="failed")
    assert "UNDELIV" in row["reason"]
    talk = await house.row(models.conversation, id=asked["conversation_id"])
    assert talk["state"] == "open" and talk["waiting_id"] == asked["id"]


async def test_no_answer_after_the_hand_over_is_unknown_and_never_sent_twice(office: Office) -> None:
    house, smsc = office.house, office.smsc
    smsc.say("Где заказ?")
    asked = await house.inbound()
    smsc.answers = ["hang up"]
    number = await office.answer(asked["conversation_id"], "Едет")
    await house.wait_for_row(models.delivery, id=number, state="unknown", seconds=25)
    assert smsc.texts() == ["Едет"]


async def test_a_restart_of_the_smsc_loses_nothing(office: Office) -> None:
    house, smsc = office.house, office.smsc
    await smsc.stop()
    smsc.say("Пока вас не было")
    await smsc.start()
    assert (await house.inbound(text="Пока вас не было"))["line"] == "sms"
    assert len(await house.rows(models.interaction)) == 1


async def test_stop_is_marked_and_names_cannot_be_answered(office: Office) -> None:
    house, smsc = office.house, office.smsc
    smsc.say("СТОП")
    stopped = await house.inbound(text="СТОП")
    assert stopped["fields"]["opted_out"] is True
    smsc.push(body(b"Your code is 1234", source="MyBank", ton=5))
    named = await house.inbound(text="Your code is 1234")
    assert named["party"][0]["odd"] is True and "cannot be answered" in named["field_marks"]["sender"]
    assert await house.rows(models.obligation, started_by=named["id"]) == []
    with pytest.raises(BadInput):
        await office.answer(named["conversation_id"], "Hello")


@pytest.mark.parametrize(("policy", "status"), [("off", 404), ("receive_only", 200), ("allowed", 200)])
async def test_a_line_that_is_off_hears_nothing_by_webhook(tmp_path: Path, policy: str, status: int) -> None:
    line = WEB_LINE + f'policy = "{policy}"\n'
    async with open_house(tmp_path, f"sqlite:///{tmp_path / 'touchline.db'}", line) as house:
        said = {"from": "+380671234567", "to": "7000", "text": "Де моє замовлення?", "id": "m-1"}
        address = f"{house.address}/hooks/web-sms/in?secret={SECRET}"
        async with house.http.post(address, json=said) as answer:
            assert answer.status == status
        heard = await house.rows(models.interaction)
        assert len(heard) == (1 if status == 200 else 0)
        if policy == "receive_only":
            setup = house.hub.setup.current
            with pytest.raises(BadInput):
                await house.store.write(lambda unit: reply(unit, setup, heard[0]["conversation_id"], ANNA, Letter("x")))


async def test_who_sleeps_is_not_written_to_unasked(tmp_path: Path, database_url: str) -> None:
    """What answers nothing waits for the morning, and says so; an answer goes out at once."""
    zone = ZoneInfo("Europe/Moscow")
    wall = now().astimezone(zone)
    hours = f"{wall - timedelta(hours=1):%H:%M}-{wall + timedelta(hours=2):%H:%M}"
    smsc = Smsc()
    await smsc.start()
    line = sms_line(smsc) + f'quiet_hours = "{hours}"\nquiet_for = "unasked"\nzone = "Europe/Moscow"\n'
    async with open_house(tmp_path, database_url, line) as house:
        await house.line_runs("sms")
        setup = house.hub.setup.current
        letter, whom = Letter("Новости", line="sms"), "phone:+79161234599"
        _, number = await house.store.write(lambda unit: write_first(unit, setup, ANNA, letter, identity=whom))

        async def put_off() -> bool:
            return (await house.row(models.delivery, id=number))["postponed_until"] is not None

        await house.wait_until("it is put off", put_off)
        row = await house.row(models.delivery, id=number)
        assert (row["state"], row["reason"]) == ("pending", "quiet hours where the recipient lives")
        assert row["postponed_until"] > now() + timedelta(minutes=90)
        smsc.say("Где заказ?")
        asked = await house.inbound()
        answer = await Office(house, smsc).answer(asked["conversation_id"], "Едет")
        await house.wait_for_row(models.delivery, id=answer, state="sent")
        assert smsc.texts() == ["Едет"]
        job = next(one for one in await house.rows(models.job, kind="deliver") if one["body"] == {"delivery": number})
        assert job["run_at"] > now() + timedelta(minutes=90)
    await smsc.stop()


async def test_a_gateway_calls_our_webhook(office: Office) -> None:
    house = office.house
    said = {"from": "+380671234567", "to": "7000", "text": "Де моє замовлення?", "id": "m-1"}
    address = f"{house.address}/hooks/web-sms/in"
    async with house.http.post(f"{address}?secret=wrong-one", json=said) as answer:
        assert answer.status == 401
    for _ in range(2):
        async with house.http.post(f"{address}?secret={SECRET}", json=said) as answer:
            assert answer.status == 200
    row = await house.row(models.interaction, line="web-sms")
    assert (row["text"], row["party"][0]["identity"]) == ("Де моє замовлення?", "phone:+380671234567")
    await until(lambda: office.smsc.waiting == 0, 3, lambda: "something waits")
