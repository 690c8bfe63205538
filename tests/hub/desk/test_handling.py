"""What an operator does with conversations, clients, tasks and alerts, by plain forms."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from storage import models
from tests.hub.desk.office import Office, seed
from tests.hub.desk.visits import Visit, visit


async def test_take_hand_over_close_reopen(any_office: Office) -> None:
    found = await seed(any_office)
    talk = f"/desk/conversations/{found['english']}"
    async with visit(any_office, "anna") as anna, visit(any_office, "boris") as boris:
        taken = await anna.post(f"{talk}/take")
        assert (taken.status, taken.location) == (303, f"{talk}?said=taken")
        assert "Обращение теперь ваше" in (await anna.get(taken.location)).text
        late = await boris.post(f"{talk}/take")
        assert late.status == 409
        assert "poproś o nią albo niech przekaże ją kierownik".capitalize() in late.text
        assert (await anna.post(f"{talk}/hand-over", {"operator": "boris", "why": "по-английски"})).status == 303
        assert (await any_office.row(models.conversation, found["english"]))["owner"] == "boris"
        assert (await anna.post(f"{talk}/hand-over", {})).status == 422
        unanswered = await boris.post(f"{talk}/close", {"how": "answered"})
        assert unanswered.status == 409
        assert "Ostatnia wiadomość klienta nie ma odpowiedzi" in unanswered.text
        assert (await boris.post(f"{talk}/close", {"how": "no_answer_needed"})).location == "/desk?said=closed"
        row = await any_office.row(models.conversation, found["english"])
        assert (row["state"], row["closed_why"]) == ("solved", "no_answer_needed")
        assert (await boris.post(f"{talk}/reopen")).status == 303
        row = await any_office.row(models.conversation, found["english"])
        assert row["state"] == "open"
        assert row["waiting_since"] is not None


async def test_postpone_in_the_operators_own_zone(office: Office) -> None:
    found = await seed(office)
    talk = f"/desk/conversations/{found['again']}"
    later = office.store.now() + timedelta(days=1)
    async with visit(office, "anna") as visitor:
        written = (later + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
        assert (await visitor.post(f"{talk}/postpone", {"until": written})).status == 303
        row = await office.row(models.conversation, found["again"])
        assert row["state"] == "postponed"
        assert abs(row["postponed_until"] - later) < timedelta(minutes=1)
        assert (await visitor.post(f"{talk}/postpone", {"until": "2020-01-01T10:00"})).status == 422
        assert (await visitor.post(f"{talk}/postpone", {"until": "yesterday"})).status == 422
        assert (await visitor.post(f"{talk}/postpone", {})).status == 422
        assert (await visitor.post(f"{talk}/wait")).status == 303
        assert (await office.row(models.conversation, found["again"]))["state"] == "waiting_client"


async def test_card_is_changed_and_a_client_made(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "anna") as visitor:
        fields = {
            "name": "Мария Петрова-Иванова",
            "kind": "person",
            "category": "A",
            "lifecycle": "current",
            "responsible": "anna",
            "notes": "строка\r\nещё",
            "fields": "Договор = 118/2026\nЛюбит = чай",
            "next": "/desk/clients/2",
        }
        assert (await visitor.post("/desk/clients/2/edit", fields)).location == "/desk/clients/2?said=saved"
        row = await any_office.row(models.client, 2)
        assert (row["name"], row["category"], row["notes"]) == ("Мария Петрова-Иванова", "A", "строка\nещё")
        assert row["fields"] == {"Договор": "118/2026", "Любит": "чай"}
        added = {"scheme": "phone", "value": "8 (812) 325-83-52"}
        assert (await visitor.post("/desk/clients/2/identities", added)).status == 303
        page = (await visitor.get("/desk/clients/2/edit")).text
        assert "+78123258352" in page
        removes = re.findall(r"/desk/clients/2/identities/(\d+)/remove", page)
        assert (await visitor.post(f"/desk/clients/2/identities/{removes[-1]}/remove")).status == 303
        assert "+78123258352" not in (await visitor.get("/desk/clients/2/edit")).text
        made = await visitor.post("/desk/clients/new", {"name": "Новый", "kind": "person", "email": "new@mail.example"})
        assert re.match(r"/desk/clients/\d+\?said=made", made.location)
        twice = await visitor.post(
            "/desk/clients/new", {"name": "Другой", "kind": "person", "email": "new@mail.example"}
        )
        assert twice.status == 409


async def test_merge_and_undo(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "anna") as visitor:
        assert (await visitor.post("/desk/clients/2/merge", {"other": "4"})).location == "/desk/clients/2?said=merged"
        page = (await visitor.get("/desk/clients/2")).text
        assert "ivanenko@lviv.example" in page
        assert "Коли приїде майстер?" in page
        assert "объединён с другим" in (await visitor.get("/desk/clients/4")).text
        undo = re.search(r"/desk/merges/(\d+)/undo", page)
        assert undo
        assert (await visitor.post(undo[0], {"next": "/desk/clients/2"})).status == 303
        assert "ivanenko@lviv.example" not in (await visitor.get("/desk/clients/2")).text
        assert (await visitor.post("/desk/clients/2/merge", {"other": "2"})).status in {409, 422}


async def test_tasks(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "anna") as visitor:
        new = {"title": "Сверить счета", "owner": "anna", "due": "2027-03-01T10:00", "client": "2"}
        assert (await visitor.post("/desk/tasks/new", new)).location == "/desk/tasks?said=made"
        page = (await visitor.get("/desk/tasks")).text
        assert "Сверить счета" in page
        task = await _task(any_office, "Сверить счета")
        assert task["due"].isoformat() == "2027-03-01T07:00:00+00:00", "the form speaks Moscow time"
        changed = {**new, "title": "Сверить счета за год", "note": "до конца месяца"}
        assert (await visitor.post(f"/desk/tasks/{task['id']}", changed)).status == 303
        assert (await visitor.post(f"/desk/tasks/{task['id']}/done", {"next": "/desk/tasks"})).status == 303
        assert "Сверить счета за год" in (await visitor.get("/desk/tasks?tab=done")).text
        assert (await visitor.post(f"/desk/tasks/{task['id']}/reopen")).status == 303
        assert (await visitor.post("/desk/tasks/new", {"title": " "})).status == 422


async def _task(office: Office, title: str) -> dict[str, object]:
    query = select(models.task).where(models.task.c.title == title)
    return await office.store.read(lambda connection: dict(connection.execute(query).one()._mapping))


async def test_quarantine(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "anna") as visitor:
        number = await _held(visitor)
        assert (await visitor.post(f"/desk/quarantine/{number}", {"do": "junk"})).status == 303
        assert "ВЫ ВЫИГРАЛИ" not in (await visitor.get("/desk/quarantine")).text
        assert "ВЫ ВЫИГРАЛИ" in (await visitor.get("/desk/quarantine?tab=junk")).text
        assert (await visitor.post(f"/desk/quarantine/{number}", {"do": "release"})).status == 303
        assert "ВЫ ВЫИГРАЛИ" in (await visitor.get("/desk?tab=team&part=list")).text
        assert (await visitor.post(f"/desk/quarantine/{number}", {"do": "release"})).status == 409


async def _held(visitor: Visit) -> str:
    found = re.search(r"/desk/quarantine/(\d+)", (await visitor.get("/desk/quarantine")).text)
    assert found
    return found[1]


async def test_alerts_are_acknowledged(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "anna") as anna, visit(any_office, "boris") as boris:
        page = (await anna.get("/desk/alerts")).text
        number = re.findall(r"/desk/alerts/(\d+)/acknowledge", page)[0]
        before = int(re.findall(r"<b>(\d+)</b></a>", (await anna.get("/desk/frame?part=bell")).text)[0])
        assert (await boris.post(f"/desk/alerts/{number}/acknowledge")).status == 403
        assert (await anna.post(f"/desk/alerts/{number}/acknowledge")).status == 303
        bell = re.findall(r"<b>(\d+)</b></a>", (await anna.get("/desk/frame?part=bell")).text)
        assert (int(bell[0]) if bell else 0) == before - 1
        assert "подтверждает Анна Соколова" in (await anna.get("/desk/alerts?tab=settled")).text


async def test_due_is_set_by_hand_and_breach_excused(office: Office) -> None:
    found = await seed(office)
    query = select(models.obligation.c.id).where(models.obligation.c.conversation_id == found["late"])
    number = await office.store.read(lambda connection: connection.execute(query).scalar_one())
    async with visit(office, "anna") as anna, visit(office, "vera") as vera:
        due = {"due": "2027-03-01T10:00", "next": "/desk"}
        assert (await anna.post(f"/desk/obligations/{number}/pin", due)).status == 403
        assert (await vera.post(f"/desk/obligations/{number}/excuse", {"reason": "клієнт поза зв’язком"})).status == 303
        assert "клієнт поза зв’язком" in (await vera.get(f"/desk/obligations/{number}/why")).text
        assert (await vera.post(f"/desk/obligations/{number}/pin", due)).status == 303
        assert (await office.row(models.obligation, number))["pinned"]


async def test_a_visit_is_logged_by_hand(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "anna") as visitor:
        fields = {
            "kind": "meeting",
            "direction": "inbound",
            "at": "2026-01-15T11:00",
            "party": "+7 916 555-00-11",
            "name": "Гость",
            "subject": "Зашёл в офис",
            "text": "Спрашивал про договор",
        }
        answer = await visitor.post("/desk/log", fields)
        assert answer.status == 303, answer.text
        assert "Спрашивал про договор" in (await visitor.get(answer.location)).text
        assert (await visitor.post("/desk/log", {**fields, "at": "2099-01-01T10:00"})).status == 422
