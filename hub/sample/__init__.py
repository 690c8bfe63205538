"""The sample set-up that `touchline run --sample` brings into an empty home."""

from __future__ import annotations

from importlib.resources import files

from hub.setup.reading import Reading, read_setup

FILE_NAME = "setup.toml"


def read_sample() -> Reading:
    """The sample, read and checked."""
    text = files(__package__).joinpath(FILE_NAME).read_text(encoding="utf-8")
    return read_setup([(f"sample/{FILE_NAME}", text)])
