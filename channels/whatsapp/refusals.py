"""What the Graph API's error numbers mean for whoever asked. Pure.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from typing import Any

from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.http import Answered
from channels.whatsapp.contents import explain

PAIR = 131056

_THROTTLED = {4: 60.0, 80007: 60.0, 130429: 5.0, 131048: 3600.0, PAIR: 6.0, 133016: 3600.0}
_AWAY = frozenset({2, 131000, 131016, 131057, 133004})
_TOKEN = frozenset({0, 3, 10, 190, *range(200, 300)})
_TEMPLATE = frozenset({132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018, 132068, 132069})
_ACCOUNT = {
    33: "Look up the phone_number_id: this number is no longer there.",
    368: "Meta has restricted the account: see the notice in its Business Support Home.",
    131031: "Meta has locked the account: see the notice in its Business Support Home.",
    131042: "Put the account's payment method in order.",
    131045: "Register the number again: its certificate is not valid.",
    133010: "Register the number with the Cloud API.",
}
_TAKE_TOKEN = "Make a token of a system user with whatsapp_business_messaging and put it into the line's token."  # noqa: S105
_ELSEWHERE = "Write to him on another channel."
_REMEDIES = {
    131026: _ELSEWHERE,
    131021: _ELSEWHERE,
    131030: "Add his number to those that a test number may write to, or use a number of your own.",
    131047: "The 24 hours after the client's last message are over: send an approved template.",
    131049: "Meta holds marketing back from this client: " + _ELSEWHERE.lower(),
    131051: "Send it as a text or as a document.",
    131053: "Send the file in another format, or a link to it.",
    130472: _ELSEWHERE,
    131062: "He hides his number, and this kind of message needs it: send a plain text.",
}


class TooManyToOne(Throttled):
    """Only this recipient has to wait."""


def meaning_of(answered: Answered, *, handing_over: bool) -> ChannelError:
    """What a refusal means. With a number from Meta it is sure that nothing went out; a bare 5xx leaves that open."""
    data = answered.data
    error = data.get("error") if isinstance(data, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(code, int) or (code == 1 and answered.status >= 500):
        return _bare(answered, handing_over)
    return _numbered(code, f"WhatsApp refused it: {explain(error)}", error, answered)


def _numbered(code: int, said: str, error: dict[str, Any], answered: Answered) -> ChannelError:
    if code in _THROTTLED:
        kind = TooManyToOne if code == PAIR else Throttled
        return kind(said, retry_after=answered.retry_after or _THROTTLED[code])
    if code in _AWAY or error.get("is_transient") is True:
        return Unreachable(said)
    if code in _TOKEN:
        return BadSettings(said, remedy=_TAKE_TOKEN)
    if code in _ACCOUNT:
        return BadSettings(said, remedy=_ACCOUNT[code])
    if code == 131050:
        return OptedOut("the client has switched our marketing messages off", remedy=_ELSEWHERE, only="marketing")
    if code in _TEMPLATE:
        return Rejected(said, remedy="Look the template up in WhatsApp Manager: its name, language, blanks and state.")
    return Rejected(said, remedy=_REMEDIES.get(code))


def _bare(answered: Answered, handing_over: bool) -> ChannelError:
    said = f"WhatsApp answered {answered.status}"
    if answered.status == 401:
        return BadSettings(said, remedy=_TAKE_TOKEN)
    if answered.status == 429:
        return Throttled(said, retry_after=answered.retry_after or 5.0)
    if answered.status >= 500 or answered.status < 300:
        return (Uncertain if handing_over else Unreachable)(said)
    if answered.status == 404:
        return BadSettings(f"{said}: there is no Graph API at base_url", remedy="Correct the line's base_url.")
    return Rejected(said)
