"""Conversations: who waits, who answers; replies and first messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import conversations as acts
from hub.actions import writing
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.files import AttachmentIn, keep_inline, note_files
from hub.api.parameters import Number, Paging
from hub.api.values import Id, In, Instant, Key, Long, Short, Shown, Written, show
from hub.errors import BadInput, NotFound
from hub.setup.snapshot import SetUp
from storage.repositories import conversations as rows
from storage.repositories import ratings
from storage.unit import Unit

State = Literal["open", "waiting_client", "postponed", "solved", "junk"]
Why = Literal["answered", "no_answer_needed", "junk"]


class RatingOut(TypedDict):
    """How the client rated it, once he was asked: `score` of `most`, null until he answers."""

    score: int | None
    most: int
    asked_at: Shown
    rated_at: Shown | None


class ConversationOut(TypedDict):
    """Interactions that answer each other. `waiting_since` is the oldest message without an answer."""

    id: int
    client: int
    state: State
    subject: str | None
    owner: str | None
    team: str | None
    channels: list[str]
    opened_at: Shown
    last_at: Shown
    waiting_since: Shown | None
    answered_at: Shown | None
    closed_at: Shown | None
    closed_by: str | None
    closed_why: str | None
    postponed_until: Shown | None
    rating: RatingOut | None
    version: int


class ConversationPage(TypedDict):
    """Some conversations, newest first."""

    items: list[ConversationOut]
    next: str | None


class DeliveryMade(TypedDict):
    """The message is written down and on its way."""

    delivery: int


class ConversationMade(TypedDict):
    """A conversation that we began."""

    conversation: int
    delivery: int


class ConversationQuery(Paging):
    """Filters may be combined."""

    state: State | None = None
    client: Number | None = None
    owner: Key | None = None
    team: Key | None = None


def _rating(found: ratings.Rating | None) -> RatingOut | None:
    if found is None:
        return None
    return {
        "score": found.score,
        "most": found.most,
        "asked_at": show(found.asked_at) or "",
        "rated_at": show(found.rated_at),
    }


def show_conversation(one: rows.Conversation, rating: ratings.Rating | None = None) -> ConversationOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "client": one.client_id,
        "state": one.state,  # type: ignore[typeddict-item]
        "subject": one.subject,
        "owner": one.owner,
        "team": one.team,
        "channels": list(one.channels),
        "opened_at": show(one.opened_at) or "",
        "last_at": show(one.last_at) or "",
        "waiting_since": show(one.waiting_since),
        "answered_at": show(one.answered_at),
        "closed_at": show(one.closed_at),
        "closed_by": one.closed_by,
        "closed_why": one.closed_why,
        "postponed_until": show(one.postponed_until),
        "rating": _rating(rating),
        "version": one.version,
    }


@operation(
    "GET",
    "/conversations",
    tag="conversations",
    summary="List conversations",
    query=ConversationQuery,
    answer=ConversationPage,
    refusals=(422,),
)
async def list_conversations(call: Call[ConversationQuery, Any]) -> ConversationPage:
    """Newest first; with a filter, those first in which something happened last."""
    asked = call.query
    states = (asked.state,) if asked.state else ()
    wanted = rows.Filter(states=states, client=asked.client, owner=asked.owner, team=asked.team)
    return await call.read(lambda connection: _page(connection, wanted, asked))


def _page(connection: Connection, wanted: rows.Filter, asked: ConversationQuery) -> ConversationPage:
    page = rows.list_page(connection, wanted, limit=asked.limit, cursor=asked.cursor)
    rated = ratings.find_many(connection, (one.id for one in page.items))
    return {"items": [show_conversation(one, rated.get(one.id)) for one in page.items], "next": page.next}


@operation(
    "GET",
    "/conversations/{id}",
    tag="conversations",
    summary="One conversation",
    answer=ConversationOut,
    refusals=(404,),
)
async def get_conversation(call: Call[Any, Any]) -> ConversationOut:
    """Its interactions are listed by `GET /interactions?conversation=`."""
    number = call.path["id"]
    return await call.read(lambda connection: _one(connection, number))


def _one(connection: Connection, number: int) -> ConversationOut:
    found = rows.find(connection, number)
    if found is None:
        raise NotFound(f"there is no conversation {number}")
    return show_conversation(found, ratings.find(connection, number))


class ConversationPatch(In):
    """Only what is given changes. `why` says how a closed one was closed; `solved` without it asks the log."""

    owner: Annotated[Key, Field(description="null gives it back to its team")] | None = None
    team: Key | None = None
    state: State | None = None
    why: Why | None = None
    postponed_until: Instant | None = None
    note: Annotated[Long, Field(description="an internal note, which the client never sees")] | None = None


@operation(
    "PATCH",
    "/conversations/{id}",
    tag="conversations",
    summary="Hand over, close, reopen, postpone",
    body=ConversationPatch,
    answer=ConversationOut,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def patch_conversation(call: Call[Any, ConversationPatch]) -> ConversationOut:
    """Closing as `no_answer_needed` or `junk` needs no answer; it is noted who did it."""
    number, given = call.path["id"], call.body

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ConversationOut:
        before = _one(unit.connection, number)
        if given.note is not None:
            acts.note(unit, setup, number, actor, given.note)
        if given.model_fields_set & {"owner", "team"}:
            _hand_over(unit, setup, number, actor, given, before)
        _set_state(unit, setup, number, actor, given, before)
        return _one(unit.connection, number)

    return await call.act(work)


def _hand_over(
    unit: Unit, setup: SetUp, number: int, actor: Actor, given: ConversationPatch, before: ConversationOut
) -> None:
    owner = given.owner if "owner" in given.model_fields_set else before["owner"]
    team = given.team or before["team"]
    if given.team is not None and given.team != before["team"] and "owner" not in given.model_fields_set:
        owner = None
    if owner is None and team is None:
        raise BadInput("it belongs to no team it could go back to", field="owner", remedy="name a team too")
    acts.hand_over(unit, setup, number, actor, operator=owner, team=given.team if owner else team)


def _set_state(
    unit: Unit, setup: SetUp, number: int, actor: Actor, given: ConversationPatch, before: ConversationOut
) -> None:
    state = given.state
    if state is None and given.postponed_until is not None:
        state = "postponed"
    if state is None and given.why is not None:
        state = "junk" if given.why == "junk" else "solved"
    if state == "open":
        acts.reopen(unit, setup, number, actor)
    elif state == "waiting_client":
        acts.wait_for_client(unit, setup, number, actor)
    elif state == "postponed":
        if given.postponed_until is None:
            raise BadInput("until when?", field="postponed_until", remedy="name an instant in the future")
        acts.postpone(unit, setup, number, actor, given.postponed_until)
    elif state is not None:
        acts.close(unit, setup, number, actor, _how(state, given.why, before))


def _how(state: str, why: str | None, before: ConversationOut) -> str:
    if state == "junk":
        return "junk"
    if why == "junk":
        raise BadInput("junk is not solved", field="why", remedy="use the state junk")
    return why or ("no_answer_needed" if before["waiting_since"] is not None else "answered")


class LetterIn(In):
    """What is written. Without `line` and `to` it goes back the way the client wrote."""

    text: Annotated[Long, Field(description="may be left out where a template has the words")] = ""
    template: Annotated[Key, Field(description="key of a template of the set-up")] | None = None
    purpose: Annotated[
        Literal["service", "marketing"],
        Field(description="a mailing answers nobody, and needs the client's consent to marketing"),
    ] = "service"
    subject: Short | None = None
    line: Key | None = None
    to: Annotated[list[Written], Field(max_length=50, default_factory=list)]
    cc: Annotated[list[Written], Field(max_length=50, default_factory=list)]
    attachments: Annotated[
        list[AttachmentIn], Field(default_factory=list, description="ids of uploaded files, or files inside the JSON")
    ]
    html: Long | None = None
    close: Annotated[Why, Field(description="close the conversation with it")] | None = None
    wait: Annotated[bool, Field(description="it is the client's turn now")] = True


class FirstLetterIn(LetterIn):
    """To a client, or to an identity that nobody may have yet."""

    client: Id | None = None
    identity: Annotated[Written, Field(examples=["email:anna@example.org"])] | None = None


def _letter(given: LetterIn) -> writing.Letter:
    return writing.Letter(
        text=given.text,
        subject=given.subject,
        line=given.line,
        to=tuple(given.to),
        cc=tuple(given.cc),
        html=given.html,
        close=given.close,
        wait=given.wait,
        purpose=given.purpose,
        canned=given.template,
    )


@operation(
    "POST",
    "/conversations/{id}/replies",
    tag="conversations",
    summary="Reply",
    body=LetterIn,
    answer=DeliveryMade,
    status=201,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def post_reply(call: Call[Any, LetterIn]) -> DeliveryMade:
    """Written down with its delivery at once; it counts as an answer when the channel has taken it."""
    number, letter = call.path["id"], _letter(call.body)
    ids, kept = await keep_inline(call.hub.store.files, call.body.attachments)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> DeliveryMade:
        complete = replace(letter, attachments=(*ids, *note_files(unit, kept, actor.key)))
        return {"delivery": writing.reply(unit, setup, number, actor, complete)}

    return await call.act(work)


@operation(
    "POST",
    "/conversations",
    tag="conversations",
    summary="Write first",
    body=FirstLetterIn,
    answer=ConversationMade,
    status=201,
    refusals=(400, 409, 413, 415, 422),
)
async def post_conversation(call: Call[Any, FirstLetterIn]) -> ConversationMade:
    """Begins a conversation with a message of ours."""
    given, letter = call.body, _letter(call.body)
    ids, kept = await keep_inline(call.hub.store.files, given.attachments)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ConversationMade:
        complete = replace(letter, attachments=(*ids, *note_files(unit, kept, actor.key)))
        made = writing.write_first(unit, setup, actor, complete, client=given.client, identity=given.identity)
        return {"conversation": made[0], "delivery": made[1]}

    return await call.act(work)


class NoteIn(In):
    """An internal note."""

    text: Annotated[Long, Field(min_length=1)]


class NoteMade(TypedDict):
    """The interaction that a note is."""

    interaction: int


@operation(
    "POST",
    "/conversations/{id}/notes",
    tag="conversations",
    summary="Leave a note",
    body=NoteIn,
    answer=NoteMade,
    status=201,
    refusals=(400, 404, 413, 415, 422),
)
async def post_note(call: Call[Any, NoteIn]) -> NoteMade:
    """The client never sees it."""
    number, text = call.path["id"], call.body.text
    return {"interaction": await call.act(lambda unit, setup, actor: acts.note(unit, setup, number, actor, text))}


@operation(
    "POST",
    "/interactions/{id}/forward",
    tag="conversations",
    summary="Forward to somebody else",
    body=LetterIn,
    answer=DeliveryMade,
    status=201,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def post_forward(call: Call[Any, LetterIn]) -> DeliveryMade:
    """A copy with its files goes to `to`; that answers nobody."""
    number, letter = call.path["id"], _letter(call.body)
    ids, kept = await keep_inline(call.hub.store.files, call.body.attachments)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> DeliveryMade:
        complete = replace(letter, attachments=(*ids, *note_files(unit, kept, actor.key)))
        return {"delivery": writing.forward(unit, setup, number, actor, complete)}

    return await call.act(work)
