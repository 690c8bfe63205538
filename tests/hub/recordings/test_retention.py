"""`keep_recordings`: what is older is deleted or hidden, and the row says which."""

from __future__ import annotations

from pathlib import Path

from channels import registry
from channels.contract import Telephone
from hub.housekeeping import Housekeeping
from hub.rebuilding import compare_interactions
from hub.recordings.retention import Retention
from hub.settings import Settings
from hub.setup.lines import settings_of
from hub.setup.live import LiveSetUp
from storage import models
from tests.channels.door import FakeDoor
from tests.hub.api.caller import Caller
from tests.hub.recordings.conftest import Calls, bring, set_up


def housekeeping(calls: Calls, home: Path) -> Housekeeping:
    live = LiveSetUp.open(calls.office.store)

    def telephone_of(key: str) -> Telephone | None:
        line = live.current.lines[key]
        channel = registry.find(line.channel).create(key, settings_of(line, Settings(home=home)), FakeDoor().door())
        return channel if isinstance(channel, Telephone) else None

    return Housekeeping(calls.office.store, live, Retention(calls.office.store, telephone_of))


async def test_what_is_too_old_is_deleted_and_says_so(caller: Caller, calls: Calls, tmp_path: Path) -> None:
    bring(calls.office, set_up(calls.folder, calls.server, keep_recordings='"30 days"'))
    old, young = calls.record("old.wav"), calls.record("young.wav")
    first = calls.log(recordings=["old.wav"], recording="old.wav")
    plain = calls.log()
    far = calls.log("far", recordings=["old.wav"])
    await housekeeping(calls, tmp_path).look()
    assert old.exists()
    calls.office.clock.move(days=29)
    second = calls.log(recordings=["young.wav"])
    await housekeeping(calls, tmp_path).look()
    assert old.exists() and young.exists()
    calls.office.clock.move(days=2)
    await housekeeping(calls, tmp_path).look()
    await housekeeping(calls, tmp_path).look()
    assert not old.exists() and young.exists()
    shown = await caller.get(f"/interactions/{first['id']}")
    assert (shown["call"]["recording"], shown["recordings"]["parts"]) == (None, [])
    assert shown["recordings"]["expired"] == {"at": "2026-10-15T09:00:00Z", "how": "deleted", "after_days": 30}
    gone = await caller.call("GET", f"/api/v1/interactions/{first['id']}/recording")
    assert (gone.status, gone.error["code"]) == (410, "gone")
    for row in (plain, second, far):  # nothing recorded, too young, a line that keeps for ever
        assert "recordings_expired" not in calls.office.row(models.interaction, row["id"])["call"]
    entries = calls.office.rows(models.journal, action="recording_deleted")
    assert [entry["subject_id"] for entry in entries] == [str(first["id"])]
    assert calls.office.store.read_now(compare_interactions) == [], "the log adds up to it"


async def test_what_cannot_be_deleted_is_hidden(caller: Caller, calls: Calls, tmp_path: Path) -> None:
    bring(calls.office, set_up(calls.folder, calls.server) + 'keep_recordings = "1 day"\n')
    (calls.server.folder / "a.wav").write_bytes(b"RIFF")
    number = calls.log("far", recordings=["a.wav"])["id"]
    calls.office.clock.move(days=2)
    await housekeeping(calls, tmp_path).look()
    assert (calls.server.folder / "a.wav").exists()
    assert (await caller.get(f"/interactions/{number}"))["recordings"]["expired"]["how"] == "hidden"
    assert (await caller.call("GET", f"/api/v1/interactions/{number}/recording")).status == 410
