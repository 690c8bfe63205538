import asyncio
import logging
from enum import IntEnum

class SmppCommand(IntEnum):
    BIND_RECEIVER = 0x00000001
    BIND_TRANSMITTER_RESP = 0x80000002
    BIND_TRANSCEIVER_RESP = 0x80000009
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    GENERIC_NACK = 0x80000000

class SmppCommandStatus(IntEnum):
    ESME_ROK = 0x00000000
    ESME_RUNKNOWNERR = 0x000000FF

class SmppSessionState(IntEnum):
    OPEN = 1
    CLOSED = 5

class BindMode(IntEnum):
    TRANSMITTER = 1
    RECEIVER = 2
    TRANSCEIVER = 3
    @property
    def session_state(self) -> SmppSessionState: ...

class TON(IntEnum):
    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    ALPHANUMERIC = 5

class NPI(IntEnum):
    UNKNOWN = 0
    ISDN = 1

class PhoneNumber:
    def __init__(self, number: str, ton: TON = ..., npi: NPI = ...) -> None: ...

class PduHeader:
    smpp_command: SmppCommand
    command_status: SmppCommandStatus
    sequence_num: int
    def __init__(
        self, pdu_length: int, smpp_command: SmppCommand, command_status: SmppCommandStatus, sequence_num: int
    ) -> None: ...

class SmppMessage:
    sequence_num: int
    def __init__(self, sequence_num: int = ..., command_status: SmppCommandStatus = ...) -> None: ...

class GenericNack(SmppMessage): ...
class Unbind(SmppMessage): ...
class DeliverSmResp(SmppMessage): ...

class BindTransceiver(SmppMessage):
    def __init__(
        self, *, system_id: str = ..., password: str = ..., system_type: str = ..., addr_ton: TON = ...
    ) -> None: ...

class BindTransmitter(BindTransceiver): ...

class SubmitSm(SmppMessage):
    def __init__(
        self,
        *,
        short_message: str = ...,
        source: PhoneNumber = ...,
        destination: PhoneNumber = ...,
        esm_class: int = ...,
        registered_delivery: int = ...,
        encoding: str | None = ...,
        auto_message_payload: bool = ...,
    ) -> None: ...
    def set_encoded_message(self, encoded_message: bytes) -> None: ...

class AbstractHook:
    async def sending(self, smpp_message: SmppMessage, pdu: bytes, client_id: str) -> None: ...
    async def received(self, smpp_message: SmppMessage | None, pdu: bytes, client_id: str) -> None: ...
    async def send_error(self, smpp_message: SmppMessage, error: Exception, client_id: str) -> None: ...

class AbstractRetryTimer:
    async def wait(self) -> float: ...
    def reset(self) -> None: ...
    def next_delay(self) -> float: ...

class AbstractCorrelator: ...

class ESME:
    smsc_host: str
    smsc_port: int
    system_id: str
    password: str
    system_type: str
    bind_mode: BindMode
    socket_timeout: float
    _reader: asyncio.StreamReader | None
    _writer: asyncio.StreamWriter | None
    _session_state: SmppSessionState
    _bound: asyncio.Event
    def __init__(
        self,
        smsc_host: str,
        smsc_port: int,
        system_id: str,
        password: str,
        system_type: str = ...,
        *,
        bind_mode: BindMode = ...,
        enquire_link_interval: float = ...,
        log_level: str | int = ...,
        log_handler: logging.Handler | None = ...,
        hook: AbstractHook | None = ...,
        retry_timer: AbstractRetryTimer | None = ...,
        correlator: AbstractCorrelator | None = ...,
        socket_timeout: float = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def connect(self) -> None: ...
    async def _send_data(self, smpp_message: SmppMessage) -> None: ...
    async def _get_pdu(self) -> tuple[bytes, PduHeader]: ...
    async def _handle_request(self, pdu: bytes, header: PduHeader) -> SmppMessage | None: ...
    async def _handle_response(self, pdu: bytes, header: PduHeader) -> SmppMessage | None: ...
    async def _end_task(self, task: asyncio.Task[object]) -> None: ...
    async def _disconnect(self) -> None: ...
