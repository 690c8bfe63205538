"""A certificate for 127.0.0.1 and localhost that is its own authority, made once per run."""

import functools
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.peers.missing import PeerMissing
from tests.peers.workshop import make_folder

REQUEST = """
[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no
[subject]
CN = localhost
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = {names}
"""
HERE = "DNS:localhost, IP:127.0.0.1"


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files; a client that trusts ``chain`` as an authority accepts the server."""

    chain: Path
    key: Path


@functools.cache
def make_certificate(names: str = HERE) -> Certificate:
    """Make a self-signed certificate; other ``names`` ("DNS:elsewhere.example") give one for the wrong host."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise PeerMissing("certificates", "no openssl program", "apt-get install openssl")
    folder = make_folder("certificates")
    made = Certificate(folder / "chain.pem", folder / "key.pem")
    request = folder / "request.cnf"
    request.write_text(REQUEST.format(names=names))
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    files = ["-config", request, "-keyout", made.key, "-out", made.chain]
    subprocess.run([openssl, "req", "-x509", *kind, *files], check=True, capture_output=True, timeout=30)
    # A key for tests on the loopback: every account that a server steps down to has to read it.
    made.key.chmod(0o644)
    return made
