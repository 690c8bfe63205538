"""What clients agreed to and refused: the history, how things stand, and one more word of theirs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import consents as acts
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.parameters import Paging
from hub.api.values import In, Instant, Key, Long, Short, Shown, Written, show
from hub.consents import standing
from hub.errors import NotFound
from hub.setup.snapshot import SetUp
from storage.repositories import clients, consents
from storage.unit import Unit

State = Literal["given", "refused"]
Purpose = Literal["service", "marketing", "all"]


class ConsentOut(TypedDict):
    """One word of a client's. Of several about one channel and purpose the last holds."""

    id: int
    channel: str
    purpose: Purpose
    state: State
    source: Literal["form", "message", "channel", "operator", "api", "merge", "link"]
    by: str
    identity: str | None
    text: str | None
    version: str | None
    reason: str | None
    interaction: int | None
    at: Shown


class ConsentPage(TypedDict):
    """Everything he said, newest first; `current` is the last word of each channel and purpose."""

    current: list[ConsentOut]
    items: list[ConsentOut]
    next: str | None


def show_consent(one: consents.Consent) -> ConsentOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "channel": one.channel,
        "purpose": one.purpose,  # type: ignore[typeddict-item]
        "state": one.state,  # type: ignore[typeddict-item]
        "source": one.source,  # type: ignore[typeddict-item]
        "by": one.by,
        "identity": one.identity,
        "text": one.text,
        "version": one.version,
        "reason": one.reason,
        "interaction": one.interaction_id,
        "at": show(one.at) or "",
    }


@operation(
    "GET",
    "/clients/{id}/consents",
    tag="clients",
    summary="What a client agreed to and refused",
    query=Paging,
    answer=ConsentPage,
    refusals=(404, 422),
)
async def list_consents(call: Call[Paging, Any]) -> ConsentPage:
    """Rows are only ever added. A client merged into another has none: they are the survivor's."""
    number, asked = call.path["id"], call.query

    def read(connection: Connection) -> ConsentPage:
        if clients.find(connection, number) is None:
            raise NotFound("there is no client %(number)s", number=number)
        page = consents.list_page(connection, number, limit=asked.limit, cursor=asked.cursor)
        current = standing(consents.find_all(connection, number))
        return {
            "current": [show_consent(one) for one in current],
            "items": [show_consent(one) for one in page.items],
            "next": page.next,
        }

    return await call.read(read)


class ConsentIn(In):
    """A consent or a refusal. To lift a refusal takes a supervisor's token and a `reason`."""

    state: State
    channel: Annotated[Key, Field(description='a channel, or "all"', examples=["sms"])] = "all"
    purpose: Purpose = "all"
    text: Annotated[Long, Field(description="the very words that were agreed to")] | None = None
    version: Annotated[Short, Field(max_length=100, description="of those words")] | None = None
    reason: Short | None = None
    identity: Annotated[Written, Field(description="the address that it is about; null = all of them")] | None = None
    at: Annotated[Instant, Field(description="when he said so; null = now")] | None = None


@operation(
    "POST",
    "/clients/{id}/consents",
    tag="clients",
    summary="Note a consent or a refusal",
    body=ConsentIn,
    answer=ConsentOut,
    status=201,
    refusals=(400, 403, 404, 413, 415, 422),
)
async def post_consent(call: Call[Any, ConsentIn]) -> ConsentOut:
    """A refusal of marketing never stops an answer; one of everything (`all`) stops all messages on its channel."""
    number, given = call.path["id"], call.body
    wish = acts.Wish(
        state=given.state,
        channel=given.channel,
        purpose=given.purpose,
        text=given.text,
        version=given.version,
        reason=given.reason,
        identity=given.identity,
        at=given.at,
    )

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ConsentOut:
        made = acts.note_wish(unit, setup, number, actor, wish)
        found = consents.find(unit.connection, made)
        assert found is not None
        return show_consent(found)

    return await call.act(work)
