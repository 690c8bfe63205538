"""Who is let in, where requests may come from, and the headers that guard every page."""

from __future__ import annotations

import pytest

from tests.hub.desk.office import Office, seed
from tests.hub.desk.visits import visit


async def test_strangers_are_sent_to_the_door(office: Office) -> None:
    async with visit(office) as visitor:
        assert (await visitor.get("/")).location == "/sign-in?next=%2F"
        assert (await visitor.get("/desk")).location == "/sign-in"
        assert (await visitor.get("/desk/clients?q=x")).location == "/sign-in?next=%2Fdesk%2Fclients%3Fq%3Dx"
        assert (await visitor.get("/desk?part=list")).status == 401
        assert (await visitor.get("/desk/events")).status == 401
        assert (await visitor.post("/desk/tasks/new", {"title": "x"})).status == 303


async def test_a_form_needs_its_token(office: Office) -> None:
    async with visit(office, "anna") as visitor:
        assert (await visitor.post("/desk/tasks/new", {"title": "x"}, token="")).status == 403
        assert (await visitor.post("/desk/tasks/new", {"title": "x"}, token="wrong")).status == 403
        async with visit(office, "boris") as other:
            assert (await visitor.post("/desk/tasks/new", {"title": "x"}, token=other.token)).status == 403
        assert (await visitor.post("/desk/tasks/new", {"title": "x"})).status == 303


async def test_a_form_must_come_from_our_own_page(office: Office) -> None:
    async with visit(office, "anna") as visitor:
        post = visitor.post
        assert (await post("/desk/tasks/new", {"title": "x"}, Origin="https://evil.example")).status == 403
        assert (await post("/desk/tasks/new", {"title": "x"}, **{"Sec-Fetch-Site": "cross-site"})).status == 403
        assert (await post("/desk/tasks/new", {"title": "x"}, **{"Sec-Fetch-Site": "same-site"})).status == 403
        assert (await post("/desk/tasks/new", {"title": "x"}, Origin="null")).status == 403
        assert (await post("/desk/tasks/new", {"title": "x"}, Origin=office.address)).status == 303


async def test_signing_in_cannot_be_forced_from_outside(office: Office) -> None:
    await office.give_password("anna")
    async with visit(office) as visitor:
        answer = await visitor.post("/sign-in", {"login": "anna", "password": "correct horse battery"}, token="x")
        assert answer.status == 403


@pytest.mark.parametrize("path", ["/desk", "/sign-in", "/desk/nothing", "/desk/conversations/999999", "/desk/settings"])
async def test_headers(office: Office, path: str) -> None:
    async with visit(office, "anna") as visitor:
        answer = await visitor.get(path)
        policy = answer.headers.get("Content-Security-Policy", "")
        if answer.status != 303:
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_no_page_carries_inline_code(office: Office) -> None:
    found = await seed(office)
    async with visit(office, "vera") as visitor:
        for path in ("/desk", f"/desk/conversations/{found['vip']}", "/desk/people", "/desk/clients/2"):
            text = (await visitor.get(path)).text
            assert " style=" not in text
            assert "<script>" not in text
            assert "<style" not in text
            assert not any(f' on{event}="' in text for event in ("click", "load", "submit", "error"))


async def test_roles(office: Office) -> None:
    async with visit(office, "anna") as anna, visit(office, "vera") as vera:
        assert (await anna.get("/desk/people")).status == 403
        assert "/desk/people" not in (await anna.get("/desk")).text
        assert (await vera.get("/desk/people")).status == 200
        assert 'href="/desk?tab=all"' in (await vera.get("/desk")).text
        assert 'href="/desk?tab=all"' not in (await anna.get("/desk?tab=all")).text


async def test_what_strangers_write_is_shown_as_text(office: Office) -> None:
    from tests.hub.desk.office import mail

    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7*7 }}'
    touch = mail("evil", "evil@mail.example", evil, evil, evil, office.store.now())
    number = await office.conversation_of(await office.hear(touch))
    async with visit(office, "vera") as visitor:
        for path in ("/desk", f"/desk/conversations/{number}", "/desk/clients", "/desk/search?q=script"):
            text = (await visitor.get(path)).text
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "&lt;script&gt;" in text
