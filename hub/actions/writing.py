"""Writing to clients: a reply, a first message, a forwarded one. Each is a row of the log, a delivery and a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import nh3
from sqlalchemy import delete, insert, select

from channels.touch import Approved, Identity
from hub import canned
from hub.actions import conversations, finding
from hub.actions.identities import read_identity
from hub.actor import Actor
from hub.canned import Occasion
from hub.consents import MARKETING, SERVICE
from hub.errors import BadInput, Conflict
from hub.identify import Identifier
from hub.journal import note
from hub.outbound import Outgoing, write_down
from hub.places import FORM
from hub.setup.blanks import left_in
from hub.setup.problem import suggest
from hub.setup.snapshot import SetUp
from hub.setup.titles import say
from hub.ways import check_line, identities_of, is_free, rank, read_party, schemes_of
from storage import models
from storage.search import index_clients, words_of
from storage.unit import Unit

Row = dict[str, Any]

LONGEST_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class Letter:
    """What an operator (or a program) writes. `to` and `cc` are identities as written; `attachments` were kept before.

    Without `line` and `to` it goes back the way the client wrote. `close` closes the conversation (`answered`), else
    `wait` says that it is the client's turn now. `purpose` "marketing" is a mailing: it answers nobody, and needs the
    client's consent. `canned` is a template of the set-up: its words where `text` is empty, and what was approved of it
    (`template`) where a channel takes free text no more.
    """

    text: str
    subject: str | None = None
    line: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    attachments: tuple[int, ...] = ()
    html: str | None = None
    close: str | None = None
    wait: bool = True
    purpose: str = SERVICE
    canned: str | None = None
    template: Approved | None = None


def reply(unit: Unit, setup: SetUp, number: int, actor: Actor, letter: Letter) -> int:
    """Answer in a conversation; returns the delivery. It counts as an answer once the channel has taken it."""
    talk = finding.find_row(unit, models.conversation, number)
    last = _last_inbound(unit, talk)
    schemes, usual = _ways_back(unit, talk, last), _usual_line(setup, last)
    line = _choose_line(unit, setup, letter, talk["team"], schemes, usual, talk["client_id"])
    letter = write_canned(unit, setup, letter, Occasion(line, talk["client_id"], number, actor.operator))
    _check_letter(letter)
    to = _read_all(setup, letter.to, "to") or _who_wrote(unit, setup, talk, last, line)
    subject = letter.subject or _answering(last["subject"] if last else talk["subject"])
    if subject is None and setup.lines[line].channel == "email":
        subject = subject_of_answer(setup, last["line"] if last else "", last["language"] if last else None)
    message = _outgoing(setup, line, talk, to, letter, actor, subject)
    interaction, delivery = _send(unit, setup, message, letter, actor)
    unit.connection.execute(
        delete(models.draft).where(models.draft.c.conversation_id == number, models.draft.c.operator == actor.key)
    )
    _settle_conversation(unit, setup, talk, actor, letter)
    note(unit, actor, "replied", "conversation", number, {"interaction": interaction, "delivery": delivery})
    return delivery


def write_first(
    unit: Unit, setup: SetUp, actor: Actor, letter: Letter, *, client: int | None = None, identity: str | None = None
) -> tuple[int, int]:
    """Begin a conversation; returns (conversation, delivery). An identity that nobody has makes a client."""
    written = _read_all(setup, letter.to, "to")
    if client is not None:
        whose = finding.refer_to_client(unit, client)["id"]
        wanted = written or _identities_of(unit, whose)
        line = _choose_line(unit, setup, letter, None, [one.scheme for one in wanted], None, whose)
        to = written or tuple(one for one in wanted if _speaks(setup, line, one.scheme))[:1]
        if not to:
            raise BadInput(
                "the client has no address for line %(line)s", field="to", remedy="name one in to", line=line
            )
    else:
        first = read_identity(setup, identity, "identity") if identity else None
        to = written or ((first,) if first else ())
        if not to:
            raise BadInput("to whom?", field="client", remedy="name a client or an identity")
        line = _choose_line(unit, setup, letter, None, [to[0].scheme], None)
        whose = _find_or_make_client(unit, first or to[0], actor)
    letter = write_canned(unit, setup, letter, Occasion(line, whose, None, actor.operator))
    _check_letter(letter)
    talk = _open(unit, setup, whose, line, letter, actor)
    _, delivery = _send(unit, setup, _outgoing(setup, line, talk, to, letter, actor, letter.subject), letter, actor)
    if letter.close is not None:
        conversations.close_with_answer(unit, setup, talk["id"], actor, letter.close)
    note(unit, actor, "wrote_first", "conversation", talk["id"], {"delivery": delivery, "client": whose})
    return talk["id"], delivery


def write_canned(unit: Unit, setup: SetUp, letter: Letter, occasion: Occasion) -> Letter:
    """The letter with the words of its template; what the operator wrote himself stays, where free text may be sent."""
    if letter.canned is None:
        return letter
    template = setup.templates.get(letter.canned)
    if template is None:
        raise BadInput(
            "there is no template %(template)s",
            field="template",
            remedy=suggest(letter.canned, setup.templates),
            template=letter.canned,
        )
    words = canned.write(unit.connection, setup, template, occasion, unit.now)
    whose, line = occasion.client, occasion.line or ""
    if words.approved is not None and whose is not None and not is_free(unit.connection, setup, line, whose, unit.now):
        return replace(letter, text=words.text, template=words.approved)
    return replace(letter, text=letter.text or words.text, subject=letter.subject or words.subject)


def forward(unit: Unit, setup: SetUp, number: int, actor: Actor, letter: Letter) -> int:
    """Send a copy of an interaction, with its files, to somebody else; that answers nobody. Returns the delivery."""
    original = finding.find_row(unit, models.interaction, number)
    if original["client_id"] is None or original["conversation_id"] is None:
        raise Conflict("this interaction belongs to nobody yet", remedy="release it from quarantine first")
    talk = finding.find_row(unit, models.conversation, original["conversation_id"])
    to = _read_all(setup, letter.to, "to")
    if not to:
        raise BadInput("forward it to whom?", field="to", remedy="name at least one address")
    line = _choose_line(unit, setup, letter, talk["team"], [to[0].scheme], _usual_line(setup, original))
    text = f"{letter.text}\n\n{_quoted(original)}".lstrip()
    subject = letter.subject or f"Fwd: {original['subject'] or ''}".strip()
    copies = _copy_files(unit, number, actor)
    complete = replace(letter, text=text, attachments=(*letter.attachments, *copies))
    message = replace(_outgoing(setup, line, talk, to, complete, actor, subject), direction="internal")
    _, delivery = _send(unit, setup, message, complete, actor)
    note(unit, actor, "forwarded", "interaction", number, {"delivery": delivery, "to": [str(one) for one in to]})
    return delivery


def subject_of_answer(setup: SetUp, line: str, language: str | None) -> str:
    """What a mail is called that answers something without a subject: the form he filled in, else our name."""
    form = setup.forms.get(line.removeprefix(FORM)) if line.startswith(FORM) else None
    return f"Re: {say(form.title, language)}" if form is not None else setup.company.name


def _check_letter(letter: Letter) -> None:
    if not letter.text.strip() and not letter.attachments:
        raise BadInput("the message is empty", field="text", remedy="write something or attach a file")
    parameters = letter.template.parameters if letter.template else ()
    if blanks := left_in(" ".join((letter.subject or "", letter.text, *parameters))):
        raise BadInput(
            "the message still has blanks: %(blanks)s",
            field="text",
            remedy="write what belongs there",
            blanks=", ".join(f"{{{{ {name} }}}}" for name in blanks),
        )
    if len(letter.text) > LONGEST_TEXT or len(letter.html or "") > 5 * LONGEST_TEXT:
        raise BadInput("the message is longer than %(most)s characters", field="text", most=LONGEST_TEXT)
    if letter.close is not None and letter.close not in conversations.HOWS:
        raise BadInput(
            "a conversation cannot be closed as %(how)s",
            field="close",
            remedy="use %(hows)s",
            how=letter.close,
            hows=", ".join(conversations.HOWS),
        )


def _check_reach(setup: SetUp, line: str, to: Iterable[Identity]) -> None:
    """A line writes to addresses of its own kind only."""
    for one in to:
        if not _speaks(setup, line, one.scheme):
            raise BadInput(
                "line %(line)s does not reach %(value)s",
                field="to",
                remedy="choose another line, or another address",
                line=line,
                value=one.value,
            )


def _outgoing(
    setup: SetUp, line: str, talk: Row, to: tuple[Identity, ...], letter: Letter, actor: Actor, subject: str | None
) -> Outgoing:
    _check_reach(setup, line, to)
    return Outgoing(
        line=line,
        client=talk["client_id"],
        conversation=talk["id"],
        to=to,
        cc=_read_all(setup, letter.cc, "cc"),
        text=letter.text,
        operator=actor.operator,
        subject=subject,
        html=nh3.clean(letter.html) if letter.html else None,
        files=letter.attachments,
        options={"by": str(actor)},
        purpose=letter.purpose,
        template=letter.template,
    )


def _send(unit: Unit, setup: SetUp, message: Outgoing, letter: Letter, actor: Actor) -> tuple[int, int]:
    _check_files(unit, letter.attachments)
    return write_down(unit, setup, message)


def _check_files(unit: Unit, numbers: Sequence[int]) -> None:
    """Files are sent once: those of another interaction are not taken away from it."""
    if not numbers:
        return
    query = select(models.attachment.c.id).where(
        models.attachment.c.id.in_(numbers), models.attachment.c.interaction_id.is_(None)
    )
    missing = set(numbers) - set(unit.connection.execute(query).scalars())
    if missing:
        raise BadInput(
            "attachment %(number)s is not there, or was sent before",
            field="attachments",
            remedy="upload it with POST /api/v1/attachments",
            number=min(missing),
        )


def _settle_conversation(unit: Unit, setup: SetUp, talk: Row, actor: Actor, letter: Letter) -> None:
    """Whoever answers a conversation that nobody has owns it. What the answer means is judged once it is sent."""
    if letter.purpose == MARKETING:
        return
    if talk["owner"] is None and actor.operator is not None:
        talk = conversations.change(unit, setup, talk, {"owner": actor.operator}, actor, "taken")
    if letter.close is not None:
        conversations.close_with_answer(unit, setup, talk["id"], actor, letter.close)
        return
    state = "waiting_client" if letter.wait else "open"
    conversations.turn(unit, talk, state, actor)


def _last_inbound(unit: Unit, talk: Row) -> Row | None:
    if talk["last_inbound_id"] is None:
        return None
    query = select(models.interaction).where(models.interaction.c.id == talk["last_inbound_id"])
    row = unit.connection.execute(query).one_or_none()
    return dict(row._mapping) if row is not None else None


def _ways_back(unit: Unit, talk: Row, last: Row | None) -> list[str]:
    """Schemes by which the client can be reached, the way he wrote first."""
    written = [one["identity"].partition(":")[0] for one in (last["party"] if last else ())]
    known = [one.scheme for one in _identities_of(unit, talk["client_id"])]
    return list(dict.fromkeys([*written, *known]))


def _usual_line(setup: SetUp, last: Row | None) -> str | None:
    """The line he wrote to, if we can write back on it."""
    line = setup.lines.get(last["line"]) if last else None
    return last["line"] if last and line is not None and line.sends else None


def _choose_line(
    unit: Unit,
    setup: SetUp,
    letter: Letter,
    team: str | None,
    schemes: Iterable[str],
    usual: str | None,
    client: int | None = None,
) -> str:
    """The line that is named, else the usual one, else one that reaches him: see `hub.ways.rank`."""
    if letter.line is not None:
        check_line(setup, letter.line)
        return letter.line
    if usual is not None:
        return usual
    found = rank(unit.connection, setup, schemes, team, client, letter.purpose)
    if found is None:
        raise BadInput("no line reaches this client", field="line", remedy="set a line up that can send to him")
    return found


def _speaks(setup: SetUp, line: str, scheme: str) -> bool:
    return scheme in schemes_of(setup.lines[line].channel)


def _who_wrote(unit: Unit, setup: SetUp, talk: Row, last: Row | None, line: str) -> tuple[Identity, ...]:
    """Who wrote last, if the line reaches him, else what is known of the client."""
    party = [one for one in read_party(last["party"] if last else ()) if not one.odd]
    for one in (*party, *_identities_of(unit, talk["client_id"])):
        if _speaks(setup, line, one.scheme):
            return (one,)
    raise BadInput("the client has no address for line %(line)s", field="to", remedy="name one in to", line=line)


def _identities_of(unit: Unit, client: int) -> tuple[Identity, ...]:
    """Where a client can be written to."""
    return tuple(one for one in identities_of(unit.connection, client) if not one.odd)


def _read_all(setup: SetUp, written: Iterable[str], field: str) -> tuple[Identity, ...]:
    found = tuple(read_identity(setup, one, field) for one in written)
    for one in found:
        if one.odd:
            raise BadInput("%(value)s cannot be written to", field=field, remedy="correct the address", value=one.value)
    return found


def _find_or_make_client(unit: Unit, identity: Identity, actor: Actor) -> int:
    identifier = Identifier.load(unit, [(identity,)])
    found = identifier.whose((identity,), unit.now)
    for row in identifier.flush():
        words = words_of(row["name"], identity.value, phones=[identity.value])
        index_clients(unit, [(row["id"], words)], fresh=True)
        note(unit, actor, "created", "client", row["id"], {"identity": str(identity)})
    return found.client


def _open(unit: Unit, setup: SetUp, client: int, line: str, letter: Letter, actor: Actor) -> Row:
    row: Row = {
        "id": unit.take_ids(models.conversation, 1)[0],
        "client_id": client,
        "state": "waiting_client" if letter.wait else "open",
        "subject": letter.subject,
        "owner": actor.operator,
        "team": setup.lines[line].team,
        "channels": [setup.lines[line].channel],
        "opened_at": unit.now,
        "last_at": unit.now,
        "version": 1,
    }
    unit.connection.execute(insert(models.conversation).values(**row))
    return row


def _answering(subject: str | None) -> str | None:
    if not subject:
        return None
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _quoted(original: Row) -> str:
    who = ", ".join(one.get("name") or one["identity"].partition(":")[2] for one in original["party"])
    head = [
        f"> {who}, {original['at']:%Y-%m-%d %H:%M} UTC",
        *([f"> {original['subject']}"] if original["subject"] else []),
    ]
    return "\n".join([*head, ">", *(f"> {line}" for line in original["text"].splitlines())])


def _copy_files(unit: Unit, interaction: int, actor: Actor) -> tuple[int, ...]:
    table = models.attachment
    copies = []
    for row in unit.connection.execute(select(table).where(table.c.interaction_id == interaction).order_by(table.c.id)):
        kept = {name: getattr(row, name) for name in ("name", "media_type", "size", "content_id", "path")}
        done = unit.connection.execute(insert(table).values(**kept, uploaded_by=actor.key, uploaded_at=unit.now))
        copies.append(int(done.inserted_primary_key[0]))  # type: ignore[index]
    return tuple(copies)
