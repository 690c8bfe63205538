"""Runs commands as a shell would: arguments in, exit code and two streams out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
import structlog

from hub.cli import main
from tests.hub.setup.conftest import GOLDEN

OFFICE, LINES, CALENDARS = (str(GOLDEN / f"{name}.toml") for name in ("office", "lines", "calendars"))


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str


Touchline: TypeAlias = Callable[..., Ran]


@pytest.fixture
def touchline(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Touchline:
    """`touchline(…)` in a home of its own and a folder without touchline.toml."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        structlog.reset_defaults()
        out, err = capsys.readouterr()
        code = caught.value.code
        return Ran(code if isinstance(code, int) else 0 if code is None else 1, out, err)

    return call
