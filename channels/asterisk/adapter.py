"""One PBX line: events in, touches and presence out, actions and questions answered; all deciding is done elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import structlog

from channels.asterisk import doctor, trial
from channels.asterisk.aftermath import Aftermath
from channels.asterisk.arrivals import Arrivals
from channels.asterisk.calls import Calls, Phase
from channels.asterisk.delivery import Delivery
from channels.asterisk.endpoints import Endpoints
from channels.asterisk.events import Event
from channels.asterisk.fastagi import AgiServer
from channels.asterisk.files import (
    erase,
    find_recording,
    find_voicemail,
    names_in,
    shorten,
    tells_absent,
    without_absent,
)
from channels.asterisk.presence import Board
from channels.asterisk.rebuild import Snapshot, restore_board, restore_calls, snapshot_of, take_snapshot
from channels.asterisk.settings import Settings
from channels.asterisk.telephone import Dialling
from channels.asterisk.touches import make_touch
from channels.asterisk.wire import Mark, Wire
from channels.contract import Door, Health, Keeping, LineState, OpenCall, Presence, Sound, Watched
from channels.errors import BadSettings, Rejected
from channels.touch import Message, Sent, Webhook, WebhookAnswer

log = structlog.get_logger(__name__)

_SEEN = "seen until"
_NOTE_S = 10.0
_PICTURE_S = 0.1
_DRAIN_S = 5.0


class AsteriskChannel:
    """A running PBX line: a `Channel` and a `Telephone` (channels.contract)."""

    def __init__(self, line: str, settings: Settings, door: Door) -> None:
        self._line, self._settings, self._door = line, settings, door
        endpoints = Endpoints(settings.interface, door.extensions, frozenset(settings.trunks))
        self._calls = Calls(endpoints, door.extensions)
        self._board = Board(line, endpoints, door.extensions)
        self._dialling = Dialling(settings, self._calls, door.now)
        self._arrivals = Arrivals(line, settings, door)
        self._lost_at: datetime | None = None
        self._judged = ""

    # -- Channel ---------------------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Follow the PBX until cancelled. Calls that last are kept over a reconnect."""
        wire = Wire(self._settings)
        delivery = Delivery(self._door.deliver)
        aftermath = Aftermath(
            self._line, self._settings, self._door, self._calls, lambda phases: self._deliver(phases, delivery)
        )
        agi = AgiServer(self._door.route, self.routed, self._settings.route_timeout_s)
        tasks: list[asyncio.Task[None]] = []
        try:
            await wire.open()
            await self._open_agi(agi)
            self._dialling.wire = wire
            await self._catch_up(wire, delivery, aftermath)
            self._door.health(Health(LineState.RUNNING, *doctor.summary(doctor.judge_stream(wire))))
            tasks = [
                asyncio.create_task(self._show()),
                asyncio.create_task(self._note_seen(wire)),
                asyncio.create_task(self._compare(wire)),
                asyncio.create_task(self._arrivals.run(delivery)),
            ]
            try:
                async for event in wire.events():
                    if isinstance(event, Mark):
                        await self._rebuild(snapshot_of(event), delivery, aftermath, restarted=False)
                    elif phases := self._take(event):
                        await self._deliver(phases, delivery)
            finally:
                self._lost_at = self._door.now()
        finally:
            self._dialling.wire = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await aftermath.close()
            await wire.close()
            await agi.close()
            await delivery.drain(_DRAIN_S)
            await delivery.close()

    async def check(self) -> Health:
        """Sign in, look around, and say what an administrator must change."""
        return await doctor.check(self._settings, self._door)

    async def watch_call(self, seconds: float) -> Watched:
        """See `Watcher.watch_call`."""
        return (await trial.watch_call(self._settings, self._door, seconds)).as_told()

    async def send(self, message: Message) -> Sent:
        """A PBX carries voices, no messages."""
        raise Rejected("a telephone line sends no messages")

    async def was_sent(self, message: Message) -> bool | None:
        """Nothing ever is."""
        return False

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """The dialplan's question comes to `/route/LINE`, which is the hub's."""
        return WebhookAnswer(404, b"this line has no webhook\n")

    async def close(self) -> None:
        """Everything is let go of at the end of `listen`."""

    # -- Telephone -------------------------------------------------------------------------------------------------

    async def call(self, extension: str, number: str) -> str:
        """See `Telephone.call`."""
        return await self._dialling.call(extension, number)

    async def transfer(self, call: str, extension: str, to: str, *, attended: bool = False) -> None:
        """See `Telephone.transfer`."""
        await self._dialling.transfer(call, extension, to, attended=attended)

    async def take_back(self, call: str, extension: str) -> None:
        """See `channels.contract.Telephone`."""
        await self._dialling.take_back(call, extension)

    async def redirect(self, call: str, to: str) -> None:
        """See `Telephone.redirect`."""
        await self._dialling.redirect(call, to)

    async def hang_up(self, call: str, extension: str | None = None) -> None:
        """See `Telephone.hang_up`."""
        await self._dialling.hang_up(call, extension)

    async def pause(self, extension: str, reason: str = "", queue: str | None = None) -> None:
        """See `Telephone.pause`."""
        await self._dialling.pause(extension, reason, queue, paused=True)

    async def unpause(self, extension: str, queue: str | None = None) -> None:
        """See `Telephone.unpause`."""
        await self._dialling.pause(extension, "", queue, paused=False)

    async def log_in(self, extension: str, queue: str, name: str = "", penalty: int = 0) -> None:
        """See `Telephone.log_in`."""
        await self._dialling.log_in(extension, queue, name, penalty)

    async def log_out(self, extension: str, queue: str) -> None:
        """See `Telephone.log_out`."""
        await self._dialling.log_out(extension, queue)

    async def pause_recording(self, call: str, paused: bool = True) -> None:
        """See `Telephone.pause_recording`."""
        await self._dialling.pause_recording(call, paused)

    @property
    def keeping(self) -> Keeping:
        """See `Telephone.keeping`."""
        return Keeping(self._settings.keep_recordings, self._settings.recordings_for)

    def recordings(self, call: OpenCall) -> Sequence[Sound | None]:
        """See `Telephone.recordings`."""
        return [find_recording(name, call, self._settings) for name in names_in(call.call)]

    def voicemail(self, call: OpenCall) -> Sound | None:
        """See `Telephone.voicemail`."""
        return find_voicemail(call, self._settings)

    def erase(self, sound: Sound) -> bool:
        """See `Telephone.erase`."""
        return erase(sound, self._settings)

    def routed(self, linkedid: str, answer: str) -> None:
        """See `Telephone.routed`."""
        self._calls.routed(linkedid, answer)

    def picture(self) -> Presence:
        """See `Telephone.picture`."""
        return self._board.picture(self._door.now())

    # -- inside ----------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> list[Phase]:
        """One event. Whatever is wrong with it, the next one is read."""
        phases: list[Phase] = []
        try:
            now = self._door.now()
            phases = self._calls.feed(event, now)
            self._board.feed(event, now)
            self._dialling.hear(event)
        except Exception:
            log.exception("event_not_understood", line=self._line, name=event.get("Event"))
        return phases

    async def _deliver(self, phases: Iterable[Phase], delivery: Delivery) -> None:
        for phase in phases:
            facts: Mapping[str, object] = shorten(phase.facts, self._settings)
            if facts.get("outcome") == "missed" and facts.get("recordings") and tells_absent(self._settings):
                told = OpenCall(phase.call, phase.at, phase.direction.value, facts)
                facts = await asyncio.to_thread(without_absent, told, self._settings)
            touch = make_touch(self._line, self._settings.default_region, phase, facts)
            await delivery.put(touch)
            self._arrivals.note(touch)

    async def _open_agi(self, agi: AgiServer) -> None:
        address = self._settings.agi_address()
        if address is None:
            return
        try:
            await agi.start(*address)
        except OSError as error:
            raise BadSettings(
                f"FastAGI cannot listen on {self._settings.route_agi}: {error.strerror}",
                remedy="Choose another port in route_agi, or end what has it.",
            ) from None

    async def _catch_up(self, wire: Wire, delivery: Delivery, aftermath: Aftermath) -> None:
        """What is, what ended unseen, and what happened in between."""
        snapshot = await take_snapshot(wire, self._door.now())
        if snapshot.channels is None:
            await self._rebuild(snapshot, delivery, aftermath, restarted=True)
            return
        self._calls.strict = True
        async with aclosing(wire.events()) as events:
            async for event in events:  # those that came before the channels were told
                if isinstance(event, Mark):
                    await self._rebuild(snapshot_of(event), delivery, aftermath, restarted=True)
                    return
                await self._deliver(self._take(event), delivery)

    async def _rebuild(self, snapshot: Snapshot, delivery: Delivery, aftermath: Aftermath, *, restarted: bool) -> None:
        """Exactly where the channels were told: what was heard before is older, what comes is newer."""
        restore_board(self._board, snapshot)
        open_calls = await self._door.open_calls() if restarted else ()
        rebuild = restore_calls(self._calls, snapshot, open_calls)
        await self._deliver(rebuild.phases, delivery)
        seen = await self._seen_until() if restarted else None
        await aftermath.begin(snapshot, rebuild, seen, self._door.now())

    async def _compare(self, wire: Wire) -> None:
        """From time to time: is what we think is still so? The answer comes among the events."""
        while True:
            await asyncio.sleep(self._settings.resync_s)
            with contextlib.suppress(Rejected):
                await take_snapshot(wire, self._door.now())

    async def _seen_until(self) -> datetime | None:
        """By this process if it was listening before, else by the one before it."""
        if self._lost_at is not None:
            return self._lost_at
        kept = await self._door.memory.recall(_SEEN)
        return datetime.fromisoformat(kept) if kept else None

    async def _note_seen(self, wire: Wire) -> None:
        """Remember now and then until when everything was heard."""
        while True:
            now = self._door.now()
            if wire.alive:
                self._tell_of_stream(wire)
                try:
                    await self._door.memory.keep(_SEEN, (now - timedelta(seconds=2)).isoformat())
                except Exception as error:  # the database is away for a while; the calls are not
                    log.warning("mark_not_kept", line=self._line, error=repr(error))
            await asyncio.sleep(_NOTE_S)

    def _tell_of_stream(self, wire: Wire) -> None:
        """What an administrator must change may show only after a while (a flood of TestEvent)."""
        words = doctor.summary(doctor.judge_stream(wire))
        if words[0].partition("(")[0] != self._judged:
            self._judged = words[0].partition("(")[0]
            self._door.health(Health(LineState.RUNNING, *words))

    async def _show(self) -> None:
        """Tell the picture whenever it changed, at most ten times a second."""
        while True:
            if self._board.changed:
                self._board.changed = False
                try:
                    self._door.presence(self.picture())
                except Exception:
                    log.exception("presence_not_told", line=self._line)
            await asyncio.sleep(_PICTURE_S)
