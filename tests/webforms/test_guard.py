"""Windows, addresses, origins and proof of work."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.origins import Origins
from channels.throttle import Throttle, network_of
from tests.webforms.conftest import form
from tests.webforms.fake_hub import FakeHub
from webforms.words import choose_language

LEAD = {"name": "Anna", "message": "Hi"}


@settings(max_examples=150)
@given(st.lists(st.floats(0, 30), max_size=40), st.integers(1, 5))
def test_no_window_ever_holds_more_than_allowed(gaps: list[float], amount: int) -> None:
    throttle, now, taken = Throttle(), 1000.0, []
    for gap in gaps:
        now += gap
        wait = throttle.take("k", (amount, 60.0), now)
        if wait <= 0:
            taken.append(now)
        else:
            assert throttle.wait("k", (amount, 60.0), now + wait + 1e-6) == 0.0
    for at in taken:
        assert sum(1 for other in taken if at - 60.0 < other <= at) <= amount


def test_what_is_over_is_forgotten() -> None:
    throttle = Throttle()
    for number in range(10_000):
        throttle.take(str(number), (1, 1.0), float(number))
    assert len(throttle._hits) < 8_000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_one_household_is_one_sender(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def test_wildcards_keep_scheme_and_port() -> None:
    origins = Origins.of(["https://*.shop.example:8443"])
    assert origins.allows("https://a.b.shop.example:8443")
    assert not origins.allows("https://a.shop.example")
    assert not origins.allows("http://a.shop.example:8443")


@pytest.mark.parametrize(
    ("wanted", "header", "default", "language"),
    [
        ("pl", "ru", "uk", "pl"),
        ("de", "de, uk;q=0.5, ru;q=0.9", None, "ru"),
        (None, "de", "uk", "uk"),
        (None, "en-GB;q=x, pl-PL", None, "pl"),
        (None, "ru;q=0", None, "ru"),
        (None, None, None, "ru"),
    ],
)
def test_languages(wanted: str | None, header: str | None, default: str | None, language: str) -> None:
    assert choose_language(wanted, header, ("ru", "uk", "pl", "en"), default) == language


def solve(challenge: dict[str, Any], **changes: Any) -> str:
    for number in range(challenge["maxnumber" if "maxnumber" in challenge else "maxNumber"] + 1):
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]:
            break
    answer = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")} | {"number": number}
    return base64.b64encode(json.dumps(answer | changes).encode()).decode()


async def test_proof_of_work(http: ClientSession, url: str, hub: FakeHub) -> None:
    hub.forms["contact"] = form(proof_of_work=True, proof_difficulty=1000)

    async def challenge() -> dict[str, Any]:
        async with http.get(f"{url}/forms/contact/token") as answer:
            return dict((await answer.json())["challenge"])

    good = solve(await challenge())
    for payload in (
        good,
        good,
        None,
        "x",
        "bnVsbA==",
        solve(await challenge(), number=-1),
        solve(await challenge(), salt="a&"),
    ):
        async with http.post(f"{url}/forms/contact", json=LEAD | {"_proof": payload}) as answer:
            assert answer.status == 201
    old = solve(await challenge())
    hub.at += timedelta(hours=3)
    async with http.post(f"{url}/forms/contact", json=LEAD | {"_proof": old}) as answer:
        assert answer.status == 201
    assert [touch.suspicion for touch in hub.touches] == [
        None,
        "repeated_proof_of_work",
        "no_proof_of_work",
        "bad_proof_of_work",
        "bad_proof_of_work",
        "bad_proof_of_work",
        "bad_proof_of_work",
        "stale_proof_of_work",
    ]
    assert all(expires > hub.at - timedelta(hours=3) for expires in hub.proofs.values())


async def test_no_work_is_asked_where_none_is_wanted(http: ClientSession, url: str) -> None:
    async with http.get(f"{url}/forms/contact/token") as answer:
        assert (await answer.json())["challenge"] is None
    async with http.get(f"{url}/forms/contact/token", headers={"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
