"""The house keeps its rules, and each rule catches what it is meant to catch."""

import pytest

from tests.house import rules
from tests.house.source import PACKAGES, ROOT, Module, list_modules, read_module


@pytest.mark.parametrize("rule", rules.FOR_THE_HOUSE, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: rules.Rule) -> None:
    faults = [fault for module in list_modules(*PACKAGES) for fault in rule(module)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("rule", rules.FOR_TESTS, ids=lambda rule: rule.__name__)
def test_the_tests_keep_theirs(rule: rules.Rule) -> None:
    faults = [fault for module in list_modules("tests") for fault in rule(module)]
    assert not faults, "\n".join(faults)


def test_every_folder_is_a_package() -> None:
    folders = {(ROOT / module.path).parent for module in list_modules(*PACKAGES, "tests")}
    folders -= {ROOT / "storage" / "migrations" / "versions"}  # alembic reads these by path
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    "name", sorted(rules.OPENS_TRANSACTIONS | rules.READS_CLOCK | rules.READS_ENVIRONMENT | {*rules.LONGER})
)
def test_an_exemption_names_a_file_that_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


def bad(path: str, text: str) -> Module:
    return read_module(path, f'"""A bad one."""\n{text}\n')


@pytest.mark.parametrize(
    ("rule", "module"),
    [
        (rules.strangers, bad("channels/sms/adapter.py", "from channels.email.parse import read_mail")),
        (rules.strangers, bad("channels/sms/adapter.py", "from ..email import parse")),
        (rules.strangers, bad("channels/sms/__init__.py", "import channels.email")),
        (rules.telling_names, bad("hub/utils.py", "")),
        (rules.telling_names, bad("hub/helpers/text.py", "")),
        (rules.one_committer, bad("hub/intake.py", "def take(unit):\n    unit.session.commit()")),
        (rules.one_committer, bad("hub/intake.py", "def take(engines):\n    engines.writer.begin()")),
        (rules.one_reader_of_the_environment, bad("hub/app.py", "import os\nhome = os.environ['HOME']")),
        (rules.one_reader_of_the_environment, bad("hub/app.py", "from os import environ")),
        (rules.time_comes_in, bad("routing/timers.py", "from datetime import datetime\nnow = datetime.now")),
        (rules.time_comes_in, bad("routing/timers.py", "import time\nnow = time.time()")),
        (rules.a_docstring, read_module("hub/app.py", "x = 1")),
        (rules.short_enough, bad("hub/app.py", "x = 1\n" * rules.LONGEST_FILE)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_rule_catches(rule: rules.Rule, module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_channel_of", lambda name: {"channels": name.split(".")[1]}.get(name.split(".")[0]))
    assert list(rule(module))


@pytest.mark.parametrize(
    ("rule", "module"),
    [
        (rules.strangers, bad("channels/sms/adapter.py", "from channels.sms import parse")),
        (rules.one_committer, bad("storage/unit.py", "def end(wire):\n    wire.commit()")),
        (rules.time_comes_in, bad("hub/clock.py", "from datetime import datetime\nnow = datetime.now")),
        (rules.time_comes_in, bad("hub/live.py", "import time\nstart = time.monotonic()")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_rule_lets_pass(rule: rules.Rule, module: Module) -> None:
    assert list(rule(module)) == []
