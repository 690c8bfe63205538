"""What the set-up may say, and what of it the widget's script shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from channels.chat import Settings
from channels.chat.script import build, ink_on
from channels.chat.words import WORDS
from tests.channels.chat.rig import Browser, FakeTalks, open_channel
from tests.channels.door import FakeDoor


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": ["shop.example"]},
        {"origins": ["https://shop.example/path"]},
        {"colour": "blue"},
        {"colour": "#12345g"},
        {"theme": "pink"},
        {"side": "top"},
        {"language": "de"},
        {"heading": {}},
        {"greeting": {"de": "Hallo"}},
        {"consent": {"version": "1"}},
        {"consent": {"text": "Да", "link": "javascript:alert(1)"}},
        {"max_file_mb": 11},
        {"max_file_mb": 0},
        {"longest_text": 10},
        {"remember_days": 0},
        {"limits": {"per_address": "often"}},
        {"limits": {"per_line": -1}},
        {"limits": {"per_moon": 1}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_said(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def config_of(script: str) -> dict[str, Any]:
    """What the script was given."""
    line = next(one for one in script.splitlines() if one.startswith("const CHAT = "))
    found: dict[str, Any] = json.loads(line.removeprefix("const CHAT = ").removesuffix(";"))
    return found


def built(languages: tuple[str, ...] = ("ru", "uk", "pl", "en"), **own: Any) -> str:
    return build("site", Settings.model_validate(own), languages)


def test_every_key_that_visitors_see_is_in_the_script() -> None:
    config = config_of(
        built(
            heading={"ru": "Чат", "en": "Chat"},
            greeting="Ahoj </script><b>",
            offline={"pl": "Nie ma nas"},
            side="left",
            theme="dark",
            language="pl",
            longest_text=500,
            max_file_mb=1.5,
            accept=["application/pdf"],
            consent={"text": {"pl": "Zgoda"}, "version": "3", "link": "https://shop.example/p"},
        )
    )
    assert [config["words"][one]["heading"] for one in ("ru", "uk", "pl", "en")] == ["Чат", "Chat", "Chat", "Chat"]
    assert config["words"]["uk"]["greeting"] == "Ahoj </script><b>"
    assert (config["words"]["en"]["offline"], config["words"]["ru"]["consent"]) == ("Nie ma nas", "Zgoda")
    assert (config["side"], config["theme"], config["language"], config["longest"]) == ("left", "dark", "pl", 500)
    assert config["files"] == {"bytes": 1_572_864, "size": "1.5", "count": 5, "accept": "application/pdf"}
    assert (config["consent"], config["version"], config["link"]) == (True, "3", "https://shop.example/p")
    assert config_of(built(files=False))["files"] is None
    assert config_of(built(("pl", "de"), language="uk"))["languages"] == ["pl", "uk"]


def test_nothing_of_the_set_up_breaks_out_of_the_script() -> None:
    script = built(greeting="</script><script>alert(1)</script>\u2028")
    assert "</script" not in script and "\u2028" not in script


def test_the_script_needs_nothing_that_a_strict_page_forbids() -> None:
    script = built()
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "eval(",
        "new Function",
        ".style",
        "document.write",
        "http://fonts",
    ):
        assert forbidden not in script, forbidden
    assert len(script.encode()) < 70_000


@pytest.mark.parametrize(
    ("colour", "ink"), [("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#1d5fd1", "#ffffff"), ("#ffd400", "#000000")]
)
def test_writing_on_the_colour_can_be_read(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink
    script = built(colour=colour)
    assert f"--accent: {colour}; --on-accent: {ink};" in script


def test_every_text_is_there_in_every_language() -> None:
    for name, texts in WORDS.items():
        assert list(texts) == ["ru", "uk", "pl", "en"] and all(texts.values()), name


async def test_the_script_is_given_once(hub: FakeDoor, talks: FakeTalks) -> None:
    browser = Browser(open_channel(hub, talks))
    first = await browser.get("script.js")
    assert (first.status, first.media_type) == (200, "text/javascript")
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = await browser.get("script.js", None, **{"if-none-match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
