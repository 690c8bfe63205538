"""Telephones through the API: what is shown, who may, and how refusals read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.hub.api.caller import Caller, open_caller
from tests.hub.office import Office
from tests.hub.telephony.exchange import listen, phone, show, with_exchange

NUMBER = "+7 916 123-45-67"


async def test_the_black_list_is_kept_by_supervisors(caller: Caller, office: Office) -> None:
    caller.become("supervisor")
    made = await caller.post("/blocked", {"number": NUMBER, "reason": "ругается", "expires": "2027-01-01T00:00:00Z"})
    assert (made["identity"], made["expires"], made["made_by"]) == (
        "phone:+79161234567",
        "2027-01-01T00:00:00Z",
        "token:test-supervisor",
    )
    other = await caller.post("/blocked", {"number": "8 812 325-83-51"})
    page = await caller.get("/blocked", limit=1)
    assert [one["id"] for one in page["items"]] == [other["id"]]
    rest = await caller.get("/blocked", limit=1, cursor=page["next"])
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([made["id"]], None)
    lifted = await caller.call("DELETE", f"/api/v1/blocked/{made['id']}")
    assert lifted.status == 200 and lifted.body["lifted_by"] == "token:test-supervisor"
    assert (await caller.call("DELETE", f"/api/v1/blocked/{made['id']}")).status == 409
    assert (await caller.call("DELETE", "/api/v1/blocked/999")).status == 404
    assert [one["id"] for one in (await caller.get("/blocked"))["items"]] == [other["id"]]
    past = await caller.call("POST", "/api/v1/blocked", {"number": NUMBER, "expires": "2020-01-01T00:00:00Z"})
    assert (past.status, past.body["error"]["field"]) == (422, "expires")
    caller.become("operator")
    assert (await caller.call("POST", "/api/v1/blocked", {"number": NUMBER})).status == 403
    assert (await caller.call("DELETE", f"/api/v1/blocked/{other['id']}")).status == 403
    assert len((await caller.get("/blocked"))["items"]) == 1


async def test_telephones_are_shown_and_a_hub_that_does_not_listen_says_so(office: Office, tmp_path: Path) -> None:
    with_exchange(office)
    show(office, phone("101", "paused", paused=True, reason="обед"))
    async with open_caller(office, tmp_path) as caller:
        found = await caller.get("/phones")
        assert [(one["operator"], one["state"], one["reason"]) for one in found["operators"]] == [
            ("anna", "paused", "обед"),
            ("boris", "offline", ""),
        ]
        assert (await caller.call("POST", "/api/v1/operators/nobody/pause", {})).status == 404
        assert (await caller.call("POST", "/api/v1/calls", {"operator": "nobody", "number": "1"})).status == 422
        listen(office, until=office.clock() - timedelta(seconds=1))
        refused = await caller.call("POST", "/api/v1/calls", {"operator": "anna", "number": NUMBER})
        assert (refused.status, refused.error["code"]) == (503, "unavailable")
        caller.become("operator")
        refused = await caller.call("POST", "/api/v1/calls", {"operator": "anna", "number": NUMBER})
        assert refused.status == 403, "a program is nobody's telephone"
        assert (await caller.call("POST", "/api/v1/operators/anna/finish-wrap-up")).status == 403
