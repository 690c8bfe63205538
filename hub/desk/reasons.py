"""What a vendor's reason means, where its words or its number are known: so that an operator reads it in his language.

The vendor's own words stay beside it, for whoever has to ask the vendor. Sources: each channel's `refusals`, `wire` or
`status`, which name the vendor's page.
"""

from __future__ import annotations

import re


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


NOT_THERE = _("He cannot be reached here: not registered, not allowed, or an old version of the app.")
NEVER_WROTE = _("He has never written to us here, and we may not write first.")
BLOCKED = _("He has blocked us here.")
NO_MARKETING = _("He has switched mailings off.")
WINDOW = _("His last message is too long ago: only an approved template goes out now.")
HELD_BACK = _("The messenger held the message back to spare him.")
TEMPLATE = _("The template was not accepted: its name, language or blanks are not those that were approved.")
NO_FILE = _("The file was not taken: another format or a smaller one may be.")
TOO_LARGE = _("The file is too large for this channel.")
EMPTY = _("There was nothing in the message.")
TOO_LONG = _("The message is too long for this channel.")
TOO_MANY = _("Too many messages at once: it is tried again.")
AWAY = _("The other side cannot be reached: it is tried again.")
UNSURE = _("The connection broke on the way: it may have gone out.")
GIVEN_UP = _("It was tried many times and given up.")
ACCOUNT = _("Our account is not in order: an administrator has to look at it.")
PAYMENT = _("Our account has not been paid for.")
SENDER = _("Our sender name or number is not accepted.")
NO_NUMBER = _("There is no such recipient.")
IN_TIME = _("The telephone could not be reached in time.")
UNDELIVERED = _("It could not be delivered.")
REJECTED = _("The operator's network refused it.")
NOBODY = _("None of the recipients can be written to on this channel.")
UNKNOWN_END = _("Nobody can tell what became of it.")
MAILBOX_FULL = _("His mailbox is full.")
MAIL_REFUSED = _("His mail server refused it.")

_WHATSAPP = r"(?:^|; |WhatsApp refused it: )(?:{})\b"


def _numbers(*codes: int) -> re.Pattern[str]:
    return re.compile(_WHATSAPP.format("|".join(map(str, codes))))


def _status(who: str, *codes: int) -> re.Pattern[str]:
    return re.compile(rf"{who}:? ?(?:{'|'.join(map(str, codes))})\b")


def _says(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_KNOWN: tuple[tuple[re.Pattern[str], str], ...] = (
    (_says("given up after .*: the connection broke", "broke (?:off )?(?:before|while)", "it may be out$"), UNSURE),
    (_says("cannot tell whether the message is out", "does not know what became of"), UNKNOWN_END),
    (_says("the client has (?:blocked|stopped) the bot", "is not subscribed to the bot"), BLOCKED),
    (_says("does not let us write in VK", "wants no messages from us"), BLOCKED),
    (_says("switched our marketing messages off"), NO_MARKETING),
    (_says("a bot cannot write first", "knows no such chat"), NEVER_WROTE),
    (_says("there is (?:nobody|no telephone number) .*among the recipients", "is not a number that can be"), NOBODY),
    (_says("the message is empty", "is empty, and"), EMPTY),
    (_says(r"is larger than the \d+ MB"), TOO_LARGE),
    (_says(r"the message would be \d+ ", "Message_too_long", "text is too long"), TOO_LONG),
    (_numbers(131026, 131021, 131030, 130472), NOT_THERE),
    (_numbers(131047), WINDOW),
    (_numbers(131049), HELD_BACK),
    (_numbers(131050), NO_MARKETING),
    (_numbers(131051, 131052, 131053), NO_FILE),
    (_numbers(*range(132000, 132070)), TEMPLATE),
    (_numbers(4, 80007, 130429, 131048, 131056, 133016), TOO_MANY),
    (_numbers(2, 131000, 131016, 131057), AWAY),
    (_numbers(131042), PAYMENT),
    (_numbers(0, 3, 10, 33, 190, 368, 131031, 131045, 133010), ACCOUNT),
    (_status("Viber refused it", 5, 11, 13, 14, 21, 23), NOT_THERE),
    (_status("Viber refused it", 2, 7, 8, 9, 15, 22, 24), ACCOUNT),
    (_status("Viber refused it", 12), TOO_MANY),
    (_status("VK answered", 901, 902, 900), BLOCKED),
    (_status("VK answered", 5, 7, 15, 20, 27, 28, 203), ACCOUNT),
    (_status("VK answered", 6, 9, 29), TOO_MANY),
    (_status("VK answered", 914), TOO_LONG),
    (_says("does not take the file", "takes no files like", "carries? no files"), NO_FILE),
    (_says("asks for patience", "too many messages", "too many requests", "more messages than this account"), TOO_MANY),
    (_says("there is no such recipient"), NO_NUMBER),
    (_says("this sender is not allowed", r"sender's (?:type|numbering)"), SENDER),
    (_says("the phone could not be reached in time"), IN_TIME),
    (_says("the message cannot be delivered", "it cannot be delivered", "was deleted on its way"), UNDELIVERED),
    (_says("the message was rejected", "the receiver re(?:fuses|jects) it"), REJECTED),
    (_says("mailbox (?:is )?full", r"\b[45]\.2\.2\b", "over quota"), MAILBOX_FULL),
    (_says("user unknown", "no such (?:user|mailbox)", r"\b5\.1\.1\b"), NO_NUMBER),
    (_says("^refused: "), MAIL_REFUSED),
    (_says(r"cannot be reached", "has ended the connection", "is not connected", "does not answer"), AWAY),
    (_says(r"given up after \d+ attempts"), GIVEN_UP),
)


def find_meaning(reason: str | None) -> str | None:
    """A text of the catalogs; None where the words are ours already, or nobody knows what they mean."""
    if not reason:
        return None
    return next((meaning for pattern, meaning in _KNOWN if pattern.search(reason)), None)
