"""What was newly said: history, quotations and signatures folded away, in Russian, Ukrainian, Polish and English.

Works by lines and keeps whole lines, so that nothing is ever invented; the full text stays beside it. A forwarded
message is not history: the one who forwards it means it to be read.
"""

from __future__ import annotations

import re

_LONGEST_LINE = 400
_MOST_LINES = 20_000

_WROTE = (
    r"(?:wrote|writes|sent|schrieb|(?:на)?пис(?:ал|ала|али|ав|ала|ал\(а\)|ав\(ла\))|пиш[еу]т?|пише"
    r"|napisał(?:a|\(a\)|\(-a\))?|pisze|użytkownik)"
)
_WHEN = r"(?:\d{1,2}[:.]\d{2}|\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})"
_MAIL = r"<?[^\s<>@]{1,200}@[^\s<>@]{1,200}>?"
_ANY_MAIL = re.compile(_MAIL)
# "On Mon, 3 Nov 2026 at 10:15, X <x@y> wrote:", "пн, 3 нояб. 2026 г. в 10:15, Иван <i@y>:", "W dniu … pisze:"
_VERBAL = re.compile(
    rf"{_WHEN}.{{0,300}}\b{_WROTE}\)?(?:\s.{{0,80}})?:$|\b{_WROTE}\)?\s.{{0,200}}{_WHEN}.{{0,40}}:$", re.I
)
_APPLE_PL = re.compile(rf"^Wiadomość napisana przez .{{1,300}}{_WHEN}.{{0,20}}:$", re.I)
_ADDRESSED = re.compile(rf"^(?=.{{0,300}}{_WHEN})(?=.{{0,300}}{_MAIL}).{{1,390}}:$")
_BEGINS = re.compile(
    rf"^(?:On\s|Am\s|W dniu\s|Dnia\s|Wiadomość\s|Le\s|El\s|\S{{1,14}},\s.{{0,40}}{_WHEN}|.{{0,25}}{_WHEN})", re.I
)
_COMPLETE = re.compile(r"\d{1,2}:\d{2}.{0,200}<[^\s<>@]{1,200}@[^\s<>@]{1,200}>:$")
_RULED = re.compile(
    r"^[-_=\s]{2,40}(?:Original Message|Исходное сообщение|Оригинальное сообщение|Оригінальне повідомлення"
    r"|Вихідне повідомлення|Початкове повідомлення|Wiadomość oryginalna|Oryginalna wiadomość|Original-Nachricht)"
    r"[-_=\s]{2,40}$",
    re.I,
)
_FORWARDED = re.compile(
    r"^[-\s>]{0,20}(?:Forwarded [Mm]essage|Begin forwarded message|Пересылаемое сообщение|Пересланное сообщение"
    r"|Перенаправленное сообщение|Начало переадресованного сообщения|Переслане повідомлення|Пересилане повідомлення"
    r"|Початок листа, що пересилається|Wiadomość przekazana|Przekazana wiadomość|Początek przekazanej wiadomości"
    r"|Treść przekazanej wiadomości)\s*:?[-\s]{0,20}$",
    re.I,
)
_FORWARD_SUBJECT = re.compile(r"^\s*(?:fwd?|пересл|пер|вс|pd|tr|wg)\s*:", re.I)
_FROM = re.compile(r"^\*?(?:From|От|От кого|Від|Від кого|Od|Von)\s*:\*?\s+\S", re.I)
_HEADS = re.compile(
    r"^\*?(?:Sent|Date|To|Cc|Subject|Отправлено|Дата|Кому|Копия|Тема|Надіслано|Надісланий|Копія|Wysłano|Wysłane|Data|Do|DW"
    r"|Temat|Gesendet|An|Betreff)\s*:\*?",
    re.I,
)
_UNDERSCORES = re.compile(r"^_{10,}$")
_DASHES = re.compile(r"^--\s?$|^—\s?$")
_MOBILE = re.compile(
    r"^(?:Sent from (?:my )?\S|Get Outlook for|Sent with|Отправлено (?:с|из|от)\s|Скачайте Outlook"
    r"|Надіслано (?:з|із|від)\s|Завантажити Outlook|Wysłan[eoy] (?:z|ze)\s|Pobierz (?:program |aplikację )?Outlook"
    r"|Получить Outlook)",
    re.I,
)
_CLOSING = re.compile(
    r"^(?:с (?:наилучшими )?(?:уважением|пожеланиями)|с наилучшими пожеланиями|всего (?:доброго|хорошего)"
    r"|з (?:найкращими )?(?:повагою|побажаннями)|z (?:poważaniem|wyrazami szacunku)|pozdrawiam(?: serdecznie)?"
    r"|pozdrowienia|(?:best|kind|warm) regards|regards|sincerely(?: yours)?"
    r"|yours (?:sincerely|faithfully)|best wishes|cheers)"
    r"\s*[,.!]?\s*(?P<name>[^.!?]{0,40})$",
    re.I,
)
_POSTSCRIPT = re.compile(r"^(?:p\.?\s?s\.?|з\.?\s?ы\.?|постскриптум)\b", re.I)
_MOST_SIGNATURE_LINES = 9


def fold(full: str, subject: str | None = None) -> str:
    """The new text of a mail. Each of its lines is a line of `full`; if nothing new is left, it is all of `full`."""
    lines = full.replace("\r\n", "\n").split("\n")
    head, rest = lines[:_MOST_LINES], lines[_MOST_LINES:]
    kept = _without_history(head, forwarded=bool(subject and _FORWARD_SUBJECT.match(subject)))
    if len(kept) == len(head):
        kept += rest
    said = "\n".join(_trim(_without_signature(_trim(kept)))).strip("\n")
    return said if said.strip() else full.replace("\r\n", "\n").strip("\n")


def _without_history(lines: list[str], *, forwarded: bool) -> list[str]:
    for place, line in enumerate(lines):
        text = line.strip()
        if not text or len(text) > _LONGEST_LINE:
            continue
        if _FORWARDED.match(text):
            return lines
        taken = _attribution(lines, place, text)
        if taken:
            return _after_attribution(lines, place, taken)
        if _starts_block(lines, place, text):
            return lines if forwarded or not "".join(lines[:place]).strip() else lines[: _before_rule(lines, place)]
        if text.startswith(">") and _is_quote_block(lines, place):
            return _after_attribution(lines, place, 0)
    return lines


def _attribution(lines: list[str], place: int, text: str) -> int:
    """How many lines from `place` on say who wrote what follows: 0 = none."""
    if text.startswith(">"):
        bare = text.lstrip("> ")
        return 1 if bare.endswith(":") and _says_who(bare) else 0
    joined = text
    for more in range(3):
        if more:
            following = lines[place + more].strip() if place + more < len(lines) else ""
            if not following or following.startswith(">"):
                return 0
            joined = f"{joined} {following}"
        if len(joined) > _LONGEST_LINE:
            return 0
        if joined.endswith(":") and _says_who(joined) and (more == 0 or _begins_attribution(text)):
            return more + 1 if _history_follows(lines, place + more + 1, joined) else 0
    return 0


def _history_follows(lines: list[str], start: int, attribution: str) -> bool:
    """Quoted lines, or an attribution so complete that nobody would write it by hand."""
    for line in lines[start : start + 6]:
        if line.strip():
            if line.lstrip().startswith(">"):
                return True
            break
    if not _begins_attribution(attribution):
        return False
    written = _VERBAL.search(attribution) and _ANY_MAIL.search(attribution)
    return bool(written or _APPLE_PL.match(attribution) or _COMPLETE.search(attribution))


def _says_who(text: str) -> bool:
    return bool(_VERBAL.search(text) or _APPLE_PL.match(text) or _ADDRESSED.match(text))


def _begins_attribution(text: str) -> bool:
    return _BEGINS.match(text) is not None


def _starts_block(lines: list[str], place: int, text: str) -> bool:
    """Outlook's rule or its block of From/Sent/To/Subject lines."""
    if _RULED.match(text):
        return True
    if not _FROM.match(text):
        return False
    following = [line.strip() for line in lines[place + 1 : place + 8] if line.strip()][:4]
    return sum(1 for line in following if _HEADS.match(line)) >= 2


def _before_rule(lines: list[str], place: int) -> int:
    """A line of underscores right above Outlook's block belongs to it."""
    above = place - 1
    while above > 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _UNDERSCORES.match(lines[above].strip()) else place


def _is_quote_block(lines: list[str], place: int) -> bool:
    """Does the text end in quoted lines from here on, with nothing but blanks between?"""
    return all(not line.strip() or line.lstrip().startswith(">") for line in lines[place:])


def _after_attribution(lines: list[str], place: int, taken: int) -> list[str]:
    """New text before the history, and below it where somebody answers at the bottom or between the lines."""
    below = lines[place + taken :]
    quoted = [number for number, line in enumerate(below) if line.lstrip().startswith(">")]
    if not quoted or "".join(below[: quoted[0]]).strip():
        return lines[:place]
    own = [number for number, line in enumerate(below) if line.strip() and not line.lstrip().startswith(">")]
    own = [number for number in own if number < quoted[-1]]
    if own:
        return lines
    return [*lines[:place], *below[quoted[-1] + 1 :]]


def _without_signature(lines: list[str]) -> list[str]:
    for place, line in enumerate(lines):
        if place and _DASHES.match(line) and len(lines) - place <= 40:
            return lines[:place]
    start = max(0, len(lines) - _MOST_SIGNATURE_LINES - 6)
    for place in range(start, len(lines)):
        text = lines[place].strip()
        if place and _MOBILE.match(text[:80]) and len(lines) - place <= 3:
            return _without_signature(_trim(lines[:place]))
        if place and _is_closing(lines, place, text):
            return lines[:place]
    return lines


def _is_closing(lines: list[str], place: int, text: str) -> bool:
    if len(text) > 80 or not _CLOSING.match(text) or not "".join(lines[:place]).strip():
        return False
    below = [line.strip() for line in lines[place + 1 :] if line.strip()]
    if len(below) > _MOST_SIGNATURE_LINES or any(_POSTSCRIPT.match(line) for line in below):
        return False
    return all(len(line) <= 120 and not line.endswith("?") for line in below)


def _trim(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]
