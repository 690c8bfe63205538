"""One SMPP session over aiosmpplib, mended: the only file that knows the library.

Its PDUs, its reading and sending loops and its keeping alive are used as they are. What is done here instead:
- **Signing in** (`connect`): the library fails on a refusal without a body, tries for ever and tells nobody; nor does
  it know TLS. Here a session lives once: it is bound, or it says why not, and when it breaks its owner hears of it.
- **Reading** (`_get_pdu`): statuses and commands that the library does not know end its session; here they are numbers.
- **Inbound** (`_handle_request`): the library refuses PDUs that are not to the letter, acknowledges before anything
  is stored, reads 16-bit references wrongly and dies of reports with an `err` in letters. Here the raw PDU goes to
  `take`, many at a time, and is answered with the status that `take` returns, after it has returned.
- **Answers** (`_handle_response`, the hook): every `submit_sm` waits for its own answer by sequence number. The
  library's queue, splitting (161 letters as one part) and correlation in memory are not used.
- **Leaving** (`_disconnect`, `_end_task`): the library forgets sockets open, and waits half a second for each task.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from struct import unpack

import structlog
from aiosmpplib import (
    ESME,
    NPI,
    TON,
    AbstractCorrelator,
    AbstractHook,
    AbstractRetryTimer,
    BindMode,
    BindTransceiver,
    BindTransmitter,
    DeliverSmResp,
    GenericNack,
    PduHeader,
    PhoneNumber,
    SmppCommand,
    SmppCommandStatus,
    SmppMessage,
    SmppSessionState,
    SubmitSm,
    Unbind,
)

from channels.errors import BadSettings, ChannelError, Uncertain, Unreachable
from channels.sms.parts import Alphabet
from channels.sms.settings import SmppSettings
from channels.sms.status import COMMAND_UNKNOWN, LATER, OK, not_signed_in, refused

log = structlog.get_logger(__name__)

Take = Callable[[bytes], Awaitable[None]]

_HEAD = 16
_LONGEST_PDU = 70_000
_AT_ONCE = 256
_GOODBYE_S = 1.0
_COMMANDS = frozenset(int(one) for one in SmppCommand)
_STATUSES = frozenset(int(one) for one in SmppCommandStatus)
_RESPONSE = 0x80000000
_CODINGS = {Alphabet.GSM: "gsm0338", Alphabet.UCS2: "ucs2"}
_UDHI = 0x40
_BOUND = (SmppCommand.BIND_TRANSMITTER_RESP, SmppCommand.BIND_TRANSCEIVER_RESP, SmppCommand.GENERIC_NACK)


async def take_nothing(pdu: bytes) -> None:
    """For a session that only sends: what comes in shall come again later, to the one that listens."""
    raise Unreachable("this session does not listen")


@dataclass(frozen=True, slots=True)
class Part:
    """One `submit_sm`: `header` is the user data header of a part of several."""

    sender: str
    recipient: str
    alphabet: Alphabet
    data: bytes
    header: bytes = b""


class Submission(SubmitSm):
    """A part on its way out, and its answer: the SMSC's id, or a `ChannelError`."""

    answer: asyncio.Future[str]


class _Once(AbstractRetryTimer):
    """The library tries again by itself; here the hub's supervisor decides."""

    async def wait(self) -> float:
        raise Unreachable("the SMSC has ended the connection")

    def reset(self) -> None:
        """Nothing is counted."""

    def next_delay(self) -> float:
        return 0.0


class _Ear(AbstractHook):
    """Hears of a request's sequence number just before its bytes go out."""

    def __init__(self, waiting: dict[int, Submission]) -> None:
        self._waiting = waiting

    async def sending(self, smpp_message: SmppMessage, pdu: bytes, client_id: str) -> None:
        if isinstance(smpp_message, Submission):
            self._waiting[smpp_message.sequence_num] = smpp_message

    async def received(self, smpp_message: SmppMessage | None, pdu: bytes, client_id: str) -> None:
        """Everything is heard before."""

    async def send_error(self, smpp_message: SmppMessage, error: Exception, client_id: str) -> None:
        """Nothing is sent from the library's queue."""


class _NoCorrelator(AbstractCorrelator):
    """Answers find their requests by `_Ear`, reports their messages by the hub."""

    def get_cumulated_status(self, ref_num: int) -> int:
        return 0

    async def expired(self, smpp_message: SmppMessage) -> None:
        """Nothing is kept."""

    async def put(self, smpp_message: SmppMessage) -> None:
        """Nothing is kept."""

    async def put_delivery(self, smsc_message_id: str, submit_sm: SubmitSm) -> None:
        """Nothing is kept."""

    async def put_delivery_segmented(self, deliver_sm: object) -> None:
        """Nothing is kept."""

    async def get(self, response: SmppMessage) -> None:
        """Nothing is kept."""

    async def get_segmented(self, smpp_seq_num: int, remove: bool = False) -> tuple[None, int]:
        return None, 0

    async def get_delivery(self, receipt: object) -> None:
        """Nothing is kept."""


class Session(ESME):
    """One bind, from `open` to `close`. `take(pdu)` returns once a `deliver_sm` is safe, or raises to get it again."""

    def __init__(self, settings: SmppSettings, take: Take, *, only_sends: bool = False) -> None:
        self._own, self._take = settings, take
        self._waiting: dict[int, Submission] = {}
        self._taking: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._window = asyncio.Semaphore(settings.window)
        self._running: asyncio.Task[None] | None = None
        super().__init__(
            settings.host,
            settings.port,
            settings.system_id,
            settings.password.get_secret_value(),
            system_type=settings.system_type,
            bind_mode=BindMode.TRANSMITTER if only_sends else BindMode.TRANSCEIVER,
            enquire_link_interval=float(settings.enquire_s),
            socket_timeout=float(settings.timeout_s),
            log_level=logging.CRITICAL + 1,  # its log has clients' texts in it
            log_handler=logging.NullHandler(),
            hook=_Ear(self._waiting),
            correlator=_NoCorrelator(),
            retry_timer=_Once(),
        )

    @property
    def is_bound(self) -> bool:
        """May messages be handed over now?"""
        return self._bound.is_set() and self._writer is not None and not self._writer.is_closing()

    async def open(self) -> None:
        """Connect and sign in. Raises `ChannelError`."""
        self._running = asyncio.create_task(self.start(), name=f"smpp {self._own.host}")
        ready = asyncio.create_task(self._bound.wait())
        try:
            await asyncio.wait({self._running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if self._running.done():
                await self.ended()
        except BaseException:
            await self.close()
            raise
        finally:
            ready.cancel()

    async def ended(self) -> None:
        """Returns never: raises a `ChannelError` when the session breaks."""
        assert self._running is not None
        try:
            await asyncio.shield(self._running)
        except ChannelError:
            raise
        except Exception as error:
            raise Unreachable(f"the SMPP session broke: {error!r}") from error
        raise Unreachable("the SMPP session has ended")

    async def close(self) -> None:
        """Take leave and let go. What was handed over without an answer is uncertain."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_GOODBYE_S):
                await self._let_finish()
                if self.is_bound:
                    await self._send_data(Unbind())
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for task in self._taking:
            task.cancel()
        await asyncio.gather(*self._taking, return_exceptions=True)
        self._give_up()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
                async with asyncio.timeout(_GOODBYE_S):
                    await writer.wait_closed()

    async def submit(self, part: Part) -> str:
        """Hand one part over; the SMSC's id. Raises `ChannelError`, `Uncertain` when it may be out."""
        async with self._window:
            if not self.is_bound:
                raise Unreachable("the SMSC is not connected")
            submission = self._compose(part)
            try:
                async with asyncio.timeout(self._own.timeout_s):
                    await self._send_data(submission)
                    return await submission.answer
            except TimeoutError:
                raise Uncertain("the SMSC did not answer in time whether it took the message") from None
            except OSError as error:
                raise Uncertain(f"the connection broke while the message was handed over: {error}") from error
            finally:
                self._waiting.pop(submission.sequence_num, None)

    def _compose(self, part: Part) -> Submission:
        try:
            submission = Submission(
                short_message="-",  # the library wants one; the bytes are ours
                source=_sender(part.sender),
                destination=_recipient(part.recipient),
                esm_class=_UDHI if part.header else 0,
                registered_delivery=1 if self._own.receipts else 0,
                encoding=_CODINGS[part.alphabet],
                auto_message_payload=False,
            )
        except ValueError as error:
            raise BadSettings(
                f"this cannot be written in SMPP: {error}", remedy="Correct the line's sender."
            ) from error
        submission.set_encoded_message(part.header + part.data)
        submission.answer = asyncio.get_running_loop().create_future()
        return submission

    async def connect(self) -> None:
        """See `ESME.connect`; raises `ChannelError`, which ends `start`."""
        where = f"{self.smsc_host}:{self.smsc_port}"
        try:
            async with asyncio.timeout(self.socket_timeout):
                tls = ssl.create_default_context(cafile=self._own.ca) if self._own.tls else None
                self._reader, self._writer = await asyncio.open_connection(
                    self.smsc_host, self.smsc_port, ssl=tls, limit=2 * _LONGEST_PDU
                )
                self._session_state = SmppSessionState.OPEN
                status = await self._sign_in()
        except ssl.SSLCertVerificationError as error:
            raise BadSettings(
                f"{where}: {error.verify_message}", remedy="Check tls, ca and host of the line."
            ) from error
        except TimeoutError as error:
            raise Unreachable(f"{where} does not answer") from error
        except (OSError, EOFError, ValueError) as error:
            raise Unreachable(f"{where} cannot be reached: {error or type(error).__name__}") from error
        if status != OK:
            raise not_signed_in(status)
        self._session_state = self.bind_mode.session_state

    async def _sign_in(self) -> int:
        kind = BindTransmitter if self.bind_mode is BindMode.TRANSMITTER else BindTransceiver
        await self._send_data(
            kind(system_id=self.system_id, password=self.password, system_type=self.system_type, addr_ton=TON.UNKNOWN)
        )
        pdu, header = await self._get_pdu()
        if header.smpp_command not in _BOUND:
            raise ValueError(f"it answered a bind with {header.smpp_command.name}")
        return _status(pdu)

    async def _get_pdu(self) -> tuple[bytes, PduHeader]:
        assert self._reader is not None
        while True:
            head = await self._reader.readexactly(_HEAD)
            length, command, status, sequence = unpack("!IIII", head)
            if not _HEAD <= length <= _LONGEST_PDU:
                raise ConnectionResetError("what comes over this connection is not SMPP")
            pdu = head + await self._reader.readexactly(length - _HEAD)
            if command in _COMMANDS:
                known = status if status in _STATUSES else SmppCommandStatus.ESME_RUNKNOWNERR
                return pdu, PduHeader(length, SmppCommand(command), SmppCommandStatus(known), sequence)
            if not command & _RESPONSE and self._bound.is_set():
                await self._send_data(GenericNack(sequence, SmppCommandStatus(COMMAND_UNKNOWN)))

    async def _handle_request(self, pdu: bytes, header: PduHeader) -> SmppMessage | None:
        if header.smpp_command is not SmppCommand.DELIVER_SM:
            return await super()._handle_request(pdu, header)
        await self._room.acquire()
        task = asyncio.create_task(self._take_in(pdu, header.sequence_num))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)
        task.add_done_callback(lambda _: self._room.release())
        return None

    async def _take_in(self, pdu: bytes, sequence: int) -> None:
        status = OK
        try:
            await self._take(pdu)
        except Exception as error:
            log.warning("sms_not_taken_in", host=self._own.host, error=repr(error))
            status = LATER
        if self.is_bound:
            with contextlib.suppress(OSError):
                await self._send_data(DeliverSmResp(sequence, SmppCommandStatus(status)))

    async def _handle_response(self, pdu: bytes, header: PduHeader) -> SmppMessage | None:
        if header.smpp_command not in (SmppCommand.SUBMIT_SM_RESP, SmppCommand.GENERIC_NACK):
            return await super()._handle_response(pdu, header)
        submission = self._waiting.pop(header.sequence_num, None)
        if submission is None or submission.answer.done():
            return None
        status = _status(pdu)
        if status == OK:
            submission.answer.set_result(pdu[_HEAD:].partition(b"\0")[0].decode("latin-1"))
        else:
            submission.answer.set_exception(refused(status, self._own.opted_out_codes))
        return None

    async def _let_finish(self) -> None:
        """What has come in and is being stored is answered before we leave."""
        if self._taking:
            await asyncio.wait(set(self._taking))

    def _give_up(self) -> None:
        for submission in self._waiting.values():
            if not submission.answer.done():
                submission.answer.set_exception(Uncertain("the connection broke before the SMSC answered"))
        self._waiting.clear()

    async def _end_task(self, task: asyncio.Task[object]) -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._give_up()

    async def _disconnect(self) -> None:
        """`close` does it."""


def _status(pdu: bytes) -> int:
    return int.from_bytes(pdu[8:12], "big")


def _sender(text: str) -> PhoneNumber:
    """A name, a short code, or a number of the world."""
    digits = text.removeprefix("+")
    if not digits:
        return PhoneNumber("", TON.UNKNOWN, NPI.UNKNOWN)
    if not digits.isdecimal():
        return PhoneNumber(text, TON.ALPHANUMERIC, NPI.UNKNOWN)
    if len(digits) <= 6:
        return PhoneNumber(digits, TON.NETWORK_SPECIFIC, NPI.UNKNOWN)
    return PhoneNumber(digits, TON.INTERNATIONAL, NPI.ISDN)


def _recipient(text: str) -> PhoneNumber:
    """E.164, or a short code as it is dialled."""
    if text.startswith("+"):
        return PhoneNumber(text[1:], TON.INTERNATIONAL, NPI.ISDN)
    return PhoneNumber(text, TON.UNKNOWN, NPI.ISDN)
