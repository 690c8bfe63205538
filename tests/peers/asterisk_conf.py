"""The configuration of the PBX of the tests, file by file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.peers.asterisk import Asterisk

SECRET = "hubsecret"

MODULES = """
[modules]
autoload=no
load = res_timing_timerfd.so
load = res_curl.so
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
load = app_exec.so
load = app_stack.so
load = app_verbose.so
load = app_bridgewait.so
load = func_callerid.so
load = func_channel.so
load = func_cdr.so
load = func_strings.so
load = func_logic.so
load = func_uri.so
load = func_curl.so
load = func_global.so
load = cdr_csv.so
load = cdr_manager.so
load = res_cdrel_custom.so
load = cel_custom.so
"""


DATABASE_MODULES = """
load = res_config_pgsql.so
load = cdr_pgsql.so
load = cel_pgsql.so
"""
RECORDS_TABLES = (
    "CREATE TABLE cdr (id SERIAL, calldate TIMESTAMP, clid TEXT, src TEXT, dst TEXT, dcontext TEXT, channel TEXT,"
    ' dstchannel TEXT, lastapp TEXT, lastdata TEXT, start TIMESTAMP, answer TIMESTAMP, "end" TIMESTAMP,'
    " duration INTEGER, billsec INTEGER, disposition TEXT, amaflags INTEGER, accountcode TEXT, uniqueid TEXT,"
    " userfield TEXT, linkedid TEXT, peeraccount TEXT, sequence INTEGER)",
    "CREATE TABLE cel (id SERIAL, eventtype TEXT, eventtime TIMESTAMP, cid_name TEXT, cid_num TEXT, cid_ani TEXT,"
    " cid_rdnis TEXT, cid_dnid TEXT, exten TEXT, context TEXT, channame TEXT, appname TEXT, appdata TEXT,"
    " amaflags INTEGER, accountcode TEXT, uniqueid TEXT, linkedid TEXT, peer TEXT, userdeftype TEXT, extra TEXT,"
    " userfield TEXT)",
    "CREATE TABLE queue_log (id SERIAL, time TEXT, callid TEXT, queuename TEXT, agent TEXT, event TEXT, data TEXT,"
    " data1 TEXT, data2 TEXT, data3 TEXT, data4 TEXT, data5 TEXT)",
)
"""As the documentation of Asterisk's modules has them."""
_CEL = (
    "eventtype eventtime CALLERID(name) CALLERID(num) CALLERID(ANI) CALLERID(RDNIS) CALLERID(DNID) CHANNEL(exten)"
    " CHANNEL(context) CHANNEL(channame) CHANNEL(appname) CHANNEL(appdata) CHANNEL(amaflags) CHANNEL(accountcode)"
    " CHANNEL(uniqueid) CHANNEL(linkedid) BRIDGEPEER CHANNEL(userfield) userdeftype eventextra"
)


def _asterisk_conf(pbx: Asterisk) -> str:
    modules = next(path for path in pbx.root.glob("usr/lib/**/asterisk/modules"))
    run = pbx.folder
    system = f"systemname = {pbx.names.system}" if pbx.names.system else ""
    return f"""
[directories]
astetcdir => {run}/etc
astmoddir => {modules}
astvarlibdir => {run}/lib
astdbdir => {run}/lib
astkeydir => {run}/lib
astdatadir => {pbx.root}/usr/share/asterisk
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
        *_by_http(pbx),
        f"[{names.routed}]",
        'exten => _8XXX,1,GotoIf($["${ROUTE:0:3}"="op/"]?op)',
        " same => n,Answer()",
        f" same => n,Set(RECFILE={record})",
        " same => n,Set(CDR(userfield)=${RECFILE})",
        " same => n,MixMonitor(${RECFILE},b)",
        " same => n,Queue(${ROUTE},t,,,7)",
        ' same => n,GotoIf($["${QUEUESTATUS}"="TIMEOUT"]?vm)',
        " same => n,Hangup()",
        " same => n(vm),VoiceMail(100@default,s)",
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


def _by_http(pbx: Asterisk) -> list[str]:
    """The lines of README.md, as an administrator would copy them; `HUB` is a global variable."""
    dial = f"Dial(PJSIP/{pbx.names.phone.format(number='${ROUTE:3}')},6,tT)"
    asked = "caller=${URIENCODE(${CALLERID(num)})}&did=${EXTEN}&uid=${UNIQUEID}&linkedid=${CHANNEL(linkedid)}"
    return [
        "exten => _9XXX,1,Set(CURLOPT(httptimeout)=1)",
        f" same => n,Set(ARRAY(ROUTE,QUEUE_PRIO)=${{CURL(${{HUB}}?with=priority&{asked})}})",
        f' same => n,ExecIf($["${{ROUTE:0:3}}"="op/"]?{dial})',
        ' same => n,ExecIf($["${ROUTE}"="closed" | "${ROUTE}"="blocked"]?Hangup())',
        f' same => n,Queue(${{IF($["${{ROUTE:0:3}}"="op/" | "${{ROUTE}}"=""]?{pbx.desks[0].queue}:${{ROUTE}})}},t,,,7)',
        " same => n,Hangup()",
    ]


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


def _place(pbx: Asterisk, section: str, prefix: str, more: str) -> str:
    """Where the database is, in the words of one of the three modules that write into it."""
    if pbx.database is None:
        return ""
    parts = urlsplit(pbx.database)
    host = "host" if prefix else "hostname"
    return (
        f"[{section}]\n{prefix}{host}={parts.hostname}\n{prefix}port={parts.port}\n"
        f"{prefix}{'name' if prefix else 'dbname'}={parts.path.lstrip('/')}\n{prefix}user={parts.username}\n"
        f"{prefix}{'pass' if prefix else 'password'}=none\n{more}"
    )


def _extconfig_conf(pbx: Asterisk) -> str:
    name = urlsplit(pbx.database).path.lstrip("/") if pbx.database else ""
    return f"[settings]\nqueue_log => pgsql,{name},queue_log\n" if name else ""


FILES: dict[str, Callable[[Asterisk], str]] = {
    "asterisk.conf": _asterisk_conf,
    "extensions.conf": _extensions_conf,
    "pjsip.conf": _pjsip_conf,
    "queues.conf": _queues_conf,
    "manager.conf": _manager_conf,
    "modules.conf": lambda pbx: MODULES + (DATABASE_MODULES if pbx.database else ""),
    "cdr_pgsql.conf": lambda pbx: _place(pbx, "global", "", "table=cdr\n"),
    "cel_pgsql.conf": lambda pbx: _place(pbx, "global", "", "table=cel\nshow_user_defined=yes\n"),
    "res_pgsql.conf": lambda pbx: _place(pbx, "general", "db", "requirements=warn\n"),
    "extconfig.conf": _extconfig_conf,
    "cel.conf": lambda pbx: "[general]\nenable=yes\napps=dial,queue\nevents=ALL\n",
    "cel_custom.conf": lambda pbx: (
        f"[mappings]\nMaster.csv => {','.join(f'${{CSV_QUOTE(${{{word}}})}}' for word in _CEL.split())}\n"
    ),
    "cdr.conf": lambda pbx: (
        "[general]\nenable=yes\nunanswered=yes\ncongestion=yes\n"
        "[csv]\nloguniqueid=yes\nloguserfield=yes\nnewcdrcolumns=yes\n"
    ),
    "cdr_manager.conf": lambda pbx: "[general]\nenabled = yes\n",
    "features.conf": lambda pbx: "[general]\n[featuremap]\nblindxfer => ##\natxfer => *2\n",
    "logger.conf": lambda pbx: "[general]\n[logfiles]\nconsole => notice,warning,error\n",
    "musiconhold.conf": lambda pbx: (
        f"[default]\nmode=playlist\nentry={pbx.root}/usr/share/asterisk/sounds/en_US_f_Allison/queue-thankyou\n"
    ),
    "rtp.conf": lambda pbx: "[general]\nrtpstart=32000\nrtpend=39999\nicesupport=no\n",
    "voicemail.conf": lambda pbx: (
        "[general]\nformat=wav\nattach=no\nminsecs=0\nmaxsilence=0\nmaxsecs=60\n[default]\n100 => 1234,Support\n"
    ),
    "pjproject.conf": lambda pbx: "[startup]\ntype=startup\nlog_level=default\n",
}
