"""A channel made by the scaffold keeps the contract as it comes, in a copy of the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.scaffold import write_channel
from tests.house.source import ROOT
from tests.hub.cli.conftest import Touchline

SHARED = ("__init__.py", "channels/__init__.py", "channels/door.py", "channels/kit.py", "channels/pusher.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """As much of the source tree as a channel needs."""
    root = tmp_path / "tree"
    shutil.copytree(ROOT / "channels", root / "channels", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SHARED:
        (root / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, root / "tests" / name)
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def run(root: Path, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root), "MYPYPATH": str(ROOT / "typings")}
    ran = subprocess.run(
        (sys.executable, "-m", *command), cwd=root, env=environment, capture_output=True, text=True, timeout=110
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_new_channel_keeps_the_contract_as_it_comes(touchline: Touchline, tree: Path) -> None:
    ran = touchline("new-channel", "signal", "--into", str(tree))
    assert ran.code == 0 and str(tree / "channels" / "signal" / "adapter.py") in ran.out.split()
    run(tree, "pytest", "-q", "-x", "tests/channels/signal")
    again = touchline("new-channel", "signal", "--into", str(tree))
    assert again.code == 1 and "is there already" in again.err


@pytest.mark.parametrize("name", ["ab", "signal", "zulu20letterslongyes"])
def test_a_new_channel_is_clean_whatever_its_name(tree: Path, name: str) -> None:
    folders = {str(path.parent) for path in write_channel(tree, name)}
    run(tree, "ruff", "check", *folders)
    run(tree, "ruff", "format", "--check", *folders)


def test_a_new_channel_is_typed(tree: Path) -> None:
    write_channel(tree, "signal")
    run(tree, "mypy", "-p", "channels.signal", "-p", "tests.channels.signal")


@pytest.mark.parametrize("name", ["Signal", "a", "two words", "../up", "lambda", "сигнал", "x" * 21, "9lives"])
def test_a_name_that_cannot_be_one_is_refused(touchline: Touchline, tree: Path, name: str) -> None:
    ran = touchline("new-channel", name, "--into", str(tree))
    assert ran.code == 2 and "cannot be a channel" in ran.err


def test_it_adds_to_a_source_tree_only_and_overwrites_nothing(touchline: Touchline, tmp_path: Path, tree: Path) -> None:
    nowhere = touchline("new-channel", "signal", "--into", str(tmp_path))
    assert nowhere.code == 1 and "source tree" in nowhere.err
    taken = touchline("new-channel", "phone", "--into", str(tree))
    assert taken.code == 1 and "is there already" in taken.err
    assert not (tree / "channels" / "phone").exists()
