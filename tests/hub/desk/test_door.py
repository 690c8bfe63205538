"""Signing in and out, one-time links, invitations, forgotten passwords."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.access import accounts
from storage import models
from tests.hub.desk.office import PASSWORD, Office
from tests.hub.desk.visits import visit


async def test_sign_in_by_email_and_by_key(any_office: Office) -> None:
    await any_office.give_password("anna")
    for login in ("anna@example.org", "ANNA@Example.org", "anna"):
        async with visit(any_office) as visitor:
            await visitor.get("/sign-in?next=/desk/tasks")
            answer = await visitor.post("/sign-in", {"login": login, "password": PASSWORD, "next": "/desk/tasks"})
            assert (answer.status, answer.location) == (303, "/desk/tasks")
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
            assert (await visitor.get("/desk/tasks")).status == 200


async def test_a_wrong_name_is_answered_like_a_wrong_password(office: Office) -> None:
    await office.give_password("anna")
    answers = []
    for login, password in (("anna", "wrong password"), ("nobody", "wrong password"), ("boris", "wrong password")):
        async with visit(office, Accept_Language="en") as visitor:
            await visitor.get("/sign-in")
            answer = await visitor.post("/sign-in", {"login": login, "password": password})
            answers.append((answer.status, re.sub(r'value="[^"]*"', "", answer.text)))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 401
    assert "not the right name or password" in answers[0][1]


async def test_guessing_is_slowed_down(office: Office) -> None:
    await office.give_password("anna")
    async with visit(office, Accept_Language="pl") as visitor:
        await visitor.get("/sign-in")
        office.hub.live  # noqa: B018
        for _ in range(10):
            answer = await visitor.post("/sign-in", {"login": "anna", "password": "x"})
            assert answer.status == 401
        answer = await visitor.post("/sign-in", {"login": "Anna", "password": PASSWORD})
        assert answer.status == 429
        assert "Zbyt wiele prób" in answer.text


async def test_nobody_is_led_to_another_site(office: Office) -> None:
    await office.give_password("anna")
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\nx"):
        async with visit(office) as visitor:
            await visitor.get("/sign-in")
            answer = await visitor.post("/sign-in", {"login": "anna", "password": PASSWORD, "next": wanted})
            assert answer.location == "/desk", wanted


async def test_a_sign_in_link_opens_the_desk_once(any_office: Office) -> None:
    link = await any_office.link("anna")
    async with visit(any_office) as visitor, visit(any_office) as second:
        assert (await visitor.get(link)).location == "/desk"
        assert (await visitor.get("/desk")).status == 200
        assert (await second.get(link)).status == 410


async def test_looking_ahead_does_not_burn_the_link(any_office: Office) -> None:
    link = await any_office.link("anna")
    async with visit(any_office, Sec_Purpose="prefetch;prerender") as preview:
        assert (await preview.get(link)).status == 204
        async with preview.http.head(link, allow_redirects=False) as answer:
            assert answer.status == 204
    async with visit(any_office) as visitor:
        assert (await visitor.get(link)).location == "/desk"


async def test_invitation_sets_a_password_and_signs_in(any_office: Office) -> None:
    link = await any_office.link("boris", "invitation")
    async with visit(any_office, Accept_Language="en") as visitor:
        assert "Borys Kowalski" in (await visitor.get(link)).text
        for password, again, why in (
            ("short", "short", "At least 10 characters"),
            ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "too easy to guess"),
            (PASSWORD, "other", "not the same"),
        ):
            answer = await visitor.post(link, {"password": password, "again": again})
            assert answer.status == 422
            assert why in answer.text
        assert (await visitor.post(link, {"password": PASSWORD, "again": PASSWORD})).status == 303
        assert (await visitor.get("/desk")).status == 200
        assert (await visitor.get(link)).status == 410
    account = await any_office.store.read(lambda connection: accounts.read_account(connection, "boris"))
    assert account.password_hash is not None
    assert account.password_hash.startswith("$argon2id$")


async def test_a_forgotten_password_is_set_anew_by_mail(any_office: Office) -> None:
    await any_office.give_password("anna", "an older password")
    async with visit(any_office, "anna") as elsewhere, visit(any_office) as visitor:
        await visitor.get("/password/forgotten")
        known = await visitor.post("/password/forgotten", {"login": "anna@example.org"})
        unknown = await visitor.post("/password/forgotten", {"login": "nobody@example.org"})
        assert (known.status, known.location) == (unknown.status, unknown.location) == (303, "/sign-in?said=reset_sent")
        jobs = await any_office.store.read(lambda c: [row.body for row in c.execute(select(models.job))])
        letters = [body for body in jobs if body.get("to") == "anna@example.org"]
        assert len(letters) == 1
        link = next(line for line in letters[0]["text"].splitlines() if line.startswith("http"))
        assert "Анна" in letters[0]["text"]
        await visitor.get(link)
        assert (await visitor.post(link, {"password": PASSWORD, "again": PASSWORD})).status == 303
        assert (await visitor.get("/desk")).status == 200
        assert (await elsewhere.get("/desk")).status == 303, "a new password ends all other sessions"


async def test_signing_out(office: Office) -> None:
    async with visit(office, "anna") as visitor:
        assert (await visitor.post("/sign-out")).location == "/sign-in?said=signed_out"
        assert (await visitor.get("/desk")).status == 303


async def test_a_disabled_operator_is_out_at_once(any_office: Office) -> None:
    await any_office.give_password("boris")
    async with (
        visit(any_office, "vera") as admin,
        visit(any_office, "boris") as boris,
        visit(any_office, "anna") as anna,
    ):
        assert (await anna.post("/desk/people/boris/disable")).status == 403
        link = await any_office.link("boris")
        assert (await admin.post("/desk/people/boris/disable")).status == 303
        assert (await boris.get("/desk")).status == 303
        async with visit(any_office) as again:
            assert (await again.get(link)).status == 410
            await again.get("/sign-in")
            assert (await again.post("/sign-in", {"login": "boris", "password": PASSWORD})).status == 401
            await admin.post("/desk/people/boris/enable")
            assert (await again.post("/sign-in", {"login": "boris", "password": PASSWORD})).status == 303
        assert (await admin.post("/desk/people/vera/disable")).status == 422


async def test_inviting_by_link_and_by_mail(office: Office) -> None:
    async with visit(office, "vera") as admin, visit(office) as invited:
        shown = await admin.post("/desk/people/boris/invite", {"by": "link"})
        link = re.search(r'value="(http[^"]*/invitation/[^"]*)"', shown.text)
        assert link
        assert (await invited.get(link[1])).status == 200
        assert (await admin.post("/desk/people/anna/invite", {"by": "mail"})).location == "/desk/people?said=invited"
        assert (await admin.post("/desk/people/nobody/invite", {"by": "mail"})).status == 404


async def test_own_password_and_sessions(office: Office) -> None:
    await office.give_password("anna")
    async with visit(office, "anna") as here, visit(office, "anna") as there:
        wrong = await here.post("/desk/settings/password", {"old": "wrong", "password": "another good one"})
        assert wrong.status == 422
        assert "Прежний пароль другой" in wrong.text
        right = await here.post("/desk/settings/password", {"old": PASSWORD, "password": "another good one"})
        assert right.status == 303
        assert (await here.get("/desk")).status == 200
        assert (await there.get("/desk")).status == 303
    async with visit(office, "anna") as here, visit(office, "anna") as there:
        page = (await here.get("/desk/settings")).text
        for digest in re.findall(r'name="session" value="([0-9a-f]+)"', page):
            await here.post("/desk/settings/sessions/end", {"session": digest})
        assert (await there.get("/desk")).status == 303
        assert (await here.get("/desk")).status == 200


@pytest.mark.parametrize("secret", ["nonsense", "x" * 500, "..%2f..%2f"])
async def test_dead_links_say_so(office: Office, secret: str, tmp_path: Path) -> None:
    async with visit(office) as visitor:
        for path in ("/sign-in/once/", "/invitation/", "/password/"):
            answer = await visitor.get(path + secret)
            assert answer.status == 410
