"""Recordings through the API: whole and in parts, from a folder and from a web server, to whom they are, on record."""

from __future__ import annotations

import pytest

from hub.recordings.access import may_hear
from tests.hub.api.caller import Answer, Caller
from tests.hub.office import ANNA, BORIS, PROGRAM, VERA
from tests.hub.recordings.conftest import SOUND, Calls

PLAIN = {"parts": [], "voicemail": None, "pauses": [], "expired": None}


async def play(caller: Caller, address: str, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await caller.call("GET", address, headers=sent)


@pytest.mark.parametrize("line", ["pbx", "far"])
@pytest.mark.parametrize("parts", [True, False], ids=["", "no parts"])
async def test_a_recording_is_played_whole_and_in_parts(caller: Caller, calls: Calls, line: str, parts: bool) -> None:
    calls.server.knows_parts = parts
    (calls.folder if line == "pbx" else calls.server.folder).joinpath("a b.wav").write_bytes(SOUND)
    made = await caller.get(f"/interactions/{calls.log(line, recordings=['a b.wav'], recording='a b.wav')['id']}")
    address = made["call"]["recording"]
    assert address == f"/api/v1/interactions/{made['id']}/recording" and made["call"]["voicemail"] is None
    assert made["recordings"] == {**PLAIN, "parts": [address]}
    whole = await play(caller, address)
    assert (whole.status, whole.body, whole.headers["Content-Type"]) == (200, SOUND, "audio/wav")
    assert whole.headers["Accept-Ranges"] == "bytes" and "no-store" in whole.headers["Cache-Control"]
    assert whole.headers["X-Content-Type-Options"] == "nosniff" and "Authorization" not in whole.headers
    part = await play(caller, address, Range="bytes=100-299")
    assert (part.status, part.body) == (206, SOUND[100:300])
    assert (part.headers["Content-Range"], part.headers["Content-Length"]) == (f"bytes 100-299/{len(SOUND)}", "200")
    last = await play(caller, address, Range="bytes=-5")
    assert (last.status, last.body) == (206, SOUND[-5:])
    beyond = await play(caller, address, Range="bytes=999999-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(SOUND)}")
    head = await caller.call("HEAD", address)
    assert (head.status, head.body) == (405, b"") or head.headers["Content-Length"] == str(len(SOUND))


async def test_a_part_of_what_has_changed_is_the_whole(caller: Caller, calls: Calls) -> None:
    calls.record("a.wav")
    address = f"/api/v1/interactions/{calls.log(recordings=['a.wav'])['id']}/recording"
    tag = (await play(caller, address)).headers["ETag"]
    assert (await play(caller, address, Range="bytes=0-9", If_Range=tag)).status == 206
    assert (await play(caller, address, If_None_Match=tag)).status == 304
    calls.record("a.wav", SOUND + b"more")
    fresh = await play(caller, address, Range="bytes=0-9", If_Range=tag)
    assert (fresh.status, fresh.body) == (200, SOUND + b"more")
    assert fresh.headers["ETag"] != tag


async def test_what_cannot_be_played_says_why(caller: Caller, calls: Calls) -> None:
    async def refused(number: int, what: str = "recording") -> tuple[int, str]:
        answer = await play(caller, f"/api/v1/interactions/{number}/{what}")
        return answer.status, answer.error["message"]

    assert (await refused(999_999))[0] == 404
    assert (await refused(calls.office.mail()["id"]))[0] == 404
    assert (await refused(calls.log()["id"]))[0] == 404
    awaited = calls.log(recordings=["late.wav"])["id"]
    assert await refused(awaited) == (404, "the recording is not there yet")
    calls.record("late.wav")
    assert (await play(caller, f"/api/v1/interactions/{awaited}/recording")).body == SOUND
    assert (await refused(awaited, "voicemail"))[0] == 404
    assert (await play(caller, f"/api/v1/interactions/{awaited}/recording?part=2")).status == 404
    assert (await refused(calls.log(recordings=["late.wav"], ended_at=None)["id"]))[0] == 409
    assert (await refused(calls.log(recordings=["../secret.wav"])["id"]))[0] == 404
    assert (await refused(calls.log("far", recordings=["none.wav"])["id"]))[0] == 404
    assert (await refused(calls.log("far", recordings=["moved.wav"])["id"]))[0] == 503
    assert (await refused(calls.log("far", recordings=["../../etc/passwd"])["id"]))[0] == 404
    assert calls.server.asked == 2
    calls.server.password = "changed"
    status, message = await refused(calls.log("far", recordings=["none.wav"])["id"])
    assert status == 503 and "does not give" in message


async def test_each_listening_is_on_record_once(caller: Caller, calls: Calls) -> None:
    calls.record("a.wav")
    number = calls.log(recordings=["a.wav", "a.wav"])["id"]
    first, second = (f"/api/v1/interactions/{number}/recording{part}" for part in ("", "?part=2"))
    assert await caller.get(f"/interactions/{number}/listenings") == {"items": [], "next": None}
    for span in ("bytes=0-", "bytes=100-199", "bytes=5000-"):
        assert (await play(caller, first, Range=span)).status == 206
    assert (await play(caller, first, Range="bytes=999999-")).status == 416
    await play(caller, second)
    calls.office.clock.move(minutes=9)
    await play(caller, first, Range="bytes=200-")  # he still listens
    calls.office.clock.move(minutes=9)
    await play(caller, first, Range="bytes=300-")
    calls.office.clock.move(minutes=30)
    await play(caller, first)
    caller.become("supervisor")
    await play(caller, first)
    found = (await caller.get(f"/interactions/{number}/listenings"))["items"]
    assert [(one["who"], one["what"], one["part"]) for one in found] == [
        ("token:test-supervisor", "recording", 1),
        ("token:test-admin", "recording", 1),
        ("token:test-admin", "recording", 2),
        ("token:test-admin", "recording", 1),
    ]
    caller.become("operator")
    assert (await caller.call("GET", f"/api/v1/interactions/{number}/listenings")).status == 403
    refused = await play(caller, first)
    assert (refused.status, refused.error["code"]) == (403, "forbidden")
    caller.become("admin")
    assert len((await caller.get("/journal", action="listened"))["items"]) == 4


def test_whose_recordings_somebody_hears() -> None:
    talked = {"operator": "anna", "legs": [{"operator": "boris", "result": "answered"}]}
    rung = {"operator": "boris", "legs": [{"operator": "anna", "result": "no_answer"}]}
    for actor, rule, operator, team, call, allowed in (
        (VERA, "supervisors", "anna", "sales", talked, True),
        (PROGRAM, "own", "anna", "sales", talked, True),
        (ANNA, "own", None, "sales", talked, True),
        (BORIS, "own", "anna", None, talked, True),
        (ANNA, "own", "boris", "support", rung, False),
        (ANNA, "team", "boris", "support", rung, True),
        (ANNA, "team", "boris", "sales", rung, False),
        (ANNA, "team", "boris", None, rung, False),
        (ANNA, "supervisors", "anna", "support", talked, False),
    ):
        assert may_hear(actor, rule, operator, team, call) is allowed, (actor.key, rule, team)
