"""A real Dovecot: IMAP with IDLE, LMTP, and the authentication that Postfix asks, run by an ordinary account."""

import itertools
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.peers.certificates import Certificate, make_certificate
from tests.peers.debian import SYSTEM, Program, find_program
from tests.peers.mailbox import DOMAIN, Mailbox
from tests.peers.missing import PeerMissing
from tests.peers.process import GUARDED, Process, answers, clean_environment
from tests.peers.workshop import free_port, give, make_folder, remove_folder, unprivileged

NAMED = ("support", "sales", "service", "info", "robot", "anna", "boris", "vera", "client")
PASSWORD = "secret"
SPARE_BOXES = 2000
# 2.4 broke the configuration language; Debian 12 and Ubuntu up to 24.04 have 2.3.
SPOKEN = "2.3."
OLDER = "Dovecot 2.3 is needed"
REMEDY = "apt-get install dovecot-imapd dovecot-lmtpd, or: python -m tests.peers"

CONFIGURATION = """
base_dir = {run}
state_dir = {run}
log_path = /dev/stderr
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
import_environment = TZ LD_LIBRARY_PATH
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
# Let the tests be wrong as often as they like.
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {run}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={mail}/%n
}}
mail_location = maildir:~/Maildir
mail_max_userip_connections = 50
maildir_very_dirty_syncs = no
recipient_delimiter = +
lmtp_rcpt_check_quota = no
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Archive {{
    auto = subscribe
    special_use = \\Archive
  }}
}}
service anvil {{
  chroot =
  # No growing delays for an address that was wrong before.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service auth {{
  inet_listener sasl {{
    port = {auth_port}
  }}
}}
"""


class Dovecot:
    """One server with its own users, mail and ports; the ports survive `stop` and `start`."""

    def __init__(self) -> None:
        self.imap_port, self.imaps_port, self.lmtp_port, self.auth_port = (free_port() for _ in range(4))
        self._program = _find()
        version()
        self.certificate: Certificate = make_certificate()
        self._account = unprivileged()
        self._folder = make_folder("dovecot", self._account)
        self._mail = give(self._make("mail"), self._account)
        self._spare: Iterator[str] = (f"box{number}" for number in itertools.count(1))
        # Namespaces make the kernel forget the tether, as a change of user does.
        farewell = signal.SIGKILL if self._program.root == SYSTEM else GUARDED
        self._process = Process("dovecot", self._folder, self._account, farewell)
        self._configure()
        self.start()

    def box(self, user: str) -> Mailbox:
        """The mailbox of a named user ("support", "sales", …); the same for every test of the run."""
        return Mailbox(user, PASSWORD, self._mail / user / "Maildir", self._account)

    def fresh_box(self) -> Mailbox:
        """A mailbox that no other test uses: an empty INBOX, Sent and Archive."""
        return self.box(next(self._spare))

    def deliver(self, user: str, raw: bytes, folder: str = "INBOX") -> None:
        """Drop a mail into a user's folder, as a delivery agent does; IDLE notices."""
        self.box(user).deliver(raw, folder)

    def start(self) -> None:
        """Start the server, again on the same ports after `stop` or `kill`."""
        run = self._folder / "run"
        (run / "master.pid").unlink(missing_ok=True)
        self._process.start(
            self._program.in_place("-F", "-c", self._folder / "dovecot.conf"), self._program.environment
        )
        ports = (self.imap_port, self.imaps_port, self.lmtp_port)
        self._process.wait_until(lambda: all(answers(port) for port in ports))

    def stop(self) -> None:
        """Shut down politely: clients get BYE."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL everything: clients see a reset."""
        self._process.kill()

    def freeze(self) -> None:
        """Stop in its tracks: connections stay open and silent, new ones are accepted by the kernel and hang."""
        self._process.freeze()

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._process.thaw()

    def close(self) -> None:
        """End the server and forget its mail."""
        self._process.kill()
        remove_folder(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _configure(self) -> None:
        run = give(self._make("run"), self._account)
        names = [*NAMED, *(f"box{number}" for number in range(1, SPARE_BOXES + 1))]
        (run / "users").write_text("".join(f"{name}:{{PLAIN}}{PASSWORD}\n" for name in names))
        places = {
            "run": run,
            "mail": self._mail,
            "user": self._account.name,
            "group": self._account.group,
            "chain": self.certificate.chain,
            "key": self.certificate.key,
            "imap_port": self.imap_port,
            "imaps_port": self.imaps_port,
            "lmtp_port": self.lmtp_port,
            "auth_port": self.auth_port,
        }
        (self._folder / "dovecot.conf").write_text(CONFIGURATION.format(**places))

    def _make(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir(mode=0o755)
        return path


def version() -> str:
    """What ``dovecot --version`` says, and where it was found."""
    program = _find()
    found = _ask_version(program)
    if not found.startswith(SPOKEN):
        raise PeerMissing("dovecot", f"version {found} wants another configuration than this peer writes", OLDER)
    return f"{found} ({program.origin})"


def _find() -> Program:
    program = find_program("/usr/sbin/dovecot")
    if program is None:
        raise PeerMissing("dovecot", "not installed", REMEDY)
    if not program.beside("/usr/lib/dovecot/lmtp").exists():
        raise PeerMissing("dovecot", "installed without LMTP", REMEDY)
    return program


def _ask_version(program: Program) -> str:
    done = subprocess.run(
        program.in_place("--version"),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env=clean_environment() | program.environment,
    )
    if done.returncode:
        raise PeerMissing("dovecot", f"{program.origin}, but does not run: {done.stderr.strip()}", REMEDY)
    return done.stdout.split()[0]


__all__ = ["DOMAIN", "PASSWORD", "Dovecot", "Mailbox", "version"]
