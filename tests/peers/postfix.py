"""A real Postfix between our SMTP client and Dovecot: a mail travels a whole MTA and lands in a mailbox.

Everything it owns is in a temporary folder (configuration, queue, log), but its processes change users among
themselves, so it needs root. Every address is delivered over LMTP into the Dovecot peer; an address that
Dovecot does not know comes back as a genuine delivery report.
"""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Self

from tests.peers.debian import Program, find_program
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import DOMAIN
from tests.peers.missing import PeerMissing
from tests.peers.process import GUARDED, Process, answers, clean_environment
from tests.peers.workshop import free_port, make_folder, remove_folder

REMEDY = "run as root with postfix installed (apt-get install postfix)"
OUTSIDE = "client.example"
QUEUE_FOLDERS = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
    "trace",
]

MAIN = """
compatibility_level = 3.6
myhostname = mx.{domain}
mydomain = {domain}
mynetworks =
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
maillog_file = /dev/stdout
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = {domain}
recipient_delimiter = +
default_transport = lmtp:inet:127.0.0.1:{lmtp_port}
relay_transport = lmtp:inet:127.0.0.1:{lmtp_port}
local_transport = lmtp:inet:127.0.0.1:{lmtp_port}
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
message_size_limit = 41943040
minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 2s
smtp_host_lookup = native
lmtp_host_lookup = native
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """An MTA in front of a Dovecot peer: our domain is open to all, other domains to whoever signs in."""

    def __init__(self, dovecot: Dovecot) -> None:
        self._program = _find()
        self.port, self.tls_port = free_port(), free_port()
        self.certificate = dovecot.certificate
        self._dovecot = dovecot
        self._folder = make_folder("postfix")
        self._process = Process("postfix", self._folder, None, farewell=GUARDED)
        self._configure()
        self.start()

    @property
    def log(self) -> str:
        """What the MTA did, in its own words."""
        return self._process.log.read_text()

    def start(self) -> None:
        """Start the MTA, again on the same ports and with the same queue after `stop` or `kill`."""
        self._process.start([self._program.path, "-s", "-c", self._folder / "etc"])
        self._process.wait_until(lambda: answers(self.port) and answers(self.tls_port))

    def stop(self) -> None:
        """Shut down politely; the queue stays."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL everything; the queue stays."""
        self._process.kill()

    def freeze(self) -> None:
        """Let connections hang."""
        self._process.freeze()

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._process.thaw()

    def close(self) -> None:
        """End the MTA and forget its queue."""
        self._process.stop()
        remove_folder(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _configure(self) -> None:
        mta, postdrop = pwd.getpwnam("postfix"), Path("/usr/sbin/postdrop").stat().st_gid
        etc, queue, data = (self._folder / name for name in ("etc", "queue", "data"))
        for path in (etc, queue, data, *(queue / name for name in QUEUE_FOLDERS)):
            path.mkdir(mode=0o755 if path in (etc, queue) else 0o700)
        for path in (data, *(queue / name for name in QUEUE_FOLDERS)):
            os.chown(path, mta.pw_uid, mta.pw_gid)
        for name, mode, owner, group in (
            ("maildrop", 0o1730, mta.pw_uid, postdrop),
            ("public", 0o2710, mta.pw_uid, postdrop),
            ("pid", 0o755, 0, 0),
        ):
            (queue / name).mkdir()
            os.chown(queue / name, owner, group)
            (queue / name).chmod(mode)
        values = {
            "domain": DOMAIN,
            "folder": self._folder,
            "daemons": self._program.path.parent,
            "lmtp_port": self._dovecot.lmtp_port,
            "auth_port": self._dovecot.auth_port,
            "port": self.port,
            "tls_port": self.tls_port,
            "chain": self.certificate.chain,
            "key": self.certificate.key,
        }
        for name, text in (("main.cf", MAIN), ("master.cf", MASTER)):
            (etc / name).write_text(text.format(**values))
            # Postfix waits for a file that is younger than seconds, lest somebody be writing it still.
            os.utime(etc / name, (0, 0))


def version() -> str:
    """What ``postconf mail_version`` says."""
    _find()
    done = subprocess.run(
        ["/usr/sbin/postconf", "-d", "-h", "mail_version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        env=clean_environment(),
    )
    return f"{done.stdout.strip()} (system)"


def _find() -> Program:
    program = find_program("/usr/lib/postfix/sbin/master")
    if program is None:
        raise PeerMissing("postfix", "not installed", REMEDY)
    if os.getuid() != 0:
        raise PeerMissing("postfix", "its processes change users, which only root may", REMEDY)
    return program
