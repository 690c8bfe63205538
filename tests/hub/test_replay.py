"""Reading kept bytes again mends what was read badly, and leaves alone what people have said since."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from channels.contract import Accepted, Door
from channels.touch import Attachment, Raw, Touch
from hub import replay
from hub.actions import interactions
from hub.arrival import Arrival
from hub.batch import Batch
from hub.listeners import Memory
from hub.replay import Reread
from hub.settings import Settings
from storage import models
from storage.unit import Unit
from tests.hub.intaking import form, mail, take_in
from tests.hub.office import ANNA, Office


def keep(office: Office, touch: Touch, raw: bytes, media_type: str = "message/rfc822") -> None:
    def work(unit: Unit) -> None:
        row = {"media_type": media_type, "size": len(raw), "data": zlib.compress(raw), "path": None}
        batch = Batch(unit, office.setup, [Arrival(touch, raw=row)])
        batch.skip_what_was_seen()
        batch.find_what_it_belongs_to()
        batch.find_whose_it_is()
        batch.place_in_conversations()
        batch.judge()
        batch.write()

    office.store.write_now(work)


def reread(office: Office, tmp_path: Path) -> list[Reread]:
    async def refuse(_: Any) -> Accepted:
        raise AssertionError("nothing is delivered")

    async def unheard(_: Any) -> None:
        return None

    memory = Memory(office.store, "replay")
    door = Door(refuse, unheard, lambda health: None, memory, office.clock, lambda text: "s", frozenset)
    return list(replay.reread(office.store, office.setup, Settings(home=tmp_path), door, None, None))


def mend(office: Office, found: Reread) -> None:
    office.store.write_now(lambda unit: replay.mend(unit, office.store.files, found))


MAIL = (
    b"From: ivan@example.org\r\nTo: support@office.example\r\nMessage-ID: <m@x>\r\nSubject: Hello\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nReal words\r\n"
)


def badly_read(**more: Any) -> Touch:
    given = {"subject": None, "text": "", "remarks": ("the mail could not be read",), **more}
    return mail("1", **given)


def test_what_was_read_badly_is_mended_once(office: Office, tmp_path: Path) -> None:
    keep(office, badly_read(), MAIL)
    (found,) = reread(office, tmp_path)
    assert {"text", "remarks"} <= set(found.changes)
    mend(office, found)
    (row,) = office.rows(models.interaction)
    assert (row["text"], row["remarks"]) == ("Real words", None)
    assert [touch["phase"] for touch in office.rows(models.touch)] == [None, "reread"]
    assert row["content_id"] == office.rows(models.touch)[1]["id"]
    (again,) = reread(office, tmp_path)
    assert again.changes == {}


def test_what_people_have_said_since_stays(office: Office) -> None:
    take_in(office, form("x", fields={"message": "x", "n": "old"}))
    (row,) = office.rows(models.interaction)
    office.act(interactions.amend, row["id"], ANNA, fields={"message": "corrected"})
    touch = form("y", fields={"message": "read anew", "n": "new"})
    body = office.rows(models.touch)[0]["body"]
    found = Reread(row["line"], "k", row["id"], touch, {"text": "y"}, {"body": body, "text": "x"})
    mend(office, found)
    (row,) = office.rows(models.interaction)
    assert (row["text"], row["fields"]) == ("y", {"message": "corrected", "n": "new"})


def test_a_form_is_read_again_in_the_visitor_s_language(office: Office, tmp_path: Path) -> None:
    for language, text in (("en", "Your name: Ivan"), ("pl", "Imię i nazwisko: Ivan")):
        touch = form(text, language=language, fields={"name": "Ivan"})
        keep(office, touch, b"name=Ivan", "application/x-www-form-urlencoded")
    assert [found.touch.text for found in reread(office, tmp_path) if found.touch] == [
        "Your name: Ivan",
        "Imię i nazwisko: Ivan",
    ]


def test_an_edit_that_came_later_stays(office: Office, tmp_path: Path) -> None:
    keep(office, mail("1", text="Wrongly read"), MAIL)
    take_in(office, mail("1", 5, event_key="edit", phase="edited", text="Edited since", same_as=None))
    (found,) = reread(office, tmp_path)
    assert "text" not in found.changes
    mend(office, found)
    assert office.rows(models.interaction)[0]["text"] == "Edited since"


def test_files_that_only_the_new_reading_finds_are_kept_once(office: Office) -> None:
    take_in(office, mail("1"))
    (row,) = office.rows(models.interaction)
    body = office.rows(models.touch)[0]["body"]
    touch = replace(mail("1"), attachments=(Attachment("a.pdf", "application/pdf", b"pdf"),), raw=Raw(b"", "x"))
    for _ in range(2):
        mend(
            office,
            Reread(row["line"], "k-1", row["id"], touch, {"has_files": True}, {"body": body, "text": row["text"]}),
        )
    (file,) = office.rows(models.attachment)
    assert (file["interaction_id"], office.store.files.read(file["path"])) == (row["id"], b"pdf")
