"""However the test process dies, its servers die with it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.peers.missing import PeerMissing, do_without
from tests.peers.postfix import version as find_postfix
from tests.peers.process import list_family, read_table

STARTS_EVERYTHING = """
import asyncio, threading
from tests.peers import chromium, dovecot, postfix, postgres, valkey, workshop

async def wait():
    async with chromium.open_browser() as browser:
        page = await chromium.open_page(browser)
        print(workshop.folder(), flush=True)
        await asyncio.sleep(600)

def start():  # in a thread that ends: servers must not end with it
    mail = dovecot.Dovecot()
    servers.extend([mail, postgres.Postgres(), valkey.Valkey()])
    {postfix}

servers = []
thread = threading.Thread(target=start)
thread.start()
thread.join()
assert all(server._process.alive for server in servers), servers
asyncio.run(wait())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_nothing_running(how: int) -> None:
    try:
        find_postfix()
        postfix = "servers.append(postfix.Postfix(mail))"
    except PeerMissing:
        postfix = ""
    child = subprocess.Popen(
        [sys.executable, "-c", STARTS_EVERYTHING.format(postfix=postfix)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with child:
        folder = child.stdout.readline().strip() if child.stdout else ""
        if not folder:
            _, told = child.communicate(timeout=60)
            if "PeerMissing" in told:
                do_without(PeerMissing("orphans", told.strip().splitlines()[-1], "python -m tests.peers"))
            pytest.fail(told)
        family = list_family(child.pid)
        assert len(family) > 20
        child.send_signal(how)
        child.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while (left := family & read_table().keys()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
