"""The contract between the hub and a channel: free of framework types and of the database.

A channel folder offers, in its `__init__`:

    Settings                       a pydantic model of the line's own keys (`extra="forbid"`)
    create(line, settings, door)   -> Channel
    parse_again(line, settings, raw, media_type, at, door) -> Touch | None      the raw bytes read once more

and `registry.py` finds it by its folder name: there is no list to edit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from channels.talk import NO_TALKS, Talks
from channels.touch import Message, Receipt, Sent, Touch, Webhook, WebhookAnswer


class LineState(StrEnum):
    """The three outcomes of starting a line."""

    RUNNING = "running"
    WILL_RETRY = "will_retry"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True)
class Health:
    """How a line is, why, and what a person can do about it."""

    state: LineState
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The hub's answer to a touch after it is committed.

    `again` = it was in the log before. `answer_by` = when the promise that it started is due.
    """

    interaction: int | None
    again: bool = False
    answer_by: datetime | None = None


class Memory(Protocol):
    """What a line remembers between runs (last IMAP UID, bot offset): small strings, committed at once."""

    async def recall(self, key: str) -> str | None: ...

    async def keep(self, key: str, value: str) -> None: ...


class Files(Protocol):
    """The hub's store of files, for channels whose vendor fetches from us what we send. Every process has the same."""

    async def keep(self, data: bytes) -> str:
        """The name under which these bytes can be read again."""

    async def read(self, name: str) -> bytes:
        """Raises `FileNotFoundError` or `ValueError` for a name that nothing was kept under."""


class _NoFiles:
    """Where nothing is kept."""

    async def keep(self, data: bytes) -> str:
        """There is no store."""
        raise FileNotFoundError("no files are kept here")

    async def read(self, name: str) -> bytes:
        """There is no store."""
        raise FileNotFoundError(name)


NO_FILES: Files = _NoFiles()


class OperatorState(StrEnum):
    """What an operator's phone does. Wrap-up is the hub's to add: the PBX does not know it."""

    FREE = "free"
    RINGING = "ringing"
    TALKING = "talking"
    PAUSED = "paused"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class OperatorPresence:
    """One operator's phone. `operator` is his set-up key if the hub knows the extension; `queues` are those he is in.

    `reason` is why it is paused; a paused operator who talks is TALKING with `paused` still true.
    """

    extension: str
    operator: str | None
    state: OperatorState
    since: datetime
    queues: tuple[str, ...] = ()
    paused: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QueuePresence:
    """One queue of the PBX: callers waiting in it, and since when the first of them waits."""

    queue: str
    waiting: int = 0
    longest_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """How the operators and queues of one line are now: always the whole picture. Not a touch."""

    line: str
    at: datetime
    operators: tuple[OperatorPresence, ...] = ()
    queues: tuple[QueuePresence, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call of this line as the log holds it: one that has not ended is what a channel continues from after a restart;
    of one that has, the recordings are looked for."""

    external_id: str
    at: datetime
    direction: str
    call: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording or a voice mail message as the PBX keeps it: a file that can be read here, or an address of its web
    server with the headers to ask it with (they may hold a password: never shown, never logged)."""

    name: str
    media_type: str
    path: Path | None = None
    address: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How the house wants a line's recordings kept: for how many days (None = until somebody deletes them), and who of
    the operators hears them (supervisors hear all)."""

    days: int | None = None
    heard_by: Literal["own", "team", "supervisors"] = "team"


@dataclass(frozen=True, slots=True)
class Question:
    """The dialplan asks where a call shall go; `priority`: also how soon it is to be answered in a queue."""

    caller: str
    did: str
    uid: str
    linkedid: str
    priority: bool = False


def _no_hook() -> str | None:
    return None


def _no_extensions() -> Mapping[str, str]:
    return {}


async def _no_open_calls() -> Sequence[OpenCall]:
    return ()


def _tell_nobody(presence: Presence) -> None:
    """Nobody watches."""


async def _no_route(question: Question) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Door:
    """What hub hands to a channel.

    `deliver` returns only after the touch is committed; only then may the channel acknowledge to its source. Deliver
    touches concurrently where the source allows it: the hub commits what has queued up together.
    `sign(text)` gives a short url-safe signature, so that a channel can prove its own plus-addresses and Message-IDs.
    `own_addresses()` are the normalised addresses of all our lines and operators (to recognise our own mail).
    `hook()` is where the outside reaches `receive` of this line; None while the hub has no public address.

    For telephony: `extensions()` maps extensions to operators' keys; `open_calls()` are the calls of this line that
    the log holds as not ended; `presence(picture)` is told whenever the picture changes; `route(question)` answers
    `op/101`, a queue, or "" for "as the dialplan would have it"; to a question with `priority`, the number that the
    caller has in queues follows after a comma (`support,10`; higher ones are answered first).

    `files` keeps what a vendor fetches from us, by addresses below `hook()` that the channel signs.

    For live talks: `talks`; `default_region()` says how telephone numbers without a country are read, `languages()`
    in which languages the company speaks.
    """

    deliver: Callable[[Touch], Awaitable[Accepted]]
    report: Callable[[Receipt], Awaitable[None]]
    health: Callable[[Health], None]
    memory: Memory
    now: Callable[[], datetime]
    sign: Callable[[str], str]
    own_addresses: Callable[[], frozenset[str]]
    hook: Callable[[], str | None] = _no_hook
    extensions: Callable[[], Mapping[str, str]] = _no_extensions
    open_calls: Callable[[], Awaitable[Sequence[OpenCall]]] = _no_open_calls
    presence: Callable[[Presence], None] = _tell_nobody
    route: Callable[[Question], Awaitable[str]] = _no_route
    talks: Talks = NO_TALKS
    files: Files = NO_FILES
    default_region: Callable[[], str] = lambda: "RU"
    languages: Callable[[], tuple[str, ...]] = lambda: ("en",)


class Channel(Protocol):
    """One running line."""

    async def listen(self) -> None:
        """Hear and deliver until cancelled. Raises `ChannelError`; the hub's supervisor decides when to start again."""

    async def check(self) -> Health:
        """Really connect and sign in, then leave. Never raises for what the outside world does."""

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`."""

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """After a crash: is this message out? What `send` would have answered, False if not, None = cannot be known."""

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Answer a webhook, after everything in it is committed. Channels without one answer 404."""

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Telephone(Protocol):
    """What a channel that is a telephone exchange can do besides. `isinstance(channel, Telephone)` tells.

    Calls are named by their external id, operators by extension, queues as the PBX calls them. Everything raises
    `ChannelError`: `Unreachable` when the PBX is away or does not answer in time (nothing is done later), `Rejected`
    when it refuses. Nothing is retried by itself.
    """

    async def call(self, extension: str, number: str) -> str:
        """Ring the operator, then dial `number` (E.164 or an extension). Answers the call's external id at once."""

    async def transfer(self, call: str, extension: str, to: str, *, attended: bool = False) -> None:
        """Hand the other side over to `to`. Attended: the operator talks to `to` first and hangs up when done."""

    async def take_back(self, call: str, extension: str) -> None:
        """The operator talks to somebody before handing over, and goes back to the other side instead."""

    async def redirect(self, call: str, to: str) -> None:
        """Send the other side of a call that rings or waits to `to`."""

    async def hang_up(self, call: str, extension: str | None = None) -> None:
        """End the operator's part of the call; without an extension, the whole call."""

    async def pause(self, extension: str, reason: str = "", queue: str | None = None) -> None:
        """No calls for this operator, in one queue or in all."""

    async def unpause(self, extension: str, queue: str | None = None) -> None:
        """Calls again."""

    async def log_in(self, extension: str, queue: str, name: str = "", penalty: int = 0) -> None:
        """Make the operator a member of a queue; already being one is no error."""

    async def log_out(self, extension: str, queue: str) -> None:
        """End the membership; not being a member is no error."""

    async def pause_recording(self, call: str, paused: bool = True) -> None:
        """Record silence while card numbers are spoken, and the voice again."""

    @property
    def keeping(self) -> Keeping:
        """For how long recordings are kept, and for whom."""

    def recordings(self, call: OpenCall) -> Sequence[Sound | None]:
        """Where each of `call["recordings"]` is; None for one that is not (yet, or no longer) there. May block."""

    def voicemail(self, call: OpenCall) -> Sound | None:
        """The message that was left in this call, wherever it has been moved since. May block."""

    def erase(self, sound: Sound) -> bool:
        """Delete it for good, with what lies beside it; False where we may not. May block."""

    def routed(self, linkedid: str, answer: str) -> None:
        """What the hub answered to a question that came by HTTP, for the reason of a call that went nowhere."""

    def picture(self) -> Presence:
        """How operators and queues are now."""


@runtime_checkable
class ReadMarker(Protocol):
    """A channel that can tell the client that he was read. `isinstance(channel, ReadMarker)` tells."""

    async def mark_read(self, external_id: str) -> None:
        """This message of his, and everything before it, was looked at by somebody. Raises `ChannelError`."""


class Cost(Protocol):
    """What a text costs on a channel where texts are paid for by the part.

    `units` are what is counted, `left` those that still fit before there is one more part; `foreign` is the first
    letter that makes the text dearer than it need be, if there is one.
    """

    @property
    def parts(self) -> int: ...

    @property
    def units(self) -> int: ...

    @property
    def left(self) -> int: ...

    @property
    def foreign(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """One test call: whether all is well, what was seen in sentences, what was not with its remedy, what the call came
    to, and how many events of each kind were heard."""

    well: bool
    seen: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    call: Mapping[str, Any]
    events: Mapping[str, int]


@runtime_checkable
class Watcher(Protocol):
    """A channel that can watch one call to see whether it is set up well."""

    async def watch_call(self, seconds: float) -> Watched:
        """Until one call has ended, or so long. Raises `ChannelError`."""


class ChannelModule(Protocol):
    """What a channel folder's `__init__` offers.

    What only some channels are is said by further names there, which the hub looks for:

        WRITES = False           nobody can be written to through it (a telephone exchange)
        SCHEMES = ("phone",)     whom it can write to, by the schemes of identities; else those of its own name
        BUTTONS = True           `Message.buttons` are shown; elsewhere a question asks for a number in words
        STOP_HOLDS = True        who said STOP hears nothing more until he says START, whatever he writes meanwhile
        FREE_TEXT = timedelta    so long after the client's last message free text may be sent, then `Message.template`
        measure(text) -> Cost    texts are paid for by the part: what this one costs
        SCRIPT = True            other people's pages load `/{channel}/{line}.js`: `receive` gets it as path `script.js`
    """

    Settings: type[Any]

    def create(self, line: str, settings: Any, door: Door) -> Channel: ...

    def parse_again(
        self, line: str, settings: Any, raw: bytes, media_type: str, at: datetime, door: Door
    ) -> Touch | None: ...
