"""What Telegram takes from a bot: a message a second in one chat, 20 a minute in one group, 30 a second altogether.

Source: core.telegram.org/bots/faq, "My bot is hitting limits".
"""

from __future__ import annotations

import time
from collections.abc import Callable

from channels.pace import Pace

PER_CHAT_S = 1.0
PER_GROUP_S = 60.0 / 20
OVERALL_S = 1.0 / 30


class Limits(Pace[int]):
    """When the next message may go out. Groups have negative ids."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(OVERALL_S, lambda chat: PER_GROUP_S if chat < 0 else PER_CHAT_S, clock)
