"""What an SMSC's status means for who wanted to send or to sign in. Pure. Source: SMPP 3.4, section 5.1.3."""

from __future__ import annotations

from collections.abc import Container

from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Unreachable

OK, COMMAND_UNKNOWN, BOUND_ALREADY, LATER = 0x00, 0x03, 0x05, 0x64
_OWN = "a status that only this SMSC has"
_MESSAGE_QUEUE_FULL, _THROTTLED = 0x14, 0x58

NAMES = {
    0x01: "the message's length is wrong",
    0x02: "the command's length is wrong",
    0x03: "the command is unknown",
    0x04: "not signed in for this",
    0x05: "signed in already",
    0x06: "the priority is wrong",
    0x07: "delivery reports are not asked for in this way",
    0x08: "the SMSC is out of order",
    0x0A: "this sender is not allowed",
    0x0B: "there is no such recipient",
    0x0C: "the message id is wrong",
    0x0D: "signing in failed",
    0x0E: "the password is wrong",
    0x0F: "the system_id is unknown",
    0x14: "the SMSC's queue is full",
    0x15: "the service type is wrong",
    0x43: "the class of message is wrong",
    0x45: "the SMSC could not take it",
    0x48: "the sender's type of number is wrong",
    0x49: "the sender's numbering plan is wrong",
    0x50: "the recipient's type of number is wrong",
    0x51: "the recipient's numbering plan is wrong",
    0x53: "the system_type is wrong",
    0x58: "too many messages at once",
    0x61: "the time of delivery is wrong",
    0x62: "the time of expiry is wrong",
    0x64: "the receiver asks for patience",
    0x65: "the receiver refuses it",
    0x66: "the receiver rejects it",
    0xFE: "it cannot be delivered",
    0xFF: "the SMSC does not know what is wrong",
}
_PASSING = frozenset({0x04, 0x08, 0x45, 0x64, 0xFF})
_SENDER = frozenset({0x0A, 0x48, 0x49})
_PASSING_AT_SIGN_IN = frozenset({BOUND_ALREADY, 0x08, _MESSAGE_QUEUE_FULL, 0x45, _THROTTLED, LATER})


def describe(status: int) -> str:
    """For people: what it means, and the number for the gateway's own people."""
    return f"{NAMES.get(status, _OWN)} (0x{status:08X})"


def refused(status: int, opted_out: Container[int]) -> ChannelError:
    """The error of a message that was answered with a status other than 0."""
    said = f"the SMSC refused the message: {describe(status)}"
    if status in opted_out:
        return OptedOut("the recipient wants no messages from us", remedy="Write to him on another channel.")
    if status == _THROTTLED:
        return Throttled(said, retry_after=5.0)
    if status == _MESSAGE_QUEUE_FULL:
        return Throttled(said, retry_after=60.0)
    if status in _PASSING:
        return Unreachable(said)
    if status in _SENDER:
        return Rejected(said, remedy="Ask the gateway which senders this account may use, and correct the line.")
    return Rejected(said)


def not_signed_in(status: int) -> ChannelError:
    """The error of a bind that was answered with a status other than 0."""
    said = f"the SMSC does not let us in: {describe(status)}"
    if status == BOUND_ALREADY:
        return Unreachable(said, remedy="Another program uses this account, or the SMSC has not noticed that we left.")
    if status in _PASSING_AT_SIGN_IN:
        return Unreachable(said)
    return BadSettings(said, remedy="Correct system_id, password and system_type of the line.")
