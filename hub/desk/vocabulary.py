"""The words for states, kinds and channels, in one language."""

from __future__ import annotations

from dataclasses import dataclass

from hub.desk.language import Speech
from hub.desk.reasons import find_meaning


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


_WORDS: dict[str, dict[str, str]] = {
    "conversation": {
        "open": _("open"),
        "waiting_client": _("waiting for the client"),
        "postponed": _("postponed"),
        "solved": _("closed"),
        "junk": _("junk"),
    },
    "closed": {
        "answered": _("answered"),
        "no_answer_needed": _("no answer needed"),
        "junk": _("junk"),
    },
    "obligation": {
        "running": _("running"),
        "paused": _("paused"),
        "breached": _("breached"),
        "met": _("kept"),
        "cancelled": _("cancelled"),
    },
    "event": {
        "applied": _("started"),
        "paused": _("paused"),
        "resumed": _("goes on"),
        "warned": _("warned"),
        "breached": _("breached"),
        "breach_withdrawn": _("breach withdrawn"),
        "fulfilled": _("kept"),
        "met": _("kept"),
        "cancelled": _("cancelled"),
        "recomputed": _("computed anew"),
        "reopened": _("opened again"),
        "reset": _("started anew"),
        "pinned": _("due set by hand"),
        "excused": _("excused"),
        "stepped": _("step done"),
    },
    "kind": {
        "call": _("Call"),
        "message": _("Message"),
        "form": _("Web form"),
        "meeting": _("Meeting"),
        "letter": _("Letter"),
        "fax": _("Fax"),
        "note": _("Note"),
    },
    "direction": {
        "inbound": _("from the client"),
        "outbound": _("to the client"),
        "internal": _("internal"),
    },
    "channel": {
        "email": _("Email"),
        "form": _("Web form"),
        "webform": _("Web form"),
        "call": _("Call"),
        "asterisk": _("Call"),
        "sms": _("SMS"),
        "chat": _("Chat"),
        "telegram": "Telegram",
        "whatsapp": "WhatsApp",
        "viber": "Viber",
        "vk": "VK",
        "max": "MAX",
        "desk": _("By hand"),
        "api": "API",
    },
    "delivery": {
        "pending": _("on its way"),
        "sent": _("sent"),
        "delivered": _("delivered"),
        "read": _("read"),
        "failed": _("failed"),
        "unknown": _("unknown whether it was sent"),
    },
    "line": {
        "running": _("works"),
        "will_retry": _("will try again"),
        "needs_person": _("needs a person"),
        "off": _("switched off"),
        "not_started": _("not started"),
    },
    "lifecycle": {
        "potential": _("potential"),
        "current": _("current"),
        "gone": _("gone"),
    },
    "consent": {"given": _("agrees"), "refused": _("refuses")},
    "purpose": {
        "all": _("everything"),
        "service": _("answers and service"),
        "marketing": _("mailings"),
    },
    "consent_source": {
        "form": _("in a form"),
        "message": _("in a message"),
        "channel": _("the channel says so"),
        "operator": _("noted by an operator"),
        "api": _("told by a program"),
        "merge": _("from a merged client"),
        "link": _("by the link in a mailing"),
    },
    "client": {"person": _("Person"), "company": _("Company")},
    "role": {
        "operator": _("Operator"),
        "supervisor": _("Supervisor"),
        "admin": _("Administrator"),
    },
    "outcome": {
        "answered": _("picked up"),
        "missed": _("missed"),
        "abandoned": _("the caller hung up while waiting"),
        "timeout": _("nobody answered in time"),
        "no_answer": _("no answer"),
        "busy": _("busy"),
        "declined": _("declined"),
        "cancelled": _("cancelled"),
        "no_operators": _("no operators"),
        "closed": _("outside working hours"),
        "blocked": _("blocked"),
        "failed": _("failed"),
    },
    "automatic": {
        "auto_reply": _("automatic reply"),
        "bulk": _("newsletter"),
        "bounce": _("returned mail"),
        "own": _("our own mail"),
    },
    "scheme": {
        "phone": _("Telephone"),
        "email": _("Email"),
        "telegram": "Telegram",
        "whatsapp": "WhatsApp",
        "viber": "Viber",
        "vk": "VK",
        "max": "MAX",
        "name": _("Name"),
    },
    "presence": {
        "here": _("here now"),
        "on_call": _("on the telephone"),
        "away": _("away"),
        "gone": _("not here"),
    },
    "disposition": {
        "sale": _("sale"),
        "refused": _("refused"),
        "call_back": _("call back"),
        "wrong_number": _("wrong number"),
        "silent": _("silence"),
        "spam": _("spam"),
    },
}

_WORDS["pause"] = {
    "lunch": _("lunch"),
    "break": _("break"),
    "training": _("training"),
    "meeting": _("meeting"),
    "technical": _("technical trouble"),
    "letters": _("working on letters"),
}

_WORDS["call_state"] = {
    "ringing": _("Incoming call"),
    "dialling": _("Calling"),
    "talking": _("On the line"),
    "asked": _("A colleague asks"),
    "held": _("On hold"),
    "wrap_up": _("After the call"),
}

_WORDS["field"] = {
    "source": _("Source"),
    "category": _("Category"),
    "lifecycle": _("Lifecycle"),
    "responsible": _("Responsible"),
    "region": _("Region"),
    "language": _("Language"),
    "name": _("Name"),
}

_WORDS["phone"] = {
    "free": _("free"),
    "ringing": _("ringing"),
    "talking": _("talking"),
    "wrap_up": _("wrap-up"),
    "paused": _("pause"),
    "offline": _("telephone off"),
}

_WORDS["field"] |= {
    **_WORDS["scheme"],
    "opted_out": _("wants no messages"),
    "opted_out_of": _("wants none of"),
    "rating": _("Rating"),
    "page": _("Page"),
    "referrer": _("Came from"),
}

_WORDS["suspicion"] = {
    "honeypot": _("filled in what people do not see"),
    "links": _("stuffed with links"),
    "too_fast": _("filled in too fast"),
    "repeated": _("the same text again and again"),
    "forged_token": _("forged form"),
    "stale_token": _("form opened long ago"),
    "no_proof_of_work": _("no proof of work"),
    "bad_proof_of_work": _("wrong proof of work"),
    "stale_proof_of_work": _("stale proof of work"),
    "repeated_proof_of_work": _("proof of work used twice"),
    "the mail server marked it as spam": _("the mail server marked it as spam"),
}

_REASONS = (
    _("quiet hours where the recipient lives"),
    _("it came back"),
    _("no such mailbox"),
)
"""What channels say of deliveries in fixed words; anything else is shown as they say it."""

CATEGORIES = ("VIP", "A", "B", "C")
LIFECYCLES = tuple(_WORDS["lifecycle"])


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Ask it as `vocabulary("delivery", "failed")`; a word that it does not know comes back as it is."""

    speech: Speech

    def __call__(self, subject: str, word: str | None) -> str:
        known = _WORDS[subject].get(word or "")
        return self.speech.say(known) if known else (word or "").replace("_", " ")

    def several(self, subject: str, words: str | None) -> str:
        """Words with commas between them."""
        return ", ".join(self(subject, word.strip()) for word in (words or "").split(",") if word.strip())

    def reason(self, text: str) -> str:
        """Why a delivery waits or failed, in this language where we know the words."""
        return self.speech.say(text)

    def meaning(self, text: str) -> str:
        """What a vendor's words mean, in this language; "" where they are our own, or not known."""
        found = find_meaning(text)
        return self.speech.say(found) if found else ""

    def choices(self, subject: str) -> list[tuple[str, str]]:
        """All words of a subject: (key, text)."""
        return [(key, self.speech.say(text)) for key, text in _WORDS[subject].items()]
