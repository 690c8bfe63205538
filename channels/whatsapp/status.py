"""What WhatsApp reports about a message of ours, and which of its error numbers may pass. Pure.

Sources: developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status and
…/whatsapp/support/error-codes
"""

from __future__ import annotations

from datetime import datetime

from channels.touch import Receipt, ReceiptState
from channels.untrusted import Json, clean, instant
from channels.whatsapp.contents import explain

_STATES = {
    "sent": ReceiptState.SENT,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.READ,
    "played": ReceiptState.READ,
    "failed": ReceiptState.FAILED,
}
PASSING = frozenset({2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004})
"""Throttling and trouble on WhatsApp's side."""


def read_status(status: Json, line: str, now: datetime) -> Receipt | None:
    """One status; None for a state that says nothing of a delivery. Raises what malformed ones raise."""
    state = _STATES.get(clean(status["status"]))
    if state is None:
        return None
    errors = status.get("errors") or ()
    codes = {error.get("code") for error in errors}
    recipient = status.get("recipient_id") or status.get("recipient_user_id")
    return Receipt(
        line=line,
        external_id=clean(status["id"]),
        state=state,
        at=instant(int(status["timestamp"]), now),
        recipient=f"whatsapp:{clean(str(recipient))}" if recipient else None,
        reason="; ".join(explain(error) for error in errors) or None,
        permanent=not (codes and codes <= PASSING),
    )
