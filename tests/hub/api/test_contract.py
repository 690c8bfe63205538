"""What outsiders rely on, word by word: tokens, envelope, lists, cursors, fields, calls."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from channels.touch import Kind
from hub.actions import writing
from hub.actions.writing import Letter
from routing import timers
from storage import models
from tests.hub.api.caller import Caller
from tests.hub.office import ANNA, IVANS_PHONE, OLGA, START, Office


def names(text: str) -> list[str]:
    """Field names as the contract lists them."""
    return text.split()


INTERACTION = names(
    "id kind channel line direction at client conversation operator subject text fields attachments automatic call"
)
CLIENT = names("id kind name company identities category lifecycle source responsible fields")
CONVERSATION = names("id client state owner team channels")
OBLIGATION = names("id regulation version client conversation owner state started due met_at started_by met_by")
TASK = names("id title client obligation owner due state")
CALL = names("outcome reason from to queue operator legs wait_s talk_s hold_s wrap_s ended_by voicemail recording")


async def test_without_a_token_nobody_comes_in(caller: Caller) -> None:
    caller.token = None
    answer = await caller.call("GET", "/api/v1/interactions")
    assert (answer.status, answer.error["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    caller.token = "tl_made_up"
    assert (await caller.call("GET", "/api/v1/interactions")).status == 401
    for headers in ({"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer ü"}):
        assert (await caller.call("GET", "/api/v1/tasks", headers=headers)).status == 401


async def test_beyond_the_role_is_403(caller: Caller, office: Office) -> None:
    office.mail()
    caller.become("operator")
    assert (await caller.call("GET", "/api/v1/journal")).status == 403
    assert (await caller.call("PATCH", "/api/v1/obligations/1", {"due": "2026-12-01T00:00:00Z"})).status == 403
    assert (await caller.call("GET", "/api/v1/interactions")).status == 200
    caller.become("supervisor")
    assert (await caller.call("GET", "/api/v1/journal")).status == 403


async def test_every_error_has_one_shape(caller: Caller) -> None:
    for method, path, body, status in (
        ("GET", "/api/v1/nothing", None, 404),
        ("GET", "/api/v1/tasks/99", None, 404),
        ("GET", "/api/v1/tasks/0", None, 404),
        ("GET", "/api/v1/tasks/x", None, 404),
        ("GET", f"/api/v1/tasks/{10**30}", None, 404),
        ("DELETE", "/api/v1/tasks/1", None, 405),
        ("POST", "/api/v1/tasks", {}, 422),
        ("POST", "/api/v1/tasks", [], 422),
        ("POST", "/api/v1/tasks", {"title": 5}, 422),
        ("GET", "/api/v1/tasks?limit=1000", None, 422),
        ("GET", "/api/v1/tasks?limit=x", None, 422),
        ("GET", "/api/v1/tasks?state=lost", None, 422),
        ("GET", "/api/v1/tasks?cursor=zzz", None, 422),
        ("GET", "/api/v1/tasks?state=open&state=done", None, 422),
    ):
        answer = await caller.call(method, path, body)
        assert (answer.status, bool(answer.error["message"])) == (status, True), (method, path)


async def test_wrong_json_is_400_and_a_wrong_value_422_with_field_and_remedy(caller: Caller) -> None:
    for data in (b"{", b"\xff\xfe", b'{"title": '):
        headers = {"Content-Type": "application/json"}
        answer = await caller.call("POST", "/api/v1/tasks", data=data, headers=headers)
        assert (answer.status, answer.error["code"]) == (400, "bad_json")
    answer = await caller.call("POST", "/api/v1/tasks", {"titel": "x", "title": "y"})
    assert (answer.status, answer.error["field"]) == (422, "titel")
    assert answer.error["remedy"] == "Did you mean title?"
    answer = await caller.call("POST", "/api/v1/tasks", {"title": "x", "owner": "ana"})
    assert (answer.error["field"], answer.error["remedy"]) == ("owner", "Did you mean anna?")
    answer = await caller.call("GET", "/api/v1/tasks?stat=open")
    assert (answer.status, answer.error["remedy"]) == (422, "Did you mean state?")
    answer = await caller.call("POST", "/api/v1/tasks", data=b"a=b", headers={"Content-Type": "text/plain"})
    assert answer.status == 415


async def test_too_much_at_once_is_413(caller: Caller) -> None:
    data = b'{"title": "' + b"x" * (25 * 1024 * 1024) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert (await caller.call("POST", "/api/v1/tasks", data=io.BytesIO(data), headers=headers)).status == 413


async def test_lists_are_newest_first_and_go_on_by_cursor(caller: Caller, office: Office) -> None:
    numbers = []
    for minute in range(7):
        office.clock.at = START + timedelta(minutes=minute // 2)
        numbers.append(office.mail(f"письмо {minute}")["id"])
    seen: list[int] = []
    cursor = ""
    for _ in range(10):
        page = await caller.get("/interactions", limit=2, **({"cursor": cursor} if cursor else {}))
        assert set(page) == {"items", "next"}
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == numbers[::-1]


async def test_an_interaction_has_these_fields(caller: Caller, office: Office) -> None:
    came = office.mail()
    one = await caller.get(f"/interactions/{came['id']}")
    assert [name for name in INTERACTION if name not in one] == []
    assert one["at"] == "2026-09-14T09:00:00Z"
    assert (one["line"], one["channel"], one["kind"]) == ("support-mail", "email", "message")
    (listed,) = (await caller.get("/interactions"))["items"]
    assert {**listed, "full_text": None, "html": None} == one


async def test_a_form_is_named_by_its_key(caller: Caller, office: Office) -> None:
    came = office.mail(line="form:contact", kind=Kind.FORM, party=(IVANS_PHONE,), external_id=None)
    (one,) = (await caller.get("/interactions", line="contact"))["items"]
    assert (one["id"], one["line"], one["kind"]) == (came["id"], "contact", "form")


async def test_filters_of_the_log(caller: Caller, office: Office) -> None:
    first = office.mail("Заря́дка не приш­ла, артикул СRМ-17")
    office.clock.move(hours=1)
    second = office.mail("Zarządzanie", who=OLGA)
    spam = office.mail("купите", suspicion="too quick")
    for filters, wanted in (
        ({"line": "support-mail"}, [spam, second, first]),
        ({"line": "nowhere"}, []),
        ({"channel": "email", "kind": "message"}, [spam, second, first]),
        ({"kind": "call"}, []),
        ({"client": first["client_id"]}, [first]),
        ({"conversation": second["conversation_id"]}, [second]),
        ({"state": "quarantined"}, [spam]),
        ({"state": "logged"}, [second, first]),
        ({"state": "open"}, [second, first]),
        ({"since": "2026-09-14T09:30:00Z"}, [spam, second]),
        ({"since": "2026-09-14T11:30:00+02:00"}, [spam, second]),
        ({"until": "2026-09-14T09:30:00Z"}, [first]),
        ({"q": "crm"}, [first]),
        ({"q": "zarzadzanie"}, [second]),
        ({"q": "зарядка пришла"}, [first]),
        ({"q": "olga", "since": "2026-09-14T09:30:00Z"}, [second]),
        ({"q": "\"'*"}, []),
    ):
        page = await caller.get("/interactions", **filters)
        assert [one["id"] for one in page["items"]] == [one["id"] for one in wanted], filters


@pytest.mark.parametrize("kind", ["call", "message", "form", "meeting", "letter", "fax", "note"])
async def test_every_kind_can_be_logged_by_hand(caller: Caller, kind: str) -> None:
    body = {"kind": kind, "identity": "+7 812 325 83 51", "text": "было", "operator": "anna", "name": "Иван"}
    made = await caller.post("/interactions", body)
    assert (made["kind"], made["operator"], made["text"]) == (kind, "anna", "было")
    assert (await caller.get(f"/clients/{made['client']}"))["identities"] == ["phone:+78123258351"]
    assert (made["call"] is not None) == (kind == "call")


async def test_a_call_has_these_fields(caller: Caller) -> None:
    call = {"outcome": "answered", "from": "88123258351", "to": "+78125750480", "talk_s": 61.5, "wait_s": 4}
    made = await caller.post("/interactions", {"kind": "call", "call": call, "at": "2026-09-14T08:00:00Z"})
    assert set(made["call"]) == set(CALL)
    assert (made["call"]["talk_s"], made["call"]["wait_s"], made["call"]["legs"]) == (61.5, 4, [])
    assert made["ended_at"] == "2026-09-14T08:01:05.500000Z"
    assert made["party"] == [{"identity": "phone:+78123258351"}]


async def test_a_field_filled_late_starts_its_follow_up_from_the_end_of_the_talk(
    caller: Caller, office: Office
) -> None:
    body = {"kind": "call", "identity": "phone:+78123258351", "call": {"talk_s": 60}}
    made = await caller.post("/interactions", body)
    office.clock.move(minutes=20)
    changed = await caller.patch(
        f"/interactions/{made['id']}", {"disposition": "interested", "fields": {"materials_requested": True}}
    )
    assert (changed["disposition"], changed["fields"]) == ("interested", {"materials_requested": True})
    (promise,) = (await caller.get("/obligations", regulation="materials"))["items"]
    assert [name for name in OBLIGATION if name not in promise] == []
    assert (promise["started"], promise["due"]) == ("2026-09-14T09:01:00Z", "2026-09-14T11:01:00Z")
    touches = (await caller.get(f"/interactions/{made['id']}/touches"))["items"]
    assert [one["phase"] for one in touches] == [None, "amended"]


async def test_promises_are_listed_explained_pinned_and_excused(caller: Caller, office: Office) -> None:
    came = office.mail()
    (promise,) = (await caller.get("/obligations", state="open"))["items"]
    assert promise["started_by"] == came["id"]
    explained = await caller.get(f"/obligations/{promise['id']}/explain", language="ru")
    assert explained["title"] == "Сервис отвечает за четыре часа"
    assert explained["due"] == promise["due"] == "2026-09-14T13:00:00Z"
    assert explained["days"][-1]["left"] == 0
    assert explained["history"][0]["event"]
    assert (await caller.call("POST", f"/api/v1/obligations/{promise['id']}/excuse", {"reason": "x"})).status == 409
    office.clock.move(hours=5)
    book = office.setup.book
    office.store.write_now(lambda unit: timers.sweep(unit, book, book.roster, 100))
    assert (await caller.get("/obligations", state="breached"))["items"][0]["id"] == promise["id"]
    excused = await caller.post(f"/obligations/{promise['id']}/excuse", {"reason": "связь"}, 200)
    assert excused["excuse"]["reason"] == "связь"
    pinned = await caller.patch(f"/obligations/{promise['id']}", {"due": "2026-09-15T12:00:00+02:00"})
    assert (pinned["due"], pinned["pinned"], pinned["state"]) == ("2026-09-15T10:00:00Z", True, "running")
    office.clock.move(minutes=1)
    office.send(office.act(writing.reply, came["conversation_id"], ANNA, Letter("Ответ")))
    met = await caller.get(f"/obligations/{promise['id']}")
    assert (met["state"], met["met_by"] is not None, met["owner"]) == ("met", True, "anna")
    assert (await caller.get("/obligations", state="open"))["items"] == []


async def test_alerts_are_acknowledged(caller: Caller, office: Office) -> None:
    office.mail()
    office.clock.move(hours=5)
    book = office.setup.book
    office.store.write_now(lambda unit: timers.sweep(unit, book, book.roster, 100))
    alert = (await caller.get("/alerts", to="vera", state="open"))["items"][0]
    done = await caller.post(f"/alerts/{alert['id']}/acknowledge", None, 200)
    assert (done["state"], done["acknowledged_by"]) == ("acknowledged", "token:test-admin")


async def test_tasks(caller: Caller, office: Office) -> None:
    client = office.mail()["client_id"]
    body = {"title": "Позвонить", "client": client, "owner": "anna", "due": "2026-09-15T09:00:00Z"}
    made = await caller.post("/tasks", body)
    assert [name for name in TASK if name not in made] == []
    assert (made["state"], made["due"]) == ("open", "2026-09-15T09:00:00Z")
    done = await caller.patch(f"/tasks/{made['id']}", {"state": "done", "note": "не дозвонился"})
    assert (done["state"], done["closed_by"], done["note"]) == ("done", "token:test-admin", "не дозвонился")
    assert (await caller.patch(f"/tasks/{made['id']}", {"state": "open", "due": None}))["due"] is None
    assert made["id"] in [one["id"] for one in (await caller.get("/tasks", owner="anna", state="open"))["items"]]


async def test_an_event_is_reported_once(caller: Caller, office: Office) -> None:
    client = office.mail()["client_id"]
    body = {"id": "1c-77", "event": "contract.closed", "client": client, "at": "2026-09-14T08:00:00Z", "fields": {}}
    assert await caller.post("/events", body) == {"id": "1c-77", "again": False, "remark": None}
    assert await caller.post("/events", body, 200) == {"id": "1c-77", "again": True, "remark": None}
    (promise,) = (await caller.get("/obligations", regulation="quality"))["items"]
    assert promise["started"] == "2026-09-14T08:00:00Z"
    assert (await caller.call("POST", "/api/v1/events", {**body, "id": "2", "event": "nonsense"})).status == 422
    misspelt = await caller.post("/events", {**body, "id": "3", "event": "contract.closd"})
    assert 'did you mean "contract.closed"?' in misspelt["remark"]
    assert (await caller.post("/events", {**body, "id": "4", "event": "own.thing"}))["remark"] is None


async def test_release_from_quarantine(caller: Caller, office: Office) -> None:
    spam = office.mail(suspicion="too quick")
    released = await caller.post(f"/interactions/{spam['id']}/release", None, 200)
    assert (released["quarantined"], released["client"] is not None) == (False, True)
    assert (await caller.call("POST", f"/api/v1/interactions/{spam['id']}/release")).status == 409


async def test_the_journal_tells_who_did_what(caller: Caller, office: Office) -> None:
    number = office.mail()["conversation_id"]
    await caller.patch(f"/conversations/{number}", {"owner": "anna"})
    (entry,) = (await caller.get("/journal", subject="conversation", id=number))["items"]
    assert (entry["who"], entry["action"]) == ("token:test-admin", "handed_over")


async def test_lines_and_set_up(caller: Caller) -> None:
    lines = (await caller.get("/lines"))["items"]
    assert [(one["line"], one["state"]) for one in lines] == [("archive-mail", "unknown"), ("support-mail", "unknown")]
    setup = await caller.get("/setup")
    assert [one["key"] for one in setup["operators"]] == ["anna", "boris", "vera"]
    assert {"key": "reaction", "title": "Сервис отвечает за четыре часа"} in setup["regulations"]
    assert "password" not in str(setup)


async def test_probes_and_documents_need_no_token(caller: Caller, office: Office) -> None:
    office.mail()
    caller.token = None
    assert (await caller.call("GET", "/healthz")).body == {"status": "ok"}
    ready = await caller.call("GET", "/readyz")
    assert (ready.status, ready.body["status"]) == (200, "ready")
    metrics = (await caller.call("GET", "/metrics")).body.decode()
    for line in (
        "touchline_touches_total 1.0",
        'touchline_obligations{state="running"} 1.0',
        "touchline_lane_alive 1.0",
    ):
        assert line in metrics.splitlines(), line
    assert (await caller.call("GET", "/api/openapi.json")).body["openapi"] == "3.1.0"
    page = await caller.call("GET", "/api/docs")
    assert b"<script" not in page.body
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_not_ready_while_the_lane_is_stopped(caller: Caller, office: Office) -> None:
    office.store.lane.close()
    ready = await caller.call("GET", "/readyz")
    assert (ready.status, ready.body["lane"], ready.body["database"]) == (503, False, True)
    answer = await caller.call("POST", "/api/v1/tasks", {"title": "x"})
    assert (answer.status, answer.error["code"]) == (503, "stopping")


async def test_the_token_is_seen_to_be_used(caller: Caller, office: Office) -> None:
    await caller.get("/tasks")
    assert office.rows(models.token)[-1]["used_at"] == START
