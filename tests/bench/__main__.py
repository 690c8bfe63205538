"""`make bench`: every benchmark of this folder, one after another, as a table. Name some to run only those.

A benchmark is a module with `run() -> list[tuple[str, str]]`; one that takes long also takes `say(text)`.
"""

from __future__ import annotations

import inspect
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from rich.console import Console
from rich.table import Table

from tests import bench
from tests.peers.missing import PeerMissing

Rows = list[tuple[str, str]]


def find() -> dict[str, Callable[..., Rows]]:
    """The modules that can be run, by name."""
    names = sorted(module.name for module in iter_modules(bench.__path__) if module.name != "__main__")
    modules = {name: import_module(f"{bench.__name__}.{name}") for name in names}
    return {name: module.run for name, module in modules.items() if hasattr(module, "run")}


def main(wanted: list[str]) -> int:
    """Run them; 1 if any could not be."""
    every, told = find(), Console(stderr=True, highlight=False)
    if unknown := set(wanted) - set(every):
        told.print(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(every)}")
        return 2
    table = Table(title=_machine(), title_justify="left", show_edge=False)
    table.add_column("what", no_wrap=True)
    table.add_column("figure", no_wrap=True)
    failed = False
    for name in wanted or every:
        began = time.monotonic()
        with told.status(f"{name} …") as status:
            try:
                rows = _run(every[name], lambda text, name=name: status.update(f"{name}: {text}"))  # type: ignore[misc]
            except PeerMissing as problem:
                rows, failed = [("could not run", str(problem))], True
        told.print(f"{name}: {time.monotonic() - began:.0f} s")
        table.add_section()
        table.add_row(f"[bold]{name}[/]", "")
        for row in rows:
            table.add_row(*row)
    Console(highlight=False, width=max(Console().width, 120)).print(table)
    return int(failed)


def _run(run: Callable[..., Rows], say: Callable[[str], None]) -> Rows:
    return run(say) if inspect.signature(run).parameters else run()


def _machine() -> str:
    load = os.getloadavg()[0]
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} before the first"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
