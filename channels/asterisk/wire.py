"""The one file that knows panoramisk, and mends it: one signed-in AMI connection that tells the truth about itself.

Kept of panoramisk 1.4 are `Action` (its ids, its rendering, its future) and `Message` (what a response is). Its
`Manager` and its parser are replaced here, for these reasons, each of which has a test:

- a PBX that froze was never noticed: here a ping that stays unanswered ends the connection;
- actions given while it was down were sent after the reconnect: here they fail at once, and nothing is ever sent twice;
- it reconnected by itself, for ever, even with a wrong secret: here `open` raises and the hub's supervisor backs off;
- an awaited action had no time limit, QueueAdd never answered, Originate without Async broke the connection;
- callbacks ran unordered, and one that raised dropped the connection: here events are one ordered queue, read by one
  reader, which makes the PBX wait when it falls behind;
- UTF-8 was decoded per TCP segment: here per message.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter, deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import cast

from panoramisk.actions import Action
from panoramisk.message import Message

from channels.asterisk.settings import Settings
from channels.errors import BadSettings, ChannelError, Rejected, Unreachable

Event = Mapping[str, str]

# fmt: off
WANTED = frozenset({
    b"Newchannel", b"Newstate", b"Rename", b"DialBegin", b"DialState", b"DialEnd", b"BridgeEnter", b"BridgeLeave",
    b"Hold", b"Unhold", b"HangupRequest", b"Hangup", b"QueueCallerJoin", b"QueueCallerLeave", b"AgentCalled",
    b"AgentComplete", b"QueueMemberAdded", b"QueueMemberRemoved", b"QueueMemberPause", b"QueueMemberStatus",
    b"DeviceStateChange", b"OriginateResponse", b"MixMonitorStart", b"MixMonitorMute", b"Cdr", b"VarSet",
    b"MessageWaiting",
})
VARIABLES = frozenset({
    b"QUEUESTATUS", b"MIXMONITOR_FILENAME", b"VM_MESSAGEFILE", b"ROUTE",
})
# fmt: on
"""The events that anybody here reads; the others (up to two thirds of the stream) are counted and not even decoded."""

_END = b"\r\n\r\n"
_HIGH, _LOW = 20_000, 2_000
_LONGEST = 1 << 20
_REST_S = 0.005
_FOLLOWS = b"Response: Follows"
_END_COMMAND = b"--END COMMAND--"


class Mark(dict[str, str]):
    """Stands among the events where a list ended: what comes before it is older than `listed`, what follows is newer.
    `about` is whatever the asker wants to find again."""

    def __init__(self, about: object) -> None:
        super().__init__()
        self.about = about
        self.listed: list[Event] = []


@dataclass(slots=True)
class _Pending:
    """One action that waits for its answer; one that is `listed` gets a list of events after its response."""

    action: Action
    listed: bool
    mark: Mark | None = None
    response: Message | None = None
    items: list[Event] = field(default_factory=list)


class _Stream(asyncio.Protocol):
    """Bytes become messages here; everything is handed to the wire at once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._buffer = bytearray()
        self._skipping = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._wire.heard = True
        buffer = self._buffer
        fresh = max(len(buffer) - 3, 0)
        buffer += data
        if not self._wire.banner:
            line_end = buffer.find(b"\r\n")
            if line_end < 0:
                if len(buffer) > 200:
                    self._wire.fail(Unreachable("what answers there is not an Asterisk manager"))
                return
            self._wire.greet(bytes(buffer[:line_end]))
            del buffer[: line_end + 2]
            fresh = 0
        if buffer.find(_END, fresh) >= 0:
            *frames, rest = bytes(buffer).split(_END)
            if self._skipping:
                self._skipping = False
                del frames[0]
            buffer[:] = self._take(frames) + rest
        if len(buffer) > _LONGEST:  # a message without an end: nothing in it can be trusted
            self._skipping = True
            del buffer[:-3]
        self._rest()

    def _take(self, frames: list[bytes]) -> bytes:
        """Hand on whole messages; answers the beginning of one that is not whole yet. Before 14, the output of a
        command may have empty lines in it."""
        whole = iter(frames)
        for frame in whole:
            if frame.startswith(_FOLLOWS):
                while _END_COMMAND not in frame:
                    more = next(whole, None)
                    if more is None:
                        return frame + _END
                    frame += _END + more
            self._wire.take(frame)
        return b""

    def _rest(self) -> None:
        """Read on after a moment: a PBX tells each event by itself, hundreds for one call, and to be woken for each
        costs far more than to read it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(_REST_S, self._wire.read_on)

    def connection_lost(self, error: Exception | None) -> None:
        self._wire.fail(Unreachable("the PBX closed the connection" if error is None else f"connection lost: {error}"))


class Wire:
    """One connection, from `open` to the first trouble. Make a new one to connect again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._pending: dict[str, _Pending] = {}
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._greeted = asyncio.Event()
        self._reading = False
        self._paused = False
        self._pinger: asyncio.Task[None] | None = None
        self._trouble: ChannelError | None = None
        self.heard = False
        self.banner = ""
        self.seen: Counter[bytes] = Counter()
        """How many events of each name came, also of those that nobody reads."""
        self.unstamped = 0
        """How many of the events read had no time stamp."""

    @property
    def alive(self) -> bool:
        """Whether actions can be sent."""
        return self._transport is not None and self._trouble is None

    async def open(self) -> None:
        """Connect and sign in. Raises `Unreachable` (try again) or `BadSettings` (needs a person)."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_s):
                loop = asyncio.get_running_loop()
                self._transport, _ = await loop.create_connection(
                    lambda: _Stream(self), settings.host, settings.port, ssl=_context(settings)
                )
                await self._greeted.wait()
                if self._trouble is not None:
                    raise self._trouble
            await self._sign_in()
        except BaseException as error:
            await self.close()
            if isinstance(error, TimeoutError):
                raise Unreachable(f"{settings.host}:{settings.port} does not answer") from None
            if isinstance(error, OSError):
                raise _why(error, settings) from None
            raise
        self._pinger = asyncio.create_task(self._keep_pinging())

    async def ask(
        self, name: str, fields: Mapping[str, object] | None = None, *, seconds: float | None = None
    ) -> Message:
        """One action and its response. Raises `Unreachable` when it does not come in time, `Rejected` on an error."""
        return (await self._send(name, fields or {}, listed=False, seconds=seconds))[0]

    async def ask_list(
        self, name: str, fields: Mapping[str, object] | None = None, *, mark: Mark | None = None
    ) -> list[Event]:
        """One action that answers by a list of events; `…Complete` is not part of the list. `mark` comes among the
        events where it was complete."""
        return (await self._send(name, fields or {}, listed=True, mark=mark))[1]

    async def events(self) -> AsyncGenerator[Event, None]:
        """The events in the order of the wire, for ever. Raises the trouble that ended the connection."""
        self._reading = True
        while True:
            while self._events:
                event = self._events.popleft()
                if self._paused and len(self._events) < _LOW:
                    self._paused = False
                    self.read_on()
                yield event
            if self._trouble is not None:
                raise self._trouble
            self._arrived.clear()
            await self._arrived.wait()

    async def close(self) -> None:
        """Let go; whoever still waits is told."""
        self.fail(Unreachable("the connection was closed"))
        if self._pinger is not None:
            self._pinger.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pinger

    def greet(self, banner: bytes) -> None:
        """The first line of all."""
        self.banner = banner.decode("ascii", "replace")
        if not self.banner.startswith("Asterisk Call Manager"):
            self.fail(Unreachable(f"what answers there is not an Asterisk manager: {self.banner[:60]!r}"))
        self._greeted.set()

    def take(self, frame: bytes) -> None:
        """One whole message."""
        if frame.startswith(b"Event: "):
            name = frame[7 : frame.find(b"\r\n", 7)] if b"\r\n" in frame else frame[7:]
            self.seen[name] += 1
            if self._pending and b"\r\nActionID: " in frame:
                self._take_item(read_frame(frame))
            elif name in WANTED and (name != b"VarSet" or _variable(frame) in VARIABLES):
                self._put(read_frame(frame))
        elif frame.startswith(b"Response: ") or b"\r\nResponse: " in frame:
            self._answer(read_frame(frame))

    def read_on(self) -> None:
        """Read what has come meanwhile, unless far too much waits to be read by us."""
        if self.alive and not self._paused and self._transport is not None:
            self._transport.resume_reading()

    def fail(self, trouble: ChannelError) -> None:
        """The connection is over. The first trouble is the one that counts."""
        if self._trouble is None:
            self._trouble = trouble
        if self._transport is not None:
            self._transport.abort()
        for pending in self._pending.values():
            if not pending.action.future.done():
                pending.action.future.set_exception(self._trouble)
        self._pending.clear()
        self._greeted.set()
        self._arrived.set()

    def _put(self, event: Event) -> None:
        if "Timestamp" not in event:
            self.unstamped += 1
        self._events.append(event)
        self._arrived.set()
        if self._reading and not self._paused and len(self._events) > _HIGH and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _take_item(self, event: Event) -> None:
        pending = self._pending.get(event.get("ActionID", ""))
        if pending is None or not pending.listed:
            if event.get("Event", "").encode() in WANTED:
                self._put(event)
        elif event.get("EventList") == "Complete" or event.get("Event", "").endswith("Complete"):
            if pending.mark is not None:
                pending.mark.listed = pending.items
                self._events.append(pending.mark)
                self._arrived.set()
            self._finish(pending)
        else:
            pending.items.append(event)

    def _answer(self, headers: Event) -> None:
        message = Message(dict(headers))
        pending = self._pending.get(headers.get("ActionID", ""))
        if pending is None:
            return
        pending.response = message
        if not pending.listed or not message.success:
            self._finish(pending)

    def _finish(self, pending: _Pending) -> None:
        self._pending.pop(pending.action.id, None)
        if not pending.action.future.done():
            pending.action.future.set_result(None)

    async def _send(
        self,
        name: str,
        fields: Mapping[str, object],
        *,
        listed: bool,
        seconds: float | None = None,
        mark: Mark | None = None,
    ) -> tuple[Message, list[Event]]:
        if self._trouble is not None or self._transport is None:
            raise Unreachable("the PBX is not connected")
        action = Action({"Action": name, **{key: _clean(value) for key, value in fields.items()}})
        pending = _Pending(action, listed, mark)
        self._pending[action.id] = pending
        self._transport.write(str(action).encode())
        try:
            async with asyncio.timeout(seconds or self._settings.timeout_s):
                await action.future
        except TimeoutError:
            raise Unreachable(f"the PBX did not answer {name} in time") from None
        finally:
            self._pending.pop(action.id, None)
        response = pending.response if pending.response is not None else Message({"Response": "Success"})
        if not response.success:
            raise Rejected(f"{name}: {response.message or response.response}")
        return response, pending.items

    async def _sign_in(self) -> None:
        settings = self._settings
        login = {"Username": settings.username, "Secret": settings.secret.get_secret_value(), "Events": "on"}
        try:
            await self.ask("Login", login)
        except Rejected as error:
            raise BadSettings(
                f"the PBX refuses the manager user {settings.username!r}: {error.reason.removeprefix('Login: ')}",
                remedy="Compare username and secret with manager.conf, and its permit lines with this host's address.",
            ) from None

    async def _keep_pinging(self) -> None:
        """An unanswered ping ends the connection, unless the PBX was heard since, or it is we who do not read."""
        while True:
            await asyncio.sleep(self._settings.ping_s)
            self.heard = False
            try:
                await self.ask("Ping", seconds=self._settings.ping_s)
            except Rejected:
                pass  # an answer is an answer
            except Unreachable:
                if self._trouble is not None:
                    return
                if not self.heard and not self._paused:
                    self.fail(Unreachable("the PBX has stopped answering"))


def read_frame(frame: bytes) -> dict[str, str]:
    """Headers of one message; a header that comes again is joined by line feeds."""
    lines = frame.decode("utf-8", "replace").split("\r\n")
    try:
        found = dict([line.split(": ", 1) for line in lines])
    except ValueError:
        return _read_with_care(lines)
    return found if len(found) == len(lines) else _read_with_care(lines)


def _read_with_care(lines: list[str]) -> dict[str, str]:
    """What a line may look like, too: without a space, without a colon, with a key that was there already."""
    found: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            continue
        value = value[1:] if value.startswith(" ") else value
        found[key] = f"{found[key]}\n{value}" if key in found else value
    return found


def _variable(frame: bytes) -> bytes:
    start = frame.rfind(b"\r\nVariable: ")
    return frame[start + 12 : frame.find(b"\r\n", start + 12)].strip() if start >= 0 else b""


def _clean(value: object) -> object:
    """What a person typed must not become a header of its own."""
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in value]
    text = str(value)
    if any(letter in text for letter in "\r\n\0"):
        raise Rejected("a line break is not allowed there")
    return text


def _context(settings: Settings) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=settings.ca) if settings.tls else None


def _why(error: OSError, settings: Settings) -> ChannelError:
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
        return BadSettings(f"there is no host {settings.host!r}", remedy="Correct the line's host.")
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = "Name the authority's file in `ca`, or correct the certificate of the PBX."
        return BadSettings(f"the certificate of the PBX is not trusted: {error.verify_message}", remedy=remedy)
    return Unreachable(f"{settings.host}:{settings.port}: {error.strerror or error}")
