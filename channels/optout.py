"""Words that stop messages, and those that let them come again. Pure.

A word counts only when nothing else is written: "stop by at five" is a message to a person. What counts stays a
message in the log; the hub keeps the list of who does not want to hear from us.
"""

from __future__ import annotations

OPTED_OUT = "opted_out"
OPTED_OUT_OF = "opted_out_of"
"""What of: the field stands beside `OPTED_OUT` where it is of less than everything ("marketing")."""
_LONGEST = 40

# fmt: off
_STOP = frozenset({
    "stop", "stopall", "stop all", "unsubscribe", "cancel", "quit", "opt out", "optout",
    "стоп", "отписаться", "отписка", "отпишите", "отпишите меня", "отмена рассылки", "не беспокоить", "не пишите",
    "відписатися", "відписатись", "відписка", "відпишіть", "відпишіть мене", "не турбувати",
    "wypisz", "wypisz mnie", "wypisuję", "wypisuje", "rezygnuję", "rezygnuje", "anuluj subskrypcję",
})
_START = frozenset({
    "start", "unstop", "subscribe", "старт", "подписаться", "подписка", "підписатися", "підписатись", "підписка",
    "zapisz", "zapisz mnie",
})
# fmt: on

# What looks the same on both keyboards: СТOП with a Latin O is still СТОП.
_TO_CYRILLIC = str.maketrans("abcehikmoptxy", "авсенікмортху")
_TO_LATIN = str.maketrans("авсенікмортху", "abcehikmoptxy")


def read_word(text: str) -> dict[str, bool]:
    """The fields that a bare "STOP" or "START" sets; none for anything else."""
    if len(text) > _LONGEST:
        return {}
    word = " ".join(text.casefold().strip(" .,!?\"'«»“”()[]\t\r\n").split())
    for spelt in (word, word.translate(_TO_CYRILLIC), word.translate(_TO_LATIN)):
        if spelt in _STOP:
            return {OPTED_OUT: True}
        if spelt in _START:
            return {OPTED_OUT: False}
    return {}
