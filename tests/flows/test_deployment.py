"""The files that bring the topology up say what the program understands; no Docker engine is at hand to tell."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from hub.cli.app import app
from hub.settings import LINE_SECRETS, PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
HUB = ("web", "listen", "work")
SERVICES = {"postgres", "redis", *HUB}
KNOWN = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
OF_COMPOSE = {"POSTGRES_PASSWORD", "TOUCHLINE_PORT"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def docker() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def commands() -> set[str]:
    return set(get_command(app).commands)  # type: ignore[attr-defined]


def test_the_services_are_those_of_the_topology(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SERVICES


def test_every_hub_service_runs_a_command_that_exists(compose: dict[str, Any]) -> None:
    found = {name: compose["services"][name]["command"] for name in HUB}
    assert found == {"web": ["serve"], "listen": ["listen"], "work": ["work"]}
    assert {words[0] for words in found.values()} <= commands()


def test_the_image_runs_a_command_that_exists(docker: list[tuple[str, str]]) -> None:
    said = dict(docker)
    assert said["ENTRYPOINT"] == '["touchline"]'
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert "touchline" in scripts
    assert said["CMD"].strip('["]') in commands()


def test_every_variable_is_a_setting(compose: dict[str, Any], docker: list[tuple[str, str]]) -> None:
    said = {name for each in compose["services"].values() for name in each.get("environment", {})}
    said |= {word.partition("=")[0] for key, rest in docker if key == "ENV" for word in rest.split()}
    assert {name for name in said if name.startswith(PREFIX)} <= KNOWN
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text("utf-8")))
    assert asked <= KNOWN | OF_COMPOSE
    offered = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert offered == asked


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `([A-Z_]+)…?` \|", text, re.MULTILINE))
    assert explained == KNOWN | OF_COMPOSE | {LINE_SECRETS}


def test_the_hub_is_pointed_at_the_other_services(compose: dict[str, Any]) -> None:
    for name in HUB:
        variables = compose["services"][name]["environment"]
        assert "@postgres:5432/" in variables["TOUCHLINE_DATABASE_URL"]
        assert variables["TOUCHLINE_REDIS_URL"].startswith("redis://redis:6379")


def test_nobody_is_root(compose: dict[str, Any], docker: list[tuple[str, str]]) -> None:
    last_stage = docker[max(number for number, (word, _) in enumerate(docker) if word == "FROM") :]
    user = dict(last_stage)["USER"]
    assert user.partition(":")[0].isdecimal()
    assert int(user.partition(":")[0]) > 0
    for name, each in compose["services"].items():
        assert each.get("user", "") not in {"root", "0"}
        assert "privileged" not in each
        assert name in HUB or each["user"] in {"postgres", "redis"}


def test_the_image_has_two_stages_and_the_second_installs_offline(docker: list[tuple[str, str]]) -> None:
    stages = [rest for word, rest in docker if word == "FROM"]
    assert len(stages) == 2
    assert stages[0].endswith(" AS build")
    runs = [rest for word, rest in docker if word == "RUN"]
    assert any("pip wheel" in each for each in runs)
    assert any("from=build" in each and "--no-index" in each for each in runs)
    kept = {path.lstrip("!") for path in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if path[:1] == "!"}
    copied = {rest.split()[i] for word, rest in docker if word == "COPY" for i in range(len(rest.split()) - 1)}
    assert copied == kept
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) <= copied


def test_images_are_pinned_to_a_release(compose: dict[str, Any], docker: list[tuple[str, str]]) -> None:
    images = [each["image"] for each in compose["services"].values()]
    images += [rest.split()[0] for word, rest in docker if word == "FROM"]
    for image in images:
        name, _, tag = image.partition(":")
        assert name
        assert re.match(r"\d+(\.\d+)*", tag), image


def test_every_service_has_a_health_check_and_waits_for_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, each in services.items():
        assert each["healthcheck"]["test"], name
        assert each["restart"] == "unless-stopped"
    for name in HUB:
        needs = services[name]["depends_on"]
        assert {"postgres", "redis"} <= set(needs)
        assert {need["condition"] for need in needs.values()} == {"service_healthy"}
        assert "/healthz" in services[name]["healthcheck"]["test"][-1]
    assert "/healthz" in (ROOT / "Dockerfile").read_text("utf-8")


def test_what_must_outlive_a_container_is_a_volume(compose: dict[str, Any], docker: list[tuple[str, str]]) -> None:
    home = next(
        part.partition("=")[2] for key, rest in docker if key == "ENV" for part in rest.split() if "HOME" in part
    )
    assert dict(docker)["VOLUME"] == home
    used = set()
    for each in compose["services"].values():
        used |= {volume.partition(":")[0] for volume in each["volumes"]}
    assert used == set(compose["volumes"])
    assert all(f"home:{home}" in compose["services"][name]["volumes"] for name in HUB)


def test_containers_answer_health_checks_whatever_their_role(docker: list[tuple[str, str]]) -> None:
    variables = dict(word.split("=", 1) for key, rest in docker if key == "ENV" for word in rest.split())
    assert variables["TOUCHLINE_PROBES"] == variables["TOUCHLINE_LISTEN"]
