"""What operators do from the desk: calls, transfers, pauses, queues. See `channels.contract.Telephone`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import phonenumbers

from channels import phone
from channels.asterisk.call import Call, Leg
from channels.asterisk.calls import Calls
from channels.asterisk.endpoints import Side
from channels.asterisk.events import Event
from channels.asterisk.settings import Settings
from channels.asterisk.wire import Wire
from channels.errors import ChannelError, Rejected, Unreachable

_SHORT = 6
_ANNOUNCED_S = 3.0
_BEGINS_S, _LOOK_S = 2.0, 0.05
_THERE = ("already there", "not there")


@dataclass(slots=True)
class Dialling:
    """Actions of one line, over whatever connection there is now. `contexts` remembers where each phone dials."""

    settings: Settings
    calls: Calls
    now: Callable[[], datetime]
    wire: Wire | None = None
    contexts: dict[str, str] = field(default_factory=dict)
    _announced: dict[str, asyncio.Future[str | None]] = field(default_factory=dict)

    def here(self) -> Wire:
        """The connection. Raises `Unreachable` while there is none: nothing is kept for later."""
        if self.wire is None or not self.wire.alive:
            raise Unreachable("the PBX is not connected", remedy="Try again when the line runs.")
        return self.wire

    def hear(self, event: Event) -> None:
        """Notice that a call of ours rings, or why it does not; and from where phones dial."""
        name = event.get("Event")
        if name == "Newchannel":
            future = self._announced.get(event.get("Uniqueid", ""))
            if future is not None and not future.done():
                future.set_result(None)
            endpoint = self.calls.endpoints.of(event.get("Channel", ""))
            if endpoint.side is Side.PHONE and endpoint.extension and event.get("Context"):
                self.contexts[endpoint.extension] = event["Context"]
        elif name == "OriginateResponse" and event.get("Response") == "Failure":
            future = self._announced.get(event.get("ActionID", ""))
            if future is not None and not future.done():
                future.set_result("the telephone cannot be rung")

    async def call(self, extension: str, number: str) -> str:
        """Ring the operator, then dial."""
        wire = self.here()
        dialled = self.number_to_dial(number)
        context = await self._context_of(wire, extension)
        # Asterisk compares linked ids by what follows the last dash: an epoch and a counter, as in its own
        call = f"touchline-{int(self.now().timestamp())}.{secrets.randbelow(10**9)}"
        interface = self.calls.endpoints.interface_of(extension)
        fields = {
            "ActionID": call,
            "Channel": interface,
            "Context": context,
            "Exten": dialled,
            "Priority": "1",
            "Async": "true",
            "CallerID": f'"{number}" <{number}>',
            "Timeout": str(int(self.settings.ring_s * 1000)),
            "ChannelId": call,
        }
        if interface.startswith("Local/"):
            fields["OtherChannelId"] = f"{call}2"
        future = self._announced[call] = asyncio.get_running_loop().create_future()
        self.calls.expect(call, number)
        try:
            await wire.ask("Originate", fields)
            refused = await self._wait_for_ring(future)
        except ChannelError:
            self.calls.forget_expected(call)
            raise
        finally:
            self._announced.pop(call, None)
        if refused is not None:
            self.calls.forget_expected(call)
            remedy = f"Is the telephone of {extension} switched on, and is it {interface} to the PBX?"
            raise Rejected(f"{interface}: {refused}", remedy=remedy)
        return call

    async def _wait_for_ring(self, future: asyncio.Future[str | None]) -> str | None:
        try:
            async with asyncio.timeout(_ANNOUNCED_S):
                return await future
        except TimeoutError:
            return None

    def number_to_dial(self, number: str) -> str:
        """As the dialplan wants it. Raises `Rejected` for what is no number."""
        found = phone.normalise(number, self.settings.default_region)
        if found.odd or not found.value.lstrip("+").isdecimal():
            raise Rejected(f"{number!r} is no telephone number")
        if not found.value.startswith("+") or len(found.value) <= _SHORT:
            return found.value
        parsed = phonenumbers.parse(found.value)
        national = phonenumbers.national_significant_number(parsed)
        return self.settings.dial.format(e164=found.value, digits=found.value[1:], national=national)

    async def _context_of(self, wire: Wire, extension: str) -> str:
        """Where the operator's own telephone dials: as set, as the PBX says, or as it was seen to."""
        if self.settings.context is not None:
            return self.settings.context
        if extension not in self.contexts:
            interface = self.calls.endpoints.interface_of(extension)
            if interface.startswith("PJSIP/"):
                await self._ask_context(wire, extension, interface.removeprefix("PJSIP/"))
        found = self.contexts.get(extension) or next(iter(self.contexts.values()), None)
        if found is None:
            raise Rejected("it is not known in which context numbers are dialled", remedy="Set `context` on the line.")
        return found

    async def _ask_context(self, wire: Wire, extension: str, endpoint: str) -> None:
        try:
            details = await wire.ask_list("PJSIPShowEndpoint", {"Endpoint": endpoint})
        except Rejected as error:
            if "unable to retrieve" in error.reason.lower() or "not found" in error.reason.lower():
                remedy = "Correct the operator's extension, or the line's `interface`."
                raise Rejected(f"the PBX has no telephone {endpoint!r}", remedy=remedy) from None
            return
        for item in details:
            if item.get("Event") == "EndpointDetail" and item.get("Context"):
                self.contexts[extension] = item["Context"]

    async def transfer(self, call: str, extension: str, to: str, *, attended: bool = False) -> None:
        """By the operator's own channel: Asterisk drops the caller when given his."""
        wire = self.here()
        leg = self._leg_of(call, extension)
        fields = {
            "Channel": leg.name,
            "Context": await self._context_of(wire, extension),
            "Exten": self.number_to_dial(to),
        }
        if attended:
            await self._ask_a_colleague(wire, self._call(call), leg, {**fields, "Priority": "1"})
        else:
            await wire.ask("BlindTransfer", fields)

    async def _ask_a_colleague(self, wire: Wire, call: Call, leg: Leg, fields: Mapping[str, object]) -> None:
        """Asterisk answers at once, and then presses the code for the operator. What is pressed while it plays him a
        sound (he has just taken the client back) is swallowed: once more, then."""
        for _ in range(2):
            await wire.ask("Atxfer", fields)
            if await _is_begun(call, leg):
                return
        raise Rejected("the PBX took the transfer, and did not begin it")

    async def take_back(self, call: str, extension: str) -> None:
        """By the code that the operator would dial (`atxferabort`), which Asterisk presses for him."""
        wire = self.here()
        await wire.ask("CancelAtxfer", {"Channel": self._leg_of(call, extension).name})

    async def redirect(self, call: str, to: str) -> None:
        """The other side leaves whatever it waits in, and goes there."""
        wire = self.here()
        found = self._call(call)
        other = next((leg for leg in found.others() if leg.ended_at is None), None)
        if other is None:
            raise Rejected("nobody is on the line any more")
        tried = next((leg.extension for leg in found.attempts() if leg.extension), None)
        context = await self._context_of(wire, tried or next(iter(self.contexts), ""))
        fields = {"Channel": other.name, "Context": context, "Exten": self.number_to_dial(to), "Priority": "1"}
        await wire.ask("Redirect", fields)

    async def hang_up(self, call: str, extension: str | None = None) -> None:
        """One operator's channel, or every channel of the call."""
        wire = self.here()
        found = self._call(call)
        legs = (
            [self._leg_of(call, extension)] if extension else [leg for leg in found.legs.values() if not leg.ended_at]
        )
        for leg in legs:
            if leg.extension is not None:  # an operator asked for it, though the PBX will say that a program did
                leg.asked_at = leg.asked_at or self.now()
            try:
                await wire.ask("Hangup", {"Channel": leg.name, "Cause": "16"})
            except Rejected:
                if leg is legs[0] and len(legs) == 1:
                    raise

    async def pause(self, extension: str, reason: str, queue: str | None, *, paused: bool) -> None:
        """In one queue, or in all that he is in."""
        fields = {"Interface": self._member(extension), "Paused": "true" if paused else "false", "Reason": reason}
        if queue is not None:
            fields["Queue"] = queue
        await self.here().ask("QueuePause", fields)

    async def log_in(self, extension: str, queue: str, name: str, penalty: int) -> None:
        """A dynamic member."""
        interface = self.calls.endpoints.interface_of(extension)
        fields = {"Queue": queue, "Interface": interface, "Penalty": str(penalty), "MemberName": name or interface}
        await self._unless_there("QueueAdd", fields)

    async def log_out(self, extension: str, queue: str) -> None:
        """Whom queues.conf makes a member, the PBX does not let go."""
        await self._unless_there("QueueRemove", {"Queue": queue, "Interface": self._member(extension)})

    async def _unless_there(self, action: str, fields: dict[str, str]) -> None:
        try:
            await self.here().ask(action, fields)
        except Rejected as error:
            reason = error.reason.lower()
            if "not dynamic" in reason:
                remedy = "Pause him instead, or make him a dynamic member (take him out of queues.conf)."
                raise Rejected("queues.conf makes him a member for good", remedy=remedy) from None
            if not any(word in reason for word in _THERE):
                raise

    async def pause_recording(self, call: str, paused: bool) -> None:
        """On the channels that MixMonitor runs on."""
        wire = self.here()
        found = self._call(call)
        names = found.recorders or ([found.origin.name] if found.origin is not None else [])
        refused: Rejected | None = None
        done = False
        for name in names:
            try:
                await wire.ask("MixMonitorMute", {"Channel": name, "Direction": "both", "State": str(int(paused))})
                done = True
            except Rejected as error:
                refused = error
        if refused is not None and not done:
            raise refused

    def _member(self, extension: str) -> str:
        """His interface as the queues know it, which may be a Local channel."""
        plain = self.calls.endpoints.interface_of(extension)
        known = [member for _, member in self.calls.members]
        if plain in known:
            return plain
        return next((one for one in known if self.calls.endpoints.extension_of(one) == extension), plain)

    def _call(self, call: str) -> Call:
        found = self.calls.find(call)
        if found is None:
            raise Rejected("this call is over")
        return found

    def _leg_of(self, call: str, extension: str) -> Leg:
        found = [
            leg
            for leg in self._call(call).legs.values()
            if leg.extension == extension and leg.ended_at is None and leg.endpoint.side is Side.PHONE
        ]
        if not found:
            raise Rejected(f"{extension} is not in this call")
        talking = [leg for leg in found if leg.talked_at is not None]
        return (talking or found)[-1]


async def _is_begun(call: Call, leg: Leg) -> bool:
    """Whether the client is put on hold for the colleague who is asked, or there is nobody left to ask him."""
    for _ in range(round(_BEGINS_S / _LOOK_S)):
        if call.talk.mode == "hold" or leg.ended_at is not None or call.ended_at is not None:
            return True
        await asyncio.sleep(_LOOK_S)
    return False
