"""Every screen in every language, and every part that a page fetches again."""

from __future__ import annotations

import re

import pytest

from tests.hub.desk.office import Office, seed
from tests.hub.desk.visits import visit

SCREENS = (
    "/desk",
    "/desk?tab=mine",
    "/desk?tab=unassigned",
    "/desk?state=solved",
    "/desk?state=postponed&category=VIP&channel=email&owner=anna&team=support&show=200",
    "/desk/search?q=касса",
    "/desk/search?q=zamowienie",
    "/desk/search",
    "/desk/tasks",
    "/desk/tasks?tab=team",
    "/desk/tasks?tab=done",
    "/desk/tasks/new?client=2",
    "/desk/tasks/1",
    "/desk/clients",
    "/desk/clients?q=petrova&category=VIP",
    "/desk/clients/1",
    "/desk/clients/2?from=3",
    "/desk/clients/2/edit",
    "/desk/clients/new",
    "/desk/clients/2/merge",
    "/desk/clients/2/merge?q=oksana",
    "/desk/clients/2/merge?other=4",
    "/desk/quarantine",
    "/desk/quarantine?tab=junk",
    "/desk/alerts",
    "/desk/alerts?tab=settled",
    "/desk/lines",
    "/desk/write",
    "/desk/write?client=2",
    "/desk/log",
    "/desk/log?client=2&conversation=3",
    "/desk/people",
    "/desk/settings",
    "/desk/obligations/1/why",
)
PARTS = (
    "/desk?part=list",
    "/desk?tab=all&part=tabs",
    "/desk/tasks?part=list",
    "/desk/alerts?part=list",
    "/desk/lines?part=list",
    "/desk/quarantine?part=list",
    "/desk/frame?part=bell",
    "/desk/clients/2?part=timeline",
)


@pytest.mark.parametrize("language", ["ru", "uk", "pl", "en"])
async def test_every_screen_in_every_language(office: Office, language: str) -> None:
    found = await seed(office)
    async with visit(office, "vera") as visitor:
        await visitor.post("/desk/settings", {"language": language, "signature": ""})
        for path in (*SCREENS, *(f"/desk/conversations/{number}" for number in found.values())):
            answer = await visitor.get(path)
            assert answer.status == 200, (path, answer.text[:500])
            assert f'<html lang="{language}">' in answer.text, path
            if language in {"ru", "uk"}:
                assert not re.search(r">(Waiting|Tasks|Clients|Save|Send|Close)<", answer.text), path


async def test_every_part_on_both_databases(any_office: Office) -> None:
    found = await seed(any_office)
    async with visit(any_office, "vera") as visitor:
        talk = f"/desk/conversations/{found['vip']}"
        for path in (*SCREENS, *PARTS, *(f"{talk}?part={part}" for part in ("head", "messages", "side"))):
            answer = await visitor.get(path)
            assert answer.status == 200, (path, answer.text[:500])
            if "part=" in path:
                assert "<html" not in answer.text, path
        dialog = await visitor.get("/desk/obligations/1/why", **{"X-Dialog": "/desk"})
        assert "<html" not in dialog.text
        assert "<table" in dialog.text


async def test_nearest_due_comes_first(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "vera") as visitor:
        text = (await visitor.get("/desk?tab=all&part=list")).text
        names = ["Оксана Іваненко", "Мария Петрова", "Ольга Кравец", "Łukasz Żak", "Пётр Сидоров", "John Smith"]
        places = [text.index(name) for name in names]
        assert places == sorted(places)
        assert text.count('state="late"') == 1
        assert "прострочено на 1 год 2" in text


async def test_tabs_and_filters(office: Office) -> None:
    found = await seed(office)

    async def seen(path: str) -> set[str]:
        text = (await visitor.get(path)).text
        numbers = {int(number) for number in re.findall(r'data-id="(\d+)"', text)}
        return {name for name, number in found.items() if number in numbers}

    async with visit(office, "anna") as visitor:
        assert await seen("/desk?tab=mine&part=list") == {"vip", "late"}
        assert await seen("/desk?tab=team&part=list") == {"vip", "late", "english", "again"}
        assert await seen("/desk?tab=unassigned&part=list") == {"english", "again", "lead", "lead2"}
        assert await seen("/desk?tab=unassigned&channel=webform&part=list") == {"lead", "lead2"}
        assert await seen("/desk?tab=team&category=VIP&part=list") == {"vip"}
        assert await seen("/desk?tab=team&state=solved&part=list") == set()
    async with visit(office, "vera") as visitor:
        assert await seen("/desk?part=list") == set(found)
        assert await seen("/desk?owner=boris&part=list") == {"order"}
        assert await seen("/desk?team=sales&part=list") == {"order", "lead", "lead2"}


async def test_search_finds_forgivingly(any_office: Office) -> None:
    await seed(any_office)
    async with visit(any_office, "vera") as visitor:
        assert "Łukasz Żak" in (await visitor.get("/desk/search?q=zak")).text
        assert "Мария Петрова" in (await visitor.get("/desk/search?q=931 00 42")).text
        assert "Zamówienie" in (await visitor.get("/desk/search?q=ZAMOWIENIE")).text
        assert "Вопрос по договору" in (await visitor.get("/desk/search?q=договор")).text
        assert "Нічого не знайдено" in (await visitor.get("/desk/search?q=xyzzy")).text


async def test_why_shows_the_walk(office: Office) -> None:
    await seed(office)
    async with visit(office, "anna") as visitor:
        text = (await visitor.get("/desk/obligations/1/why")).text
        assert "1 рабочий час" in text
        assert "00:00-24:00" in text
        assert "предупреждение" in text
        assert (await visitor.get("/desk/obligations/99999/why")).status == 404


async def test_lines_say_what_to_do(office: Office) -> None:
    await seed(office)
    async with visit(office, "boris") as visitor:
        text = (await visitor.get("/desk/lines")).text
        assert "535 5.7.8" in text
        assert "correct imap.password" in text
        assert "wymaga człowieka" in text
        assert "UnicodeDecodeError" in text


async def test_what_is_nowhere(office: Office) -> None:
    async with visit(office, "anna") as visitor:
        for path in ("/desk/nothing", "/desk/conversations/77", "/desk/clients/77", "/desk/tasks/77", "/desk/files/77"):
            answer = await visitor.get(path)
            assert answer.status == 404, path
            assert "По этому адресу ничего нет" in answer.text
        assert (await visitor.get(f"/desk/conversations/{10**30}")).status == 404
