"""A real Asterisk, unpacked from Debian packages and run through its own loader: nothing on the machine is changed.

The PBX of the tests has a number of desks that do not disturb each other: three telephones, two queues and their
numbers each, so that scenarios run side by side. All names can be others: nothing may be shaped to these.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.peers.debian import UNPACKED, find_program
from tests.peers.missing import PeerMissing
from tests.peers.process import Process, clean_environment
from tests.peers.workshop import free_port, make_folder, remove_folder

KIT = Path(__file__).with_name("asterisk")
ROOT = UNPACKED / "asterisk"
REMEDY = "python -m tests.peers (needs a Debian mirror for apt-get)"
SECRET = "hubsecret"
DESKS = 24

MODULES = """
[modules]
autoload=no
load = res_timing_timerfd.so
load = res_sorcery_config.so
load = res_sorcery_memory.so
load = res_sorcery_astdb.so
load = res_pjproject.so
load = res_pjsip.so
load = res_pjsip_session.so
load = res_pjsip_sdp_rtp.so
load = res_pjsip_caller_id.so
load = res_pjsip_endpoint_identifier_ip.so
load = res_pjsip_endpoint_identifier_user.so
load = res_pjsip_authenticator_digest.so
load = res_pjsip_outbound_authenticator_digest.so
load = res_pjsip_refer.so
load = res_pjsip_pubsub.so
load = res_pjsip_nat.so
load = res_pjsip_registrar.so
load = res_pjsip_rfc3326.so
load = res_pjsip_logger.so
load = res_rtp_asterisk.so
load = res_musiconhold.so
load = res_speech.so
load = res_agi.so
load = chan_pjsip.so
load = bridge_simple.so
load = bridge_builtin_features.so
load = bridge_builtin_interval_features.so
load = bridge_softmix.so
load = bridge_holding.so
load = bridge_native_rtp.so
load = codec_ulaw.so
load = codec_alaw.so
load = codec_gsm.so
load = format_gsm.so
load = format_wav.so
load = format_pcm.so
load = pbx_config.so
load = app_dial.so
load = app_queue.so
load = app_mixmonitor.so
load = app_voicemail.so
load = app_playback.so
load = app_echo.so
load = app_stack.so
load = app_verbose.so
load = app_bridgewait.so
load = func_callerid.so
load = func_channel.so
load = func_cdr.so
load = func_strings.so
load = func_logic.so
load = func_uri.so
load = func_global.so
load = cdr_csv.so
load = cdr_manager.so
"""


@dataclass(frozen=True, slots=True)
class Names:
    """What the administrator calls things."""

    trunk: str = "trunk"
    inbound: str = "from-trunk"
    routed: str = "routed"
    internal: str = "internal"
    queue: str = "support"
    ring_all: str = "support-all"
    empty: str = "nobody"
    phone: str = "{number}"
    system: str = "pbx1"


STRANGE = Names("operator-seti", "ot-goroda", "dalshe", "vnutri", "opt.otdel", "vse-srazu", "pusto", "tel{number}x", "")


@dataclass(frozen=True, slots=True)
class Desk:
    """Three telephones and the numbers that lead to them."""

    number: int
    names: Names
    phones: tuple[str, str, str]
    ports: tuple[int, int, int]

    @property
    def queue(self) -> str:
        """Its members ring one after the other."""
        return f"{self.names.queue}{self.number}"

    @property
    def ring_all(self) -> str:
        """Its members ring at once."""
        return f"{self.names.ring_all}{self.number}"

    @property
    def did(self) -> str:
        """Leads to `queue`."""
        return f"8{self.number:02}1"

    @property
    def direct_did(self) -> str:
        """Leads to the first telephone."""
        return f"8{self.number:02}2"

    @property
    def ring_all_did(self) -> str:
        """Leads to `ring_all`."""
        return f"8{self.number:02}3"

    @property
    def empty_did(self) -> str:
        """Leads to a queue without members."""
        return f"8{self.number:02}4"

    @property
    def outside(self) -> str:
        """A number in town, reached over this desk's own trunk."""
        return f"74951{self.number:03}233"

    def answer(self, did: str) -> str:
        """What the hub answers when the dialplan asks for a number."""
        answers = {
            self.did: self.queue,
            self.direct_did: f"op/{self.phones[0]}",
            self.ring_all_did: self.ring_all,
            self.empty_did: self.names.empty,
        }
        return answers.get(did, "")


@dataclass
class Asterisk:
    """One PBX on free ports. `agi` is where it asks for routes; `operators(n)` are the telephones of all desks."""

    names: Names = field(default_factory=Names)
    stamps: bool = True

    def __post_init__(self) -> None:
        if not (ROOT / "usr/sbin/asterisk").is_file():
            raise PeerMissing("asterisk", "not unpacked in .peers/", REMEDY)
        self.sip, self.ami, self.agi = free_port(), free_port(), free_port()
        self.folder = make_folder("asterisk")
        self.desks = [self._desk(number) for number in range(DESKS)]
        self.outside_ports = [free_port() for _ in self.desks]
        self._process = Process("asterisk", self.folder, None)
        self._configure()
        self.start()

    @property
    def pid(self) -> int:
        """Of the server."""
        return self._process.pid

    @property
    def cdr(self) -> Path:
        """Master.csv."""
        return self.folder / "log/cdr-csv/Master.csv"

    @property
    def queue_log(self) -> Path:
        """queue_log."""
        return self.folder / "log/queue_log"

    @property
    def recordings(self) -> Path:
        """Where MixMonitor writes."""
        return self.folder / "rec"

    @property
    def extensions(self) -> dict[str, str]:
        """Extension -> operator, as a hub would know them."""
        return {phone: f"op-{phone}" for desk in self.desks for phone in desk.phones}

    @property
    def interface(self) -> str:
        """How an extension is dialled."""
        return "PJSIP/" + self.names.phone.replace("{number}", "{extension}")

    def start(self) -> None:
        """Boot, again on the same ports after `stop` or `kill`."""
        self._process.start(self._command("-f"))
        self._process.wait_until(lambda: "fully booted" in self.cli("core waitfullybooted"))

    def stop(self) -> None:
        """Hang up everything and end."""
        self.cli("core stop now")
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self._process.freeze()

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.thaw()

    def cli(self, line: str) -> str:
        """One command on the console."""
        done = subprocess.run(
            self._command("-rx", line), capture_output=True, text=True, timeout=20, env=clean_environment()
        )
        return done.stdout

    def close(self) -> None:
        """End and forget everything."""
        self._process.kill()
        remove_folder(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _command(self, *words: str) -> list[str]:
        return [*_loader(), str(ROOT / "usr/sbin/asterisk"), "-C", str(self.folder / "etc/asterisk.conf"), *words]

    def _desk(self, number: int) -> Desk:
        phones = tuple(f"{100 * (number + 1) + index}" for index in (1, 2, 3))
        ports = tuple(free_port() for _ in range(3))
        return Desk(number, self.names, (phones[0], phones[1], phones[2]), (ports[0], ports[1], ports[2]))

    def _configure(self) -> None:
        for path in ("etc", "lib", "agi-bin", "run", "cache", "rec", "log/cdr-csv", "log/cdr-custom"):
            (self.folder / path).mkdir(parents=True)
        for path in ("voicemail", "monitor", "tmp", "outgoing", "system"):
            (self.folder / "spool" / path).mkdir(parents=True)
        for name, write in _FILES.items():
            (self.folder / "etc" / name).write_text(write(self))


def _asterisk_conf(pbx: Asterisk) -> str:
    modules = next(path for path in ROOT.glob("usr/lib/**/asterisk/modules"))
    run = pbx.folder
    system = f"systemname = {pbx.names.system}" if pbx.names.system else ""
    return f"""
[directories]
astetcdir => {run}/etc
astmoddir => {modules}
astvarlibdir => {run}/lib
astdbdir => {run}/lib
astkeydir => {run}/lib
astdatadir => {ROOT}/usr/share/asterisk
astagidir => {run}/agi-bin
astspooldir => {run}/spool
astrundir => {run}/run
astlogdir => {run}/log
astcachedir => {run}/cache
[options]
verbose = 3
{system}
"""


def _extensions_conf(pbx: Asterisk) -> str:
    names, run = pbx.names, pbx.folder
    record = f"{run}/rec/${{STRFTIME(${{EPOCH}},,%Y%m%d-%H%M%S)}}-${{CHANNEL(linkedid)}}.wav"
    lines = [
        f"[{names.inbound}]",
        "exten => _8XXX,1,Set(ROUTE=)",
        f" same => n,AGI(agi://127.0.0.1:{pbx.agi}/route,${{CHANNEL(linkedid)}})",
        ' same => n,GotoIf($["${ROUTE}"=""]?out)',
        f" same => n,Goto({names.routed},${{EXTEN}},1)",
        " same => n(out),Hangup()",
        f"[{names.routed}]",
        'exten => _8XXX,1,GotoIf($["${ROUTE:0:3}"="op/"]?op)',
        " same => n,Answer()",
        f" same => n,Set(RECFILE={record})",
        " same => n,Set(CDR(userfield)=${RECFILE})",
        " same => n,MixMonitor(${RECFILE},b)",
        " same => n,Queue(${ROUTE},t,,,7)",
        ' same => n,GotoIf($["${QUEUESTATUS}"="TIMEOUT"]?vm)',
        " same => n,Hangup()",
        " same => n(vm),VoiceMail(100@default,su)",
        " same => n,Hangup()",
        f" same => n(op),Set(RECFILE={record})",
        " same => n,MixMonitor(${RECFILE},b)",
        f" same => n,Dial(PJSIP/{names.phone.format(number='${ROUTE:3}')},6,tT)",
        " same => n,Hangup()",
        f"[{names.internal}]",
    ]
    for desk in pbx.desks:
        lines += [
            f"exten => {phone},1,Dial(PJSIP/{names.phone.format(number=phone)},6,tT)\n same => n,Hangup()"
            for phone in desk.phones
        ]
        trunk = f"{names.trunk}-{desk.number}"
        lines += [f"exten => {desk.outside},1,Set(CALLERID(num)=74950000000)"]
        lines += [f" same => n,Dial(PJSIP/${{EXTEN}}@{trunk},8,tT)", " same => n,Hangup()"]
    return "\n".join(lines) + "\n"


def _pjsip_conf(pbx: Asterisk) -> str:
    names = pbx.names
    common = "direct_media=no\nrtp_symmetric=yes\nmedia_address=127.0.0.1\nallow=!all,ulaw,alaw\ntrust_id_inbound=yes\n"
    parts = [
        f"""
[global]
type=global
endpoint_identifier_order=username,ip
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{pbx.sip}
[{names.trunk}]
type=endpoint
transport=udp
context={names.inbound}
{common}
[{names.trunk}]
type=identify
endpoint={names.trunk}
match=127.0.0.1
"""
    ]
    for desk, outside in zip(pbx.desks, pbx.outside_ports, strict=True):
        parts.append(_endpoint(f"{names.trunk}-{desk.number}", names.inbound, outside, common))
        for phone, port in zip(desk.phones, desk.ports, strict=True):
            name = names.phone.format(number=phone)
            more = f'callerid="Operator {phone}" <{phone}>\nsend_connected_line=no\nsend_pai=yes\n'
            parts.append(_endpoint(name, names.internal, port, common + more))
    return "".join(parts)


def _endpoint(name: str, context: str, port: int, more: str) -> str:
    return f"""
[{name}]
type=endpoint
transport=udp
context={context}
aors={name}
{more}
[{name}]
type=aor
contact=sip:{name}@127.0.0.1:{port}
"""


def _queues_conf(pbx: Asterisk) -> str:
    common = "musicclass=default\ntimeout=3\nretry=1\nringinuse=no\njoinempty=yes\nleavewhenempty=no\nsetqueuevar=yes\n"
    parts = [f"[general]\npersistentmembers=no\nautofill=yes\n[{pbx.names.empty}]\nstrategy=ringall\n{common}"]
    for desk in pbx.desks:
        members = "".join(
            f"member => PJSIP/{pbx.names.phone.format(number=phone)},0,Operator {phone}\n" for phone in desk.phones
        )
        parts.append(f"[{desk.queue}]\nstrategy=linear\n{common}{members}")
        parts.append(f"[{desk.ring_all}]\nstrategy=ringall\n{common}{members}")
    return "\n".join(parts)


def _manager_conf(pbx: Asterisk) -> str:
    stamps = "yes" if pbx.stamps else "no"
    user = f"secret = {SECRET}\npermit = 127.0.0.1/255.255.255.255\nwrite = all\nwritetimeout = 5000\n"
    return f"""
[general]
enabled = yes
bindaddr = 127.0.0.1
port = {pbx.ami}
timestampevents = {stamps}
[hub]
{user}read = all
eventfilter = !Event: TestEvent
[hublean]
{user}read = system,call,agent,user,cdr,originate
[hubdeaf]
secret = {SECRET}
read = system
write = system,command,reporting,agent
[hubflood]
{user}read = all
"""


_FILES: dict[str, Callable[[Asterisk], str]] = {
    "asterisk.conf": _asterisk_conf,
    "extensions.conf": _extensions_conf,
    "pjsip.conf": _pjsip_conf,
    "queues.conf": _queues_conf,
    "manager.conf": _manager_conf,
    "modules.conf": lambda pbx: MODULES,
    "cdr.conf": lambda pbx: (
        "[general]\nenable=yes\nunanswered=yes\ncongestion=yes\n"
        "[csv]\nloguniqueid=yes\nloguserfield=yes\nnewcdrcolumns=yes\n"
    ),
    "cdr_manager.conf": lambda pbx: "[general]\nenabled = yes\n",
    "features.conf": lambda pbx: "[general]\n[featuremap]\nblindxfer => ##\natxfer => *2\n",
    "logger.conf": lambda pbx: "[general]\n[logfiles]\nconsole => notice,warning,error\n",
    "musiconhold.conf": lambda pbx: (
        f"[default]\nmode=playlist\nentry={ROOT}/usr/share/asterisk/sounds/en_US_f_Allison/queue-thankyou\n"
    ),
    "rtp.conf": lambda pbx: "[general]\nrtpstart=32000\nrtpend=39999\nicesupport=no\n",
    "voicemail.conf": lambda pbx: (
        "[general]\nformat=wav\nattach=no\nminsecs=0\nmaxsilence=0\nmaxsecs=60\n[default]\n100 => 1234,Support\n"
    ),
    "pjproject.conf": lambda pbx: "[startup]\ntype=startup\nlog_level=default\n",
}


def _loader() -> list[str]:
    found = [*ROOT.glob("usr/lib/*/ld-linux-*.so.*"), *ROOT.glob("lib/*/ld-*.so*")]
    if not found:
        raise PeerMissing("asterisk", "unpacked without its loader", REMEDY)
    libraries = ":".join(
        str(path) for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu") for path in ROOT.glob(pattern)
    )
    return [str(found[0]), "--library-path", f"{libraries}:{ROOT}/usr/lib"]


def fetch() -> None:
    """Unpack Asterisk and its libraries under ``.peers/asterisk``; half a minute, once."""
    UNPACKED.mkdir(exist_ok=True)
    subprocess.run(["bash", str(KIT / "get-asterisk.sh"), str(ROOT)], check=True, timeout=900)


def version() -> str:
    """What ``asterisk -V`` says."""
    if not (ROOT / "usr/sbin/asterisk").is_file():
        raise PeerMissing("asterisk", "not unpacked in .peers/", REMEDY)
    done = subprocess.run(
        [*_loader(), str(ROOT / "usr/sbin/asterisk"), "-V"], capture_output=True, text=True, check=True, timeout=20
    )
    return f"{done.stdout.strip().removeprefix('Asterisk ')} (unpacked in .peers/)"


def sipp_version() -> str:
    """What ``sipp -v`` says."""
    program = find_program("/usr/bin/sipp")
    if program is None:
        raise PeerMissing("sipp", "not installed", "apt-get install sip-tester, or: python -m tests.peers")
    done = subprocess.run(
        [str(program.path), "-v"],
        capture_output=True,
        text=True,
        timeout=20,
        env=clean_environment() | program.environment,
    )
    word = next((word for word in done.stdout.split() if word.startswith("v3")), "")
    return f"{word.removeprefix('v').rstrip('.')} ({program.origin})"
