"""Which file is a call's recording, which its voice mail; and that nothing else ever is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from channels.asterisk import create
from channels.asterisk.files import WAV49, search_recording
from channels.asterisk.places import judge_places
from channels.asterisk.settings import Settings
from channels.contract import Channel, OpenCall, Sound, Telephone
from tests.channels.door import FakeDoor

BEGAN = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
ENDED = datetime(2026, 11, 21, 22, 31, tzinfo=UTC)


def settings(**more: Any) -> Settings:
    return Settings(**{"host": "pbx", "username": "hub", "secret": "x", **more})


def line(**more: Any) -> Telephone:
    channel: Channel = create("pbx", settings(**more), FakeDoor().door())
    assert isinstance(channel, Telephone)
    return channel


def call(**facts: Any) -> OpenCall:
    known: Mapping[str, Any] = {"ended_at": ENDED.isoformat(), "from": "+79161234567", **facts}
    return OpenCall("pbx1-1795300200.7", BEGAN, "inbound", known)


def heard(phone: Telephone, name: str) -> Sound | None:
    return phone.recordings(call(recordings=[name]))[0]


def touch(path: Path, data: bytes = b"RIFF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path.resolve()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.wav", "audio/wav"),
        ("2026/11/b.mp3", "audio/mpeg"),
        ("c.opus", "audio/ogg"),
        ("d.ogg", "audio/ogg"),
        ("e.ulaw", "application/octet-stream"),
    ],
)
def test_a_name_is_a_file_below_the_folder(tmp_path: Path, name: str, media_type: str) -> None:
    path = touch(tmp_path / name)
    sound = heard(line(recordings=str(tmp_path)), name)
    assert sound is not None
    assert (sound.path, sound.media_type, sound.address) == (path, media_type, None)


def test_a_recording_that_was_converted_or_sorted_by_day_is_found(tmp_path: Path) -> None:
    phone = line(recordings=str(tmp_path))
    mp3 = touch(tmp_path / "a.mp3")
    by_day = touch(tmp_path / "2026/11/22/in-812-7916-1795300200.7.wav")
    assert [one.path if one else None for one in phone.recordings(call(recordings=["a.wav", "nowhere.wav"]))] == [
        mp3,
        None,
    ]
    assert getattr(heard(phone, "in-812-7916-1795300200.7.wav"), "path", None) == by_day
    assert search_recording(call(), settings(recordings=str(tmp_path))) == [
        "2026/11/22/in-812-7916-1795300200.7.wav",
    ]


GSM_IN_WAV = b"RIFF\x54\x06\0\0WAVEfmt \x14\0\0\0\x31\0\x01\0"
PCM_IN_WAV = b"RIFF\x54\x06\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0"


def test_what_browsers_do_not_play_is_told_apart(tmp_path: Path) -> None:
    phone = line(recordings=str(tmp_path))
    for name, data, media_type in (
        ("a.WAV", GSM_IN_WAV, WAV49),
        ("b.wav", GSM_IN_WAV, WAV49),
        ("c.WAV", PCM_IN_WAV, "audio/wav"),
        ("d.gsm", b"\xd2", "application/octet-stream"),
        ("e.wav49", GSM_IN_WAV, "application/octet-stream"),
    ):
        touch(tmp_path / name, data)
        sound = heard(phone, name)
        assert sound is not None and sound.media_type == media_type, name
    converted = touch(tmp_path / "d.mp3")
    better = heard(phone, "d.gsm")
    assert better is not None and (better.path, better.media_type) == (converted, "audio/mpeg")
    unnamed = touch(tmp_path / "in-1795300200.7.gsm")
    assert search_recording(call(), settings(recordings=str(tmp_path))) == [unnamed.name], "the desk says what is wrong"


async def test_the_doctor_says_that_recordings_cannot_be_played(tmp_path: Path) -> None:
    rec, spool = tmp_path / "monitor", tmp_path / "voicemail"
    touch(rec / "2026/11/21/a.wav", PCM_IN_WAV)
    touch(spool / "default/100/INBOX/msg0000.wav", PCM_IN_WAV)
    touch(spool / "default/100/INBOX/msg0000.gsm")
    known = settings(recordings=str(rec), voicemail=str(spool))
    assert await judge_places(known) == []
    touch(rec / "2026/11/22/b.gsm")
    touch(rec / "2026/11/22/c.WAV", GSM_IN_WAV)
    touch(spool / "default/100/INBOX/msg0001.WAV", GSM_IN_WAV)
    first, second = await judge_places(known)
    assert first.reason == f"browsers do not play 2 of the last 3 in {rec} (recordings): .WAV, .gsm"
    assert "MixMonitor" in first.remedy and ".wav" in first.remedy and not first.grave
    assert second.reason == f"browsers do not play 1 of the last 3 in {spool} (voicemail): .WAV"
    assert "voicemail.conf" in second.remedy


def test_nothing_outside_the_folder_is_ever_answered(tmp_path: Path) -> None:
    inside, outside = tmp_path / "rec", touch(tmp_path / "secret.wav")
    inside.mkdir()
    (inside / "link.wav").symlink_to(outside)
    (inside / "folder").symlink_to(tmp_path)
    (inside / "loop.wav").symlink_to(inside / "loop.wav")
    phone = line(recordings=str(inside), voicemail=str(inside))
    for name in (
        "../secret.wav", "../secret", "/etc/passwd", str(outside), "link.wav", "folder/secret.wav", "loop.wav",
        "a/../../secret.wav", "secret.wav\0.mp3", "x" * 5000, ".", "..",
    ):  # fmt: skip
        assert heard(phone, name) is None, name
        assert phone.voicemail(call(voicemail=name)) is None, name
    assert not phone.erase(Sound("secret", "audio/wav", path=outside)) and outside.exists()
    assert not phone.erase(Sound("link", "audio/wav", path=inside / "link.wav")) and outside.exists()


def test_a_web_server_is_asked_with_its_password(tmp_path: Path) -> None:
    phone = line(recordings="https://pbx.example/rec/{path}?k=1", recordings_user="hub", recordings_password="geheim")
    sound = heard(phone, "2026/a b.wav")
    assert sound is not None and sound.path is None
    assert sound.address == "https://pbx.example/rec/2026/a%20b.wav?k=1"
    assert sound.headers == {"Authorization": "Basic aHViOmdlaGVpbQ=="}
    assert "aHVi" not in repr(sound)
    assert heard(phone, "../manager.conf") is None and heard(phone, "a\\..\\b") is None
    assert not phone.erase(sound)


def message(folder: Path, number: int, left: datetime, caller: str = '"Ivan" <79161234567>') -> Path:
    touch(folder / f"msg{number:04}.wav")
    (folder / f"msg{number:04}.txt").write_text(
        f"[message]\norigmailbox=100\ncallerid={caller}\norigtime={int(left.timestamp())}\nduration=3\n"
    )
    return (folder / f"msg{number:04}.wav").resolve()


def test_the_message_of_this_call_is_found_wherever_it_was_moved(tmp_path: Path) -> None:
    inbox, old = tmp_path / "default/100/INBOX", tmp_path / "default/100/Old"
    phone = line(voicemail=str(tmp_path))
    later = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    other = message(inbox, 0, later)  # the number of ours, used again
    ours = message(old, 4, ENDED)
    message(inbox, 1, ENDED, '"Olga" <74951112233>')
    for name in ("default/100/INBOX/msg0000", "100@default"):
        found = phone.voicemail(call(voicemail=name))
        assert found is not None and found.path == ours != other
    assert phone.voicemail(call(voicemail="101@default")) is None
    assert phone.erase(found) and not ours.exists() and not ours.with_suffix(".txt").exists()
    assert phone.voicemail(call(voicemail="100@default")) is None


def test_how_long_and_for_whom() -> None:
    kept = line(keep_recordings="90 days", recordings_for="own").keeping
    assert (kept.days, kept.heard_by) == (90, "own")
    usual = line().keeping
    assert (usual.days, usual.heard_by) == (None, "team")
    assert line(keep_recordings=1).keeping.days == 1
    for wrong in ("a while", "90 minutes", 0, "-3 days"):
        with pytest.raises(ValidationError, match="keep_recordings"):
            settings(keep_recordings=wrong)
