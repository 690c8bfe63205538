"""A real MariaDB, unpacked or installed from Debian: the database that FreePBX keeps its calls in."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Sequence
from typing import Any, Self

import pymysql

from tests.peers.debian import Program, find_program
from tests.peers.missing import PeerMissing
from tests.peers.process import Process, clean_environment
from tests.peers.workshop import free_port, give, make_folder, remove_folder, unprivileged

REMEDY = "apt-get install mariadb-server-core, or: python -m tests.peers"
ADMINISTRATOR, READER, PASSWORD = "administrator", "hub", "geheim"
_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql")


class MariaDb:
    """One server on a free port; the user `hub` may only read."""

    def __init__(self) -> None:
        found = find_program("/usr/sbin/mariadbd")
        if found is None:
            raise PeerMissing("mariadb", "not installed", REMEDY)
        self._program = found
        self.port = free_port()
        self._account = unprivileged()
        self._folder = make_folder("mariadb", self._account)
        give(self._folder, self._account)
        self._process = Process("mariadb", self._folder, self._account)
        self._bootstrap()
        self.start()

    def url(self, database: str) -> str:
        """For the reader."""
        return f"mysql://{READER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def run(self, query: str, values: Sequence[Any] = ()) -> None:
        """As the administrator."""
        with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(query, tuple(values))

    def start(self) -> None:
        """Start the server, again on the same port after `stop`."""
        options = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self._folder}/socket"]
        command = [str(self._program.path), *self._options(), *options, "--skip-name-resolve"]
        self._process.start(command, self._program.environment)
        self._process.wait_until(self._answers)

    def stop(self) -> None:
        """Shut down."""
        self._process.stop()

    def close(self) -> None:
        """End the server and forget its data."""
        self._process.kill()
        remove_folder(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _options(self) -> list[str]:
        share = self._program.beside("/usr/share/mysql")
        return [
            "--no-defaults",
            f"--datadir={self._folder}/data",
            f"--tmpdir={self._folder}",
            f"--lc-messages-dir={share}",
            f"--character-sets-dir={share}/charsets",
            f"--plugin-dir={self._folder}",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=16M",
            "--innodb-log-file-size=4M",
            "--default-time-zone=+00:00",
        ]

    def _bootstrap(self) -> None:
        """What mariadb-install-db does, without the programs it needs besides; a statement ends where its line does."""
        data = self._folder / "data"
        data.mkdir()
        give(data, self._account)
        share = self._program.beside("/usr/share/mysql")
        lines = ["CREATE DATABASE IF NOT EXISTS mysql;", "USE mysql;"]
        lines += [(share / name).read_text(encoding="utf-8", errors="replace") for name in _TABLES]
        lines += ["FLUSH PRIVILEGES;"]
        lines += [f"GRANT ALL ON *.* TO '{ADMINISTRATOR}'@'%' IDENTIFIED BY '{PASSWORD}' WITH GRANT OPTION;"]
        lines += [f"GRANT SELECT ON *.* TO '{READER}'@'%' IDENTIFIED BY '{PASSWORD}';", ""]
        command = [str(self._program.path), *self._options(), "--bootstrap"]
        account = {} if self._account.uid < 0 else {"user": self._account.uid, "group": self._account.gid}
        subprocess.run(
            command,
            input="\n".join(lines).encode(),
            check=True,
            timeout=60,
            cwd=self._folder,
            env={**clean_environment(), **self._program.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account,  # type: ignore[call-overload]
        )

    def _connect(self) -> pymysql.Connection[Any]:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=ADMINISTRATOR, password=PASSWORD, charset="utf8mb4", autocommit=True
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except pymysql.MySQLError:
            return False
        return True


def version() -> str:
    """What ``mariadbd --version`` says."""
    program: Program | None = find_program("/usr/sbin/mariadbd")
    if program is None:
        raise PeerMissing("mariadb", "not installed", REMEDY)
    environment = {**clean_environment(), **program.environment}
    done = subprocess.run([str(program.path), "--version"], capture_output=True, text=True, timeout=20, env=environment)
    return f"{done.stdout.split('Ver ')[-1].split('-')[0].strip()} ({program.origin})"
