"""A scripted SMSC: SMPP 3.4 by its own reading of the standard, with the bad manners that real ones have.

What clients say waits until a session that receives is there, and is handed over until it is acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import pack, unpack

from tests.peers.workshop import free_port

BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT, DELIVER, UNBIND, ENQUIRE, NACK, RESPONSE = 0x04, 0x05, 0x06, 0x15, 0x80000000, 0x80000000
RECEIPTED_MESSAGE_ID, MESSAGE_PAYLOAD, MESSAGE_STATE = 0x001E, 0x0424, 0x0427
CLIENT = "79161234567"
US = "7000"
_AGAIN_S = 0.2


def tlv(tag: int, value: bytes) -> bytes:
    """One optional parameter."""
    return pack("!HH", tag, len(value)) + value


def body(
    payload: bytes,
    *,
    source: str | bytes = CLIENT,
    ton: int = 1,
    to: str = US,
    esm_class: int = 0,
    coding: int = 0,
    tlvs: bytes = b"",
) -> bytes:
    """The body of a `deliver_sm`."""
    sender = source.encode() if isinstance(source, str) else source
    ends = b"".join((b"\0", bytes((ton, 1)), sender, b"\0", b"\0\1", to.encode(), b"\0"))
    return ends + bytes((esm_class, 0, 0)) + b"\0\0\0\0" + bytes((coding, 0, len(payload))) + payload + tlvs


def in_parts(text: str, reference: int = 7, each: int = 60, **how: str) -> list[bytes]:
    """The bodies of a long message, in UCS-2."""
    pieces = [text[at : at + each] for at in range(0, len(text), each)]
    return [
        body(
            bytes((5, 0, 3, reference, len(pieces), number)) + piece.encode("utf-16-be"),
            esm_class=0x40,
            coding=8,
            source=how.get("source", CLIENT),
        )
        for number, piece in enumerate(pieces, 1)
    ]


def report(message: str, state: str = "DELIVRD", err: str = "000", *, named: bool = True) -> bytes:
    """The body of a delivery report; not `named` = the id stands in a TLV only."""
    who = f"id:{message} " if named else ""
    text = f"{who}sub:001 dlvrd:001 submit date:2611211200 done date:261121120059 stat:{state} err:{err} text:abc"
    return body(text.encode(), esm_class=4, tlvs=tlv(RECEIPTED_MESSAGE_ID, message.encode() + b"\0"))


@dataclass(frozen=True, slots=True)
class Submitted:
    """One `submit_sm` that was accepted."""

    id: str
    source: str
    source_ton: int
    destination: str
    esm_class: int
    coding: int
    registered: int
    payload: bytes
    parameters: bytes

    @property
    def text(self) -> str:
        """Of this part, without its header."""
        data = self.payload[self.payload[0] + 1 :] if self.esm_class & 0x40 else self.payload
        return data.decode("utf-16-be") if self.coding == 8 else data.decode("ascii")


@dataclass(slots=True)
class Smsc:
    """`answer` decides the status of each `submit_sm` (None: never answered; "hang up": the connection breaks)."""

    port: int = field(default_factory=free_port)
    password: str = "secret"
    id_format: str = "{:d}"
    refuses_bind: int = 0
    says_why: bool = True
    reports_early: bool = False
    forgets_acknowledgements: bool = False
    submitted: list[Submitted] = field(default_factory=list)
    binds: list[int] = field(default_factory=list)
    unbinds: int = 0
    acknowledged: list[int] = field(default_factory=list)
    answers: list[int | str | None] = field(default_factory=list)
    before_answer: Callable[[Submitted], None] | None = None
    most_waiting: int = 0
    _queue: list[bytes] = field(default_factory=list)
    _last: bytes = b""
    _server: asyncio.Server | None = None
    _sessions: set[_Session] = field(default_factory=set)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    async def start(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """The SMSC is gone, and so are its connections."""
        if self._server is not None:
            self._server.close()
        self.break_off()
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 2)
        self._server = None

    def break_off(self) -> None:
        """All connections break."""
        for session in list(self._sessions):
            session.writer.transport.abort()

    @property
    def open_sessions(self) -> int:
        """Binds that are there now."""
        return sum(1 for session in self._sessions if session.kind)

    def say(self, text: str) -> None:
        """A client writes, in one part."""
        ascii_only = text.isascii()
        self.push(body(text.encode() if ascii_only else text.encode("utf-16-be"), coding=0 if ascii_only else 8))

    def push(self, *bodies: bytes) -> None:
        """Hand these over, as soon as somebody receives."""
        self._queue.extend(bodies)
        self._last = bodies[-1]
        for session in self._sessions:
            if session.kind in (BIND_TRANSCEIVER, BIND_RECEIVER):
                session.hand_over()

    def push_again(self) -> None:
        """Hand the last one over once more."""
        self.push(self._last)

    @property
    def waiting(self) -> int:
        """What nobody has acknowledged yet."""
        return len(self._queue)

    def texts(self) -> list[str]:
        """What clients' phones show: parts put together."""
        shown: dict[object, str] = {}
        for one in self.submitted:
            key: object = (one.destination, one.payload[3]) if one.esm_class & 0x40 else one.id
            shown[key] = shown.get(key, "") + one.text
        return list(shown.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self, reader, writer)
        self._sessions.add(session)
        try:
            await session.run()
        except (OSError, EOFError):
            pass
        finally:
            self._sessions.discard(session)
            session.end()

    def accept(self, pdu: bytes, number: int) -> Submitted:
        """Read a `submit_sm`."""
        fields, rest = [], pdu[1:] if pdu[:1] == b"\0" else pdu.partition(b"\0")[2]
        for _ in range(2):
            ton, rest = rest[0], rest[2:]
            address, _, rest = rest.partition(b"\0")
            fields.append((ton, address.decode()))
        esm_class, rest = rest[0], rest[3:]
        rest = rest.partition(b"\0")[2].partition(b"\0")[2]
        registered, coding, length = rest[0], rest[2], rest[4]
        (ton, source), (_, to) = fields
        payload, parameters = rest[5 : 5 + length], rest[5 + length :]
        return Submitted(
            self.id_format.format(number), source, ton, to, esm_class, coding, registered, payload, parameters
        )

    def take_number(self) -> int:
        """The number of the next message."""
        return next(self._ids)

    def settle(self, given: bytes, status: int) -> None:
        """What was acknowledged is forgotten."""
        self.acknowledged.append(status)
        if status == 0 and not self.forgets_acknowledgements:
            with contextlib.suppress(ValueError):
                self._queue.remove(given)

    @property
    def queue(self) -> list[bytes]:
        """What is to be handed over."""
        return list(self._queue)


class _Session:
    def __init__(self, smsc: Smsc, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.smsc, self.reader, self.writer = smsc, reader, writer
        self.kind = 0
        self._given: dict[int, bytes] = {}
        self._numbers = itertools.count(1)
        self._again: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        while True:
            length, command, status, sequence = unpack("!IIII", await self.reader.readexactly(16))
            data = await self.reader.readexactly(length - 16)
            if command in (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER):
                await self._bind(command, sequence, data)
            elif command == SUBMIT:
                if await self._submit(sequence, data) == "hang up":
                    self.writer.transport.abort()
                    return
            elif command == DELIVER | RESPONSE:
                self._settle(sequence, status)
            elif command in (ENQUIRE, UNBIND):
                self._send(command | RESPONSE, 0, sequence)
                self.smsc.unbinds += command == UNBIND

    def end(self) -> None:
        if self._again is not None:
            self._again.cancel()
        self.writer.close()

    async def _bind(self, command: int, sequence: int, data: bytes) -> None:
        _, password = data.split(b"\0")[:2]
        status = self.smsc.refuses_bind or (0 if password.decode() == self.smsc.password else 0x0E)
        self._send(command | RESPONSE, status, sequence, b"SMSC\0" if self.smsc.says_why or not status else b"")
        if status == 0:
            self.kind = command
            self.smsc.binds.append(command)
            if command != BIND_TRANSMITTER:
                self.hand_over()

    async def _submit(self, sequence: int, data: bytes) -> str:
        answer = self.smsc.answers.pop(0) if self.smsc.answers else 0
        if isinstance(answer, int) and answer:
            self._send(SUBMIT | RESPONSE, answer, sequence)
            return ""
        one = self.smsc.accept(data, self.smsc.take_number())
        self.smsc.submitted.append(one)
        if isinstance(answer, str) or answer is None:
            return answer or ""
        if self.smsc.before_answer is not None:
            self.smsc.before_answer(one)
        if self.smsc.reports_early:
            self.smsc.push(report(one.id))
            await asyncio.sleep(0.05)
        self._send(SUBMIT | RESPONSE, 0, sequence, one.id.encode() + b"\0")
        return ""

    def hand_over(self) -> None:
        on_their_way = list(self._given.values())
        for one in self.smsc.queue:
            if one in on_their_way:
                on_their_way.remove(one)
                continue
            sequence = next(self._numbers)
            self._given[sequence] = one
            self._send(DELIVER, 0, sequence, one)
        self.smsc.most_waiting = max(self.smsc.most_waiting, len(self._given))

    def _settle(self, sequence: int, status: int) -> None:
        given = self._given[sequence]
        self.smsc.settle(given, status)
        if status == 0:
            if not self.smsc.forgets_acknowledgements:
                del self._given[sequence]
            return
        del self._given[sequence]
        self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self.hand_over)

    def _send(self, command: int, status: int, sequence: int, data: bytes = b"") -> None:
        if not self.writer.is_closing():
            self.writer.write(pack("!IIII", 16 + len(data), command, status, sequence) + data)
