"""Where free text may be sent for a while only, the reply box says how long, in the operator's language."""

from __future__ import annotations

from pathlib import Path

from channels.touch import Identity
from storage import models
from tests.hub.desk.doors import hear
from tests.hub.desk.office import Office, open_office
from tests.hub.desk.visits import visit

LINE = """
[line.wa]
channel = "whatsapp"
title = "WhatsApp"
team = "support"
phone_number_id = "106540352242922"
token = "t"
secret = "s"
verify_token = "v"
"""
OLGA = (Identity("whatsapp", "380671234567", "Ольга"), Identity("phone", "+380671234567", "Ольга"))
IN_HER_LANGUAGE = {
    "ru": ("Свободный текст можно отправить до ", "больше отправить нельзя"),
    "uk": ("Вільний текст можна надіслати до ", "схвалений шаблон"),
    "pl": ("Dowolny tekst można wysłać do ", "szablon"),
    "en": ("Free text is possible until ", "Free text is no longer possible here"),
}


async def test_the_reply_box_says_until_when_free_text_may_be_sent(tmp_path: Path, database_url: str) -> None:
    async with open_office(tmp_path / "home", database_url, LINE) as office, visit(office, "vera") as visitor:
        open_until = await _talk(office, OLGA, minutes=60)
        closed = await _talk(office, (Identity("whatsapp", "380679999999", "Ірина"),), minutes=25 * 60)
        for language, (free, _) in IN_HER_LANGUAGE.items():
            await visitor.post("/desk/settings", {"language": language, "signature": ""})
            page = (await visitor.get(f"/desk/conversations/{open_until}")).text
            assert free in page, language
            assert free not in (await visitor.get(f"/desk/conversations/{closed}")).text
        page = (await visitor.get(f"/desk/conversations/{closed}")).text
        assert IN_HER_LANGUAGE["en"][1] in page


async def _talk(office: Office, people: tuple[Identity, ...], minutes: float) -> int:
    number = await hear(office, "wa", "Де замовлення?", people[0], minutes, party=people)
    row = await office.row(models.interaction, number)
    return int(row["conversation_id"])
