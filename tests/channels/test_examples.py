"""The examples of messenger lines are taken as they stand."""

from __future__ import annotations

from hub.setup.lines import own_faults
from hub.setup.reading import read_setup
from tests.house.source import ROOT


def test_messenger_lines_have_the_keys_of_their_channels() -> None:
    example = ROOT / "examples" / "messengers.toml"
    lines = read_setup([(example.name, example.read_text("utf-8"))]).definitions
    assert {"whatsapp", "viber"} <= {one.body["channel"] for one in lines}
    assert [(one.name, own_faults(one.body)) for one in lines if own_faults(one.body)] == []
