"""Answering: what goes out, drafts, files, two at one conversation, mail as it was laid out."""

from __future__ import annotations

import io
import re
from typing import Any

from aiohttp import FormData
from sqlalchemy import select, update

from storage import models
from tests.hub.desk.office import Office, mail, seed
from tests.hub.desk.visits import visit


async def _sent(office: Office, conversation: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The newest outbound interaction of a conversation and its delivery."""
    said = models.interaction
    query = (
        select(said)
        .where(said.c.conversation_id == conversation, said.c.kind == "message", said.c.direction != "inbound")
        .order_by(said.c.id.desc())
    )

    def read(connection: Any) -> Any:
        row = dict(connection.execute(query).first()._mapping)
        delivery = connection.execute(
            select(models.delivery).where(models.delivery.c.interaction_id == row["id"])
        ).one()
        return row, dict(delivery._mapping)

    return await office.store.read(read)


async def test_a_reply_goes_out_with_signature_copies_and_files(any_office: Office) -> None:
    found = await seed(any_office)
    talk = f"/desk/conversations/{found['vip']}"
    async with visit(any_office, "anna") as visitor:
        await visitor.post("/desk/settings", {"language": "ru", "signature": "Анна Соколова\r\nПоддержка"})
        form = FormData(quote_fields=False)
        for name, value in (
            ("text", "Мария, инженер уже в пути."),
            ("line", "support-mail"),
            ("to", "petrova@zavod.example"),
            ("cc", "boss@zavod.example; second@zavod.example"),
            ("subject", "Re: Не работает касса на Невском"),
        ):
            form.add_field(name, value)
        form.add_field("file", io.BytesIO(b"x" * 3_000_000), filename="акт.pdf", content_type="application/pdf")
        answer = await visitor.post(f"{talk}/reply", form)
        assert (answer.status, answer.location) == (303, f"{talk}?said=replied"), answer.text
        said, delivery = await _sent(any_office, found["vip"])
        assert said["text"] == "Мария, инженер уже в пути.\n\n-- \nАнна Соколова\nПоддержка"
        assert said["operator"] == "anna"
        roles = [(one["identity"], one["role"]) for one in delivery["recipients"]]
        assert roles == [
            ("email:petrova@zavod.example", "to"),
            ("email:boss@zavod.example", "cc"),
            ("email:second@zavod.example", "cc"),
        ]
        page = (await visitor.get(talk)).text
        assert "акт.pdf" in page
        assert "отправляется" in page
        assert (await any_office.row(models.conversation, found["vip"]))["state"] == "waiting_client"


async def test_send_and_close(office: Office) -> None:
    found = await seed(office)
    talk = f"/desk/conversations/{found['english']}"
    async with visit(office, "anna") as visitor:
        answer = await visitor.post(f"{talk}/reply", {"text": "Here it is.", "line": "support-mail", "then": "close"})
        assert answer.location == "/desk?said=replied"
        assert (await office.row(models.conversation, found["english"]))["state"] == "solved"
        empty = await visitor.post(f"{talk}/reply", {"text": "  ", "line": "support-mail"})
        assert empty.status == 422
        assert "Сообщение пустое" in empty.text


async def test_a_failed_message_is_sent_again(office: Office) -> None:
    found = await seed(office)
    talk = f"/desk/conversations/{found['english']}"
    async with visit(office, "anna") as visitor:
        await visitor.post(f"{talk}/reply", {"text": "Here it is.", "line": "support-mail"})
        _, delivery = await _sent(office, found["english"])
        again = f"/desk/deliveries/{delivery['id']}/retry"
        assert (await visitor.post(again)).status == 409
        failed = update(models.delivery).values(state="failed", reason="550 no such user")
        await office.store.write(lambda unit: unit.connection.execute(failed).rowcount)
        page = (await visitor.get(talk)).text
        assert "550 no such user" in page
        assert again in page
        assert (await visitor.post(again)).status == 303
        _, delivery = await _sent(office, found["english"])
        assert (delivery["state"], delivery["reason"]) == ("pending", None)


async def test_a_note_is_for_colleagues(office: Office) -> None:
    found = await seed(office)
    talk = f"/desk/conversations/{found['english']}"
    async with visit(office, "anna") as visitor:
        assert (await visitor.post(f"{talk}/note", {"text": "ждём бухгалтерию"})).status == 303
        assert "ждём бухгалтерию" in (await visitor.get(talk)).text
        assert (await visitor.post(f"{talk}/note", {"text": ""})).status == 422


async def test_draft_is_kept_and_two_are_warned(any_office: Office) -> None:
    found = await seed(any_office)
    talk = f"/desk/conversations/{found['english']}"
    async with visit(any_office, "anna") as anna, visit(any_office, "boris") as boris:
        draft = {"text": "Dear John,\nwe are", "subject": "Re: Invoice", "cc": "x@y.example", "open": "1"}
        assert (await anna.post(f"{talk}/draft", draft)).status == 200
        mine = (await anna.get(talk)).text
        assert "Dear John,\nwe are</textarea>" in mine
        assert 'value="x@y.example"' in mine
        assert "Здесь отвечает" not in mine
        theirs = (await boris.get(talk)).text
        assert "Odpowiada tu także Анна Соколова." in theirs
        assert "Dear John" not in theirs
        assert (await anna.post(f"{talk}/draft", {"text": "Dear John"})).status == 200
        assert "Odpowiada tu także" not in (await boris.get(talk)).text
        await anna.post(f"{talk}/reply", {"text": "Dear John", "line": "support-mail"})
        assert "Dear John</textarea>" not in (await anna.get(talk)).text


async def test_upload_and_download(office: Office) -> None:
    found = await seed(office)
    async with visit(office, "anna") as anna, visit(office, "boris") as boris:
        form = FormData(quote_fields=False)
        form.add_field("file", b"%PDF report", filename="отчёт за год.pdf", content_type="application/pdf")
        answer = await anna.post("/desk/attachments", form, Accept="application/json")
        assert answer.status == 201, answer.text
        number = re.search(r'"id": (\d+)', answer.text)
        assert number
        path = f"/desk/files/{number[1]}"
        mine = await anna.get(path)
        assert mine.text == "%PDF report"
        assert mine.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%D0%BE")
        assert mine.headers["Content-Type"] == "application/octet-stream"
        assert (await boris.get(path)).status == 404, "it is still in anna's draft"
        talk = f"/desk/conversations/{found['english']}"
        sent = await anna.post(f"{talk}/reply", {"text": "x", "line": "support-mail", "attachment": number[1]})
        assert sent.status == 303
        assert (await boris.get(path)).text == "%PDF report"
        stolen = await anna.post(f"{talk}/reply", {"text": "x", "line": "support-mail", "attachment": number[1]})
        assert stolen.status == 422
        empty = await anna.post("/desk/attachments", FormData({"x": "y"}), Accept="application/json")
        assert empty.status == 422


async def test_mail_is_shown_in_a_cage(office: Office) -> None:
    found = await seed(office)
    async with visit(office, "boris") as visitor:
        page = (await visitor.get(f"/desk/conversations/{found['order']}")).text
        path = re.search(r"/desk/interactions/\d+/html", page)
        assert path
        shown = await visitor.get(path[0])
        policy = shown.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "sandbox allow-same-origin allow-popups" in policy
        assert "allow-scripts" not in policy
        assert "https:" not in policy
        assert "Toner X200" in shown.text
        assert "?images=1" in shown.text
        assert ' src="https://tracker.example' not in shown.text
        with_images = await visitor.get(f"{path[0]}?images=1")
        assert ' src="https://tracker.example/pixel.png"' in with_images.text
        assert "img-src 'self' data: https: http:" in with_images.headers["Content-Security-Policy"]


async def test_quoted_history_is_folded_but_kept(office: Office) -> None:
    found = await seed(office)
    async with visit(office, "anna") as visitor:
        page = (await visitor.get(f"/desk/conversations/{found['vip']}")).text
        assert "скоро ответим" not in page
        path = re.search(r"/desk/interactions/\d+/full", page)
        assert path
        assert "скоро ответим" in (await visitor.get(f"{path[0]}?part=words")).text
        assert "скоро ответим" in (await visitor.get(path[0])).text


async def test_write_first_and_forward(any_office: Office) -> None:
    found = await seed(any_office)
    async with visit(any_office, "anna") as visitor:
        letter = {"line": "support-mail", "to": "new@client.example", "subject": "Предложение", "text": "Добрый день!"}
        answer = await visitor.post("/desk/write", letter)
        assert answer.status == 303, answer.text
        assert "Предложение" in (await visitor.get(answer.location)).text
        page = (await visitor.get(f"/desk/conversations/{found['vip']}")).text
        path = re.search(r"/desk/interactions/\d+/forward", page)
        assert path
        assert "чек.pdf" in (await visitor.get(path[0])).text
        forwarded = {"line": "support-mail", "to": "engineer@example.org", "text": "Посмотри, пожалуйста"}
        assert (await visitor.post(path[0], forwarded)).status == 303
        said, _ = await _sent(any_office, found["vip"])
        assert "Посмотри, пожалуйста" in said["text"]
        assert "> С утра не проходят чеки" in said["text"]
        nobody = await visitor.post(path[0], {"line": "support-mail", "to": "", "text": "x"})
        assert nobody.status == 422


async def test_candidates_are_chosen_from(any_office: Office) -> None:
    from hub.actions import clients
    from tests.hub.desk.office import VERA

    def share(unit: Any, setup: Any) -> None:
        for name in ("Иван Кузнецов", "Пётр Кузнецов"):
            number = clients.create(unit, setup, VERA, {"name": name})
            clients.add_identity(unit, setup, number, VERA, "email:family@mail.example", shared=True)

    await any_office.do(share)
    touch = mail("family", "family@mail.example", "Кузнецов", "Вопрос", "Кто из нас?", any_office.store.now())
    number = await any_office.conversation_of(await any_office.hear(touch))
    talk = f"/desk/conversations/{number}"
    async with visit(any_office, "anna") as visitor:
        page = (await visitor.get(talk)).text
        assert "Несколько клиентов" in page or "несколько клиентов" in page
        asked = re.search(r'name="interaction" value="(\d+)"><button name="client" value="(\d+)"', page)
        assert asked, page
        chosen = await visitor.post(f"{talk}/choose-client", {"interaction": asked[1], "client": asked[2]})
        assert chosen.status == 303, chosen.text
        assert (await any_office.row(models.conversation, number))["client_id"] == int(asked[2])
        assert "несколько клиентов" not in (await visitor.get(talk)).text
