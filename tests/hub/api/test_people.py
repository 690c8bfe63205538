"""Clients and conversations through the API: found, changed, merged; answered, handed over, closed."""

from __future__ import annotations

import base64

from tests.hub.api.caller import Caller
from tests.hub.api.test_contract import CLIENT, CONVERSATION
from tests.hub.office import Office


async def test_clients_are_found_by_identity_and_a_space_is_a_plus(caller: Caller) -> None:
    body = {"name": "Анна", "identities": ["(812) 325 8351", "anna+shop@example.org"], "category": "VIP"}
    made = await caller.post("/clients", body)
    assert [name for name in CLIENT if name not in made] == []
    assert made["identities"] == ["phone:+78123258351", "email:anna+shop@example.org"]
    for written in (
        "identity=phone:+78123258351",
        "identity=phone:%2B78123258351",
        "identity=phone:%2078123258351",
        "identity=phone:88123258351",
        "identity=email:anna+shop@example.org",
        "identity=anna%2Bshop@example.org",
        "category=VIP",
        "q=325%2083%2051",
        "q=anna",
    ):
        answer = await caller.call("GET", f"/api/v1/clients?{written}")
        assert [one["id"] for one in answer.body["items"]] == [made["id"]], written
    for written in ("identity=phone:+78123258352", "category=A", "identity=:"):
        assert (await caller.call("GET", f"/api/v1/clients?{written}")).body["items"] == [], written


async def test_clients_are_changed_shared_merged_and_unmerged(caller: Caller) -> None:
    first = await caller.post("/clients", {"name": "Иван", "identities": ["+78123258351"]})
    second = await caller.post("/clients", {"name": "Пётр", "fields": {"a": 1}})
    refused = await caller.call("POST", "/api/v1/clients", {"identities": ["+78123258351"]})
    assert (refused.status, refused.error["field"]) == (409, "identities")
    changed = await caller.patch(f"/clients/{second['id']}", {"fields": {"a": None, "b": 2}, "category": "A"})
    assert (changed["fields"], changed["category"], changed["name"]) == ({"b": 2}, "A", "Пётр")
    changed = await caller.patch(f"/clients/{second['id']}", {"category": None, "identities": ["petr@example.org"]})
    assert (changed["category"], changed["identities"]) == (None, ["email:petr@example.org"])
    shared = await caller.post(f"/clients/{second['id']}/identities", {"identity": "8 812 325 83 51", "shared": True})
    assert all(one["shared"] for one in shared["known_by"] if one["identity"].startswith("phone"))
    merge = await caller.post(f"/clients/{first['id']}/merge", {"other": second["id"]}, 200)
    assert set(merge) == {"merge"}
    assert (await caller.get(f"/clients/{second['id']}"))["merged_into"] == first["id"]
    assert len((await caller.get("/clients"))["items"]) == 1
    undone = await caller.post(f"/merges/{merge['merge']}/undo", None, 200)
    assert undone["other"]["identities"] == ["email:petr@example.org", "phone:+78123258351"]
    assert (await caller.call("POST", f"/api/v1/merges/{merge['merge']}/undo")).status == 409


async def test_a_reply_is_a_delivery(caller: Caller, office: Office) -> None:
    came = office.mail()
    number = came["conversation_id"]
    file = await caller.call(
        "POST", "/api/v1/attachments?name=offer.pdf", data=b"%PDF", headers={"Content-Type": "application/pdf"}
    )
    assert file.status == 201
    inline = {"name": "прайс.txt", "media_type": "text/plain", "data": base64.b64encode("цены".encode()).decode()}
    body = {"text": "Добрый день", "attachments": [file.body["id"], inline], "line": "support-mail"}
    made = await caller.post(f"/conversations/{number}/replies", body)
    assert set(made) == {"delivery"}
    delivery = await caller.get(f"/deliveries/{made['delivery']}")
    assert (delivery["state"], delivery["line"]) == ("pending", "support-mail")
    written = await caller.get(f"/interactions/{delivery['interaction']}")
    assert (written["direction"], written["text"]) == ("outbound", "Добрый день")
    assert [one["name"] for one in written["attachments"]] == ["offer.pdf", "прайс.txt"]
    got = await caller.call("GET", written["attachments"][1]["url"])
    assert got.body.decode() == "цены"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in got.headers["Content-Security-Policy"]


async def test_a_plain_reply_says_who_and_how_little_is_enough(caller: Caller, office: Office) -> None:
    number = office.mail()["conversation_id"]
    await caller.post(f"/conversations/{number}/replies", {"text": "ok"})
    answer = await caller.call("POST", f"/api/v1/conversations/{number}/replies", {"text": "  "})
    assert (answer.status, answer.error["field"]) == (422, "text")
    answer = await caller.call("POST", "/api/v1/conversations/99/replies", {"text": "x"})
    assert answer.status == 404


async def test_writing_first(caller: Caller) -> None:
    body = {"identity": "new@example.org", "text": "Предложение", "subject": "КП", "cc": ["boss@example.org"]}
    made = await caller.post("/conversations", body)
    talk = await caller.get(f"/conversations/{made['conversation']}")
    assert [name for name in CONVERSATION if name not in talk] == []
    assert (talk["state"], talk["subject"], talk["channels"]) == ("waiting_client", "КП", ["email"])
    assert (await caller.get(f"/deliveries/{made['delivery']}"))["recipients"][1]["role"] == "cc"


async def test_a_conversation_is_handed_over_closed_and_reopened(caller: Caller, office: Office) -> None:
    number = office.mail()["conversation_id"]
    talk = await caller.patch(f"/conversations/{number}", {"owner": "anna"})
    assert (talk["owner"], talk["team"]) == ("anna", "support")
    talk = await caller.patch(f"/conversations/{number}", {"owner": None})
    assert (talk["owner"], talk["team"]) == (None, "support")
    talk = await caller.patch(f"/conversations/{number}", {"team": "sales"})
    assert (talk["owner"], talk["team"]) == (None, "sales")
    answer = await caller.call("PATCH", f"/api/v1/conversations/{number}", {"state": "solved", "why": "answered"})
    assert answer.status == 409
    talk = await caller.patch(f"/conversations/{number}", {"state": "solved"})
    assert (talk["state"], talk["closed_why"], talk["closed_by"]) == ("solved", "no_answer_needed", "token:test-admin")
    talk = await caller.patch(f"/conversations/{number}", {"state": "open"})
    assert (talk["state"], talk["waiting_since"]) == ("open", "2026-09-14T09:00:00Z")
    talk = await caller.patch(f"/conversations/{number}", {"state": "junk"})
    assert talk["closed_why"] == "junk"
    talk = await caller.patch(f"/conversations/{number}", {"postponed_until": "2026-09-20T09:00:00Z"})
    assert talk["state"] == "postponed"
    for state, expected in (("postponed", 1), ("open", 0)):
        assert len((await caller.get("/conversations", state=state, team="sales"))["items"]) == expected
    assert len((await caller.get("/conversations", client=talk["client"]))["items"]) == 1
    note = await caller.post(f"/conversations/{number}/notes", {"text": "позвонить"})
    assert (await caller.get(f"/interactions/{note['interaction']}"))["direction"] == "internal"
