"""What was wrong with the wire, mended: one test for each fault seen, against a small server that can misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.asterisk.adapter import AsteriskChannel
from channels.asterisk.emulator import Emulator, read_stream
from channels.asterisk.settings import Settings
from channels.asterisk.wire import Wire, _Stream, read_frame
from channels.contract import LineState
from channels.errors import BadSettings, ChannelError, Rejected, Unreachable
from tests.channels.door import FakeDoor, until
from tests.peers.certificates import Certificate

STREAMS = Path(__file__).with_name("streams")


def now() -> datetime:
    return datetime.now(UTC)


def setup(port: int, **changes: Any) -> Settings:
    values: dict[str, Any] = {"host": "127.0.0.1", "port": port, "username": "hub", "secret": "demo", "ping_s": 0.2}
    return Settings(**values | {"timeout_s": 2.0} | changes)


@pytest.fixture
async def server() -> AsyncIterator[Emulator]:
    async with Emulator(now, queues={"support": ("PJSIP/101",)}) as emulator:
        yield emulator


@pytest.fixture
async def wire(server: Emulator) -> AsyncIterator[Wire]:
    opened = Wire(setup(server.port))
    await opened.open()
    yield opened
    await opened.close()


async def take(wire: Wire, count: int) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    async with asyncio.timeout(60):
        async for event in wire.events():
            found.append(dict(event))
            if len(found) == count:
                break
    return found


def event(number: int, **more: str) -> dict[str, str]:
    return {"Event": "Newchannel", "Uniqueid": f"1.{number}", "Channel": "PJSIP/trunk-1", **more}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_utf8_is_whole_whatever_the_segments(server: Emulator, wire: Wire, size: int) -> None:
    server.segment = size
    await server.say(event(1, CallerIDName="Иван Петров żółć 📞"))
    assert (await take(wire, 1))[0]["CallerIDName"] == "Иван Петров żółć 📞"


async def test_a_frozen_server_is_noticed(server: Emulator, wire: Wire) -> None:
    server.deaf = True
    with pytest.raises(Unreachable, match="stopped answering"):
        await take(wire, 1)
    assert not wire.alive


async def test_a_ping_that_is_late_but_not_lost_ends_nothing(server: Emulator, wire: Wire) -> None:
    """The PBX is heard, only its answers are slow: that is no dead connection."""
    server.deaf = True
    for number in range(12):
        await server.say(event(number))
        await asyncio.sleep(0.1)
    server.deaf = False
    assert wire.alive
    assert len(await take(wire, 12)) == 12


async def test_what_is_asked_while_down_is_refused_at_once_and_never_sent(server: Emulator, wire: Wire) -> None:
    server.drop()
    with pytest.raises(Unreachable):
        await take(wire, 1)
    with pytest.raises(Unreachable):
        await wire.ask("Originate", {"Channel": "PJSIP/101"})
    again = Wire(setup(server.port))
    await again.open()
    await again.ask("Ping")
    await again.close()
    assert "Originate" not in [action["Action"] for action in server.asked]


async def test_an_action_under_way_when_the_connection_breaks_fails_and_is_not_repeated(server: Emulator) -> None:
    wire = Wire(setup(server.port, ping_s=60))
    await wire.open()
    server.deaf = True
    asking = asyncio.create_task(wire.ask("QueuePause", {"Interface": "PJSIP/101", "Paused": "true"}))
    await until(lambda: server.asked[-1]["Action"] == "QueuePause", 2, lambda: "not asked")
    server.drop()
    with pytest.raises(Unreachable):
        await asking
    server.deaf = False
    again = Wire(setup(server.port))
    await again.open()
    await again.ask("Ping")
    assert [action["Action"] for action in server.asked].count("QueuePause") == 1
    await again.close()
    await wire.close()


async def test_every_action_has_a_time_limit(server: Emulator) -> None:
    wire = Wire(setup(server.port, timeout_s=0.3, ping_s=60))
    await wire.open()
    server.deaf = True
    with pytest.raises(Unreachable, match="in time"):
        await wire.ask("QueueStatus")
    assert wire.alive
    await wire.close()


async def test_a_wrong_secret_needs_a_person(server: Emulator) -> None:
    with pytest.raises(BadSettings) as caught:
        await Wire(setup(server.port, secret="wrong")).open()
    assert caught.value.remedy
    assert not caught.value.retryable


async def test_nobody_there_may_be_tried_again(server: Emulator) -> None:
    with pytest.raises(Unreachable):
        await Wire(setup(1)).open()


async def test_a_host_that_does_not_exist_needs_a_person() -> None:
    with pytest.raises(ChannelError) as caught:
        await Wire(setup(5038, host="nowhere.invalid")).open()
    assert "nowhere.invalid" in caught.value.reason


async def test_what_is_no_manager_is_not_believed() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        await reader.read()
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    with pytest.raises(Unreachable, match="not an Asterisk manager"):
        await Wire(setup(other.sockets[0].getsockname()[1])).open()
    other.close()
    await other.wait_closed()
    await asyncio.sleep(0.01)


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async def sulk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    other = await asyncio.start_server(sulk, "127.0.0.1", 0)
    with pytest.raises(Unreachable, match="does not answer"):
        await Wire(setup(other.sockets[0].getsockname()[1], timeout_s=0.2)).open()
    other.close()
    await other.wait_closed()
    await asyncio.sleep(0.01)


async def test_what_a_person_typed_cannot_become_another_header(server: Emulator, wire: Wire) -> None:
    with pytest.raises(Rejected):
        await wire.ask("QueuePause", {"Reason": "lunch\r\nAction: Originate"})
    assert "QueuePause" not in [action["Action"] for action in server.asked]


async def test_queue_add_and_originate_are_answered(server: Emulator, wire: Wire) -> None:
    assert (await wire.ask("QueueAdd", {"Queue": "support", "Interface": "PJSIP/101"})).success
    with pytest.raises(Rejected):
        await wire.ask("Originate", {"Channel": "PJSIP/101"})
    assert wire.alive


async def test_lists_are_whole_while_events_fly(server: Emulator, wire: Wire) -> None:
    await asyncio.gather(*(server.say(event(number)) for number in range(50)))
    items = await wire.ask_list("QueueStatus")
    assert [item["Event"] for item in items] == ["QueueParams", "QueueMember"]
    assert [one["Uniqueid"] for one in await take(wire, 50)] == [f"1.{number}" for number in range(50)]


async def test_a_reader_that_falls_behind_makes_the_server_wait(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.asterisk.wire._HIGH", 100)
    monkeypatch.setattr("channels.asterisk.wire._LOW", 10)
    wire = Wire(setup(server.port, ping_s=0.1))
    await wire.open()
    reader = wire.events()
    await server.say(event(0))
    await anext(reader)
    blob = b"".join(
        f"Event: Newchannel\r\nUniqueid: 1.{number}\r\nX: {'x' * 500}\r\n\r\n".encode() for number in range(40_000)
    )
    sending = asyncio.create_task(server.send(blob))
    await asyncio.sleep(0.5)
    assert not sending.done(), "the server was not made to wait"
    assert wire.alive, "our own slowness was taken for the PBX's death"
    numbers = []
    async with asyncio.timeout(60):
        while len(numbers) < 40_000:
            numbers.append(int((await anext(reader))["Uniqueid"][2:]))
    assert numbers == list(range(40_000))
    await wire.close()
    await sending


async def test_a_touch_that_the_hub_cannot_take_is_offered_again_and_drops_nothing(server: Emulator) -> None:
    """The callback that raised dropped the connection; here the line goes on, and the touch comes."""
    fake = FakeDoor()
    refusals = 3

    def refuse(_: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise RuntimeError("database is away")

    fake.before_deliver = refuse
    channel = AsteriskChannel("pbx", setup(server.port), fake.door())
    task = asyncio.create_task(channel.listen())
    await until(lambda: bool(fake.healths), 5, lambda: "not running")
    await server.play(read_stream(STREAMS / "queue_answered_caller_hangup.txt"), speed=0)
    await until(lambda: any(touch.phase == "ended" for touch in fake.touches), 10, lambda: str(fake.touches))
    assert not task.done()
    assert [touch.phase for touch in fake.logged] == ["queued", "ringing", "answered", "ended"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_event_that_cannot_be_understood_stops_nothing(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeDoor()
    channel = AsteriskChannel("pbx", setup(server.port), fake.door())
    feed, failed = channel._calls.__class__.feed, []

    def fragile(self: Any, one: Any, now: Any) -> Any:
        if one.get("Event") == "MixMonitorStart":
            failed.append(one)
            raise KeyError("a bug")
        return feed(self, one, now)

    monkeypatch.setattr("channels.asterisk.calls.Calls.feed", fragile)
    task = asyncio.create_task(channel.listen())
    await until(lambda: bool(fake.healths), 5, lambda: "not running")
    await server.play(read_stream(STREAMS / "queue_abandoned.txt"), speed=0)
    await until(lambda: any(touch.phase == "ended" for touch in fake.touches), 10, lambda: str(fake.touches))
    assert failed and not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_close_while_the_server_is_away_stays_closed(server: Emulator, wire: Wire) -> None:
    server.drop()
    await wire.close()
    await asyncio.sleep(0.5)
    assert [action["Action"] for action in server.asked].count("Login") == 1


async def test_tls(certificate: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    emulator = Emulator(now)
    secure = await asyncio.start_server(emulator._serve, "127.0.0.1", 0, ssl=context)
    port = secure.sockets[0].getsockname()[1]
    trusting = Wire(setup(port, tls=True, ca=certificate.chain))
    await trusting.open()
    await trusting.close()
    with pytest.raises(BadSettings, match="not trusted"):
        await Wire(setup(port, tls=True)).open()
    secure.close()
    await secure.wait_closed()
    await asyncio.sleep(0.01)


async def test_a_server_that_lists_no_permissions_is_not_accused(server: Emulator) -> None:
    fake = FakeDoor()
    channel = AsteriskChannel("pbx", setup(server.port), fake.door())
    health = await channel.check()
    assert health.state is LineState.RUNNING


@settings(max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200), st.sampled_from([b"\r\n\r\n", b"Event: Hangup\r\n", b"Response: Follows\r\n"])
        ),
        max_size=30,
    )
)
def test_any_bytes_are_survived(chunks: list[bytes]) -> None:
    wire = Wire(setup(1))
    stream = _Stream(wire)
    stream.data_received(b"Asterisk Call Manager/11.0.0\r\n")
    for chunk in chunks:
        stream.data_received(chunk)
    stream.data_received(b"\r\n\r\n--END COMMAND--\r\n\r\nEvent: Newchannel\r\nUniqueid: 9.9\r\n\r\n")
    assert wire._events[-1]["Uniqueid"] == "9.9"


def test_a_message_without_end_is_skipped() -> None:
    wire = Wire(setup(1))
    stream = _Stream(wire)
    stream.data_received(b"Asterisk Call Manager/11.0.0\r\nEvent: Newchannel\r\nX: ")
    for _ in range(40):
        stream.data_received(b"x" * 65536)
    stream.data_received(b"\r\n\r\nEvent: Newchannel\r\nUniqueid: 9.9\r\n\r\n")
    assert [one["Uniqueid"] for one in wire._events] == ["9.9"]


async def test_events_of_no_use_are_counted_and_not_read(server: Emulator, wire: Wire) -> None:
    await server.say({"Event": "RTCPSent", "Uniqueid": "1.1"})
    await server.say({"Event": "VarSet", "Uniqueid": "1.1", "Variable": "SIPDOMAIN", "Value": "x"})
    await server.say({"Event": "VarSet", "Uniqueid": "1.1", "Variable": "QUEUESTATUS", "Value": "TIMEOUT"})
    (only,) = await take(wire, 1)
    assert only["Variable"] == "QUEUESTATUS"
    assert wire.seen[b"RTCPSent"] == 1
    with contextlib.suppress(Rejected):
        await wire.ask("Ping")


def test_odd_lines_of_a_message_are_read_all_the_same() -> None:
    assert read_frame(b"Event: Hangup\r\nCause: 16\r\nCause-txt: a: b") == {
        "Event": "Hangup",
        "Cause": "16",
        "Cause-txt": "a: b",
    }
    odd = read_frame(b"Event:Hangup\r\nnothing\r\nVariable: a\r\nVariable: b\r\nEmpty:")
    assert odd == {"Event": "Hangup", "Variable": "a\nb", "Empty": ""}


def test_a_message_in_pieces_is_one() -> None:
    wire = Wire(setup(1))
    stream = _Stream(wire)
    events = b"Event: Newchannel\r\nUniqueid: 9.9\r\n\r\nEvent: Hangup\r\nUniqueid: 9.9\r\n\r\n"
    whole = b"Asterisk Call Manager/11.0.0\r\n" + events
    for place in range(len(whole)):
        stream.data_received(whole[place : place + 1])
    assert [event["Event"] for event in wire._events] == ["Newchannel", "Hangup"]
