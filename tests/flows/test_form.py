"""A form from the wire to the log: interaction, client, promise, task, and found by its words."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import models
from tests.flows.house import open_house

LEAD = {
    "name": "Иван Ёлкин",
    "phone": "8 (916) 123-45-67",
    "email": "Ivan.Elkin@Example.org",
    "message": "Интересует СRМ для отдела продаж",
    "utm_source": "yandex",
}


async def test_a_form_becomes_an_interaction_of_a_client_with_a_promise(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url) as house:
        before = datetime.now(UTC)
        told = await house.post("contact", LEAD)
        row = await house.row(models.interaction, id=told["interaction"])
        assert (row["kind"], row["channel"], row["line"]) == ("form", "webform", "form:contact")
        assert (row["direction"], row["team"]) == ("inbound", "support")
        assert LEAD["message"] in row["text"]
        assert row["origin"]["utm_source"] == "yandex"
        client = await house.row(models.client, id=row["client_id"])
        assert client["name"] == "Иван Ёлкин"
        identities = {(one["scheme"], one["value"]) for one in await house.rows(models.identity)}
        assert identities == {("phone", "+79161234567"), ("email", "ivan.elkin@example.org")}
        promise = await house.row(models.obligation, started_by=row["id"])
        assert (promise["regulation"], promise["state"], promise["client_id"]) == ("reaction", "running", client["id"])
        assert timedelta(0) <= promise["due"] - before - timedelta(hours=4) < timedelta(seconds=30)
        assert datetime.fromisoformat(told["answer_by"]) == promise["due"].replace(microsecond=0)
        talk = await house.row(models.conversation, id=row["conversation_id"])
        assert (talk["state"], talk["waiting_id"]) == ("open", row["id"])
        raw = await house.row(models.raw)
        assert raw["size"] > 0


async def test_a_form_is_found_by_its_words_and_its_client_by_a_piece_of_his_number(
    tmp_path: Path, database_url: str
) -> None:
    async with open_house(tmp_path, database_url) as house:
        told = await house.post("contact", LEAD)
        for words in ("crm", "интересует", "елкин", "123-45", "ivan.elkin@example.org"):
            assert await house.search(words) == [told["interaction"]], words
        assert len(await house.search("1234567", "client")) == 1
        assert await house.search("вертолёт") == []


async def test_a_form_sent_again_is_told_so_and_starts_no_second_clock(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url) as house:
        first = await house.post("contact", LEAD, Idempotency_Key="lead-1")
        same_key = await house.post("contact", LEAD, Idempotency_Key="lead-1")
        same_words = await house.post("contact", LEAD)
        assert (first["again"], same_key["again"], same_words["again"]) == (False, True, True)
        assert same_key["interaction"] == first["interaction"] != same_words["interaction"]
        assert len(await house.rows(models.touch)) == 2
        assert len(await house.rows(models.client)) == 1
        assert len(await house.rows(models.obligation)) == 1


async def test_many_forms_at_once_are_each_in_the_log_once(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url) as house:
        leads = [{**LEAD, "phone": f"+7916{number:07d}", "email": f"v{number}@example.org"} for number in range(100)]
        told = await asyncio.gather(*(house.post("contact", lead) for lead in leads))
        assert len({one["interaction"] for one in told}) == 100
        assert len(await house.rows(models.interaction)) == 100
        assert len(await house.rows(models.obligation)) == 100
        assert len(await house.rows(models.client)) == 100
