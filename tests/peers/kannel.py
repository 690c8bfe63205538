"""A real Kannel: bearerbox at an SMSC of the tests, smsbox with its HTTP interface, run by an ordinary account."""

from __future__ import annotations

import subprocess
from typing import Self

from tests.peers.debian import Program, find_program
from tests.peers.missing import PeerMissing
from tests.peers.process import Process, answers, clean_environment
from tests.peers.workshop import free_port, give, make_folder, remove_folder, unprivileged

REMEDY = "apt-get install kannel, or: python -m tests.peers"

# Between the two boxes an address of its own; the password is that of the SMSC and of sendsms alike.
CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = secret
admin-interface = 127.0.0.1
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = smpp
host = 127.0.0.1
port = {smsc}
smsc-username = hub
smsc-password = secret
system-type = VMA
transceiver-mode = true
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {port}
sendsms-interface = 127.0.0.1
http-request-retry = 20
http-queue-delay = 1

group = sendsms-user
username = hub
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = get
max-messages = 0
get-url = "{hook}/in?secret={secret}&from=%p&to=%P&id=%I&text=%a&charset=%C"

group = sms-service
keyword = default
max-messages = 0
catch-all = true
post-url = "{hook}/in?secret={secret}&from=%p&to=%P&id=%I"
"""


class Kannel:
    """Signed in at the SMSC on `smsc`, calling `hook`; `port` is where messages are handed in (hub / secret)."""

    def __init__(self, smsc: int, hook: str, secret: str) -> None:
        programs = [_find(name) for name in ("bearerbox", "smsbox")]
        account = unprivileged()
        self.port = free_port()
        boxes = free_port()
        self._folder = make_folder("kannel", account)
        conf = self._folder / "kannel.conf"
        told = {"admin": free_port(), "boxes": boxes, "smsc": smsc, "port": self.port, "hook": hook, "secret": secret}
        conf.write_text(CONFIGURATION.format(**told), encoding="utf-8")
        give(conf, account)
        self._processes = []
        try:
            for program, port in zip(programs, (boxes, self.port), strict=True):
                process = Process(program.path.name, self._folder, account)
                process.start([program.path, "-v", "1", conf], program.environment)
                self._processes.append(process)
                process.wait_until(lambda port=port: answers(port))  # type: ignore[misc]
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """What a line is told."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop both boxes."""
        for process in reversed(self._processes):
            process.kill()
        remove_folder(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def version() -> str:
    """For people: the version, and where it was found."""
    program = _find("bearerbox")
    environment = {**clean_environment(), **program.environment}
    said = subprocess.run(
        [str(program.path), "--version"], env=environment, capture_output=True, text=True, timeout=20, check=False
    )
    first = next(iter((said.stdout + said.stderr).splitlines()), "")
    number = first.partition("version `")[2].partition("'")[0] or "of some version"
    return f"{number} ({program.origin})"


def _find(name: str) -> Program:
    program = find_program(f"/usr/sbin/{name}")
    if program is None:
        raise PeerMissing("kannel", f"there is no {name}", REMEDY)
    return program
