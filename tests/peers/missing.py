"""What happens when a peer cannot be had: a loud skip on a laptop, a failure where CI=true."""

import os
from typing import NoReturn

import pytest

missing: dict[str, str] = {}
"""Why, by peer, for the summary at the end of the run."""


class PeerMissing(Exception):
    """A server is not on this machine; ``remedy`` is what a person can do about it."""

    def __init__(self, peer: str, reason: str, remedy: str) -> None:
        super().__init__(f"{peer}: {reason}. {remedy}")
        self.peer = peer
        self.reason = reason
        self.remedy = remedy


def do_without(problem: PeerMissing) -> NoReturn:
    """Skip or fail the test that asked for the peer."""
    missing[problem.peer] = f"{problem.reason}. {problem.remedy}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"peer missing: {problem}", pytrace=False)
    pytest.skip(f"peer missing: {problem}")
