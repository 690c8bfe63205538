"""Signatures over raw bodies, and the address that vendors call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.errors import BadSettings
from channels.webhook import hook_of, is_secret, is_signed, sign_body
from tests.channels.door import FakeDoor


def test_the_signature_is_the_one_of_rfc_4231() -> None:
    """RFC 4231, test case 2."""
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign_body(b"what do ya want for nothing?", "Jefe") == known
    assert is_signed(b"what do ya want for nothing?", "Jefe", known.upper() + " ")


@pytest.mark.parametrize("given", [None, "", "0" * 64, "нет", sign_body(b'{"a": 1}', "secret"), sign_body(b"{}", "")])
def test_whatever_else_is_forged(given: str | None) -> None:
    assert not is_signed(b'{"a":1}', "secret", given)


def test_an_empty_secret_signs_nothing() -> None:
    assert not is_signed(b"{}", "", sign_body(b"{}", ""))
    assert not is_secret("", "") and not is_secret("a", None)
    assert is_secret("a", "a") and not is_secret("a", "а")


def test_without_a_public_address_a_person_is_needed() -> None:
    door = FakeDoor().door()
    with pytest.raises(BadSettings, match="Viber cannot call us") as caught:
        hook_of(door, "Viber")
    assert caught.value.remedy and "public_url" in caught.value.remedy
    assert hook_of(replace(door, hook=lambda: "https://hub.example/hooks/v"), "Viber") == "https://hub.example/hooks/v"
