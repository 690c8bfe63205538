"""A port that one process of the tests was given is given to no other, whether or not anybody listens on it yet."""

import subprocess
import sys
from pathlib import Path

from tests.peers.workshop import free_port, media_port, release, reserve

ASKS = "import sys; from tests.peers.workshop import reserve; print(*(reserve(int(port)) for port in sys.argv[1:]))"


def asked_elsewhere(*ports: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASKS, *map(str, ports)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout.split()


def test_a_port_is_ours_until_we_let_go() -> None:
    server, media = free_port(), media_port()
    assert not reserve(server)
    assert asked_elsewhere(server, media) == ["False", "False"]
    release(server)
    assert asked_elsewhere(server, media) == ["True", "False"]
    release(media)
    assert reserve(media)
    release(media)
