"""A chat line for every test of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.channels.chat.rig import Browser, ChatRig, FakeTalks, open_channel
from tests.channels.door import FakeDoor


@pytest.fixture
def rig() -> ChatRig:
    """For the contract kit."""
    return ChatRig()


@pytest.fixture
def hub() -> FakeDoor:
    """What came in."""
    return FakeDoor()


@pytest.fixture
def talks() -> Iterator[FakeTalks]:
    """The log; at the end nobody listens to its hints any more."""
    found = FakeTalks()
    yield found
    assert found.rings == []


@pytest.fixture
async def visitor(hub: FakeDoor, talks: FakeTalks) -> AsyncIterator[Browser]:
    """A browser with a session, on a page of the shop."""
    channel = open_channel(hub, talks)
    yield await Browser(channel).open()
    await channel.close()
